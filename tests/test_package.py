"""The package's outside: its public names, its errors, its files."""

from __future__ import annotations

from pathlib import Path

import pytest

import glisson
from glisson import errors
from glisson.errors import GlissonError, OutputError
from glisson.files.atomic import atomic_path


def test_public_names() -> None:
    """Every verb, error and result type, each from its home."""
    verbs = {"segment", "measure", "gather", "tiles", "train", "evaluate", "export", "study"}
    assert verbs < set(glisson.__all__)
    assert glisson.__version__.count(".") == 2
    for name in glisson.__all__:
        assert getattr(glisson, name) is not None, name
    assert all(callable(getattr(glisson, verb)) for verb in verbs)
    assert dir(glisson) == sorted(glisson.__all__)


def test_every_error_is_public() -> None:
    kinds = {n for n, k in vars(errors).items() if isinstance(k, type)}
    assert kinds < set(glisson.__all__)


def test_verbs_are_functions_even_after_their_rooms_are_imported() -> None:
    import glisson.segmentation

    assert callable(glisson.segment)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        glisson.nothing  # noqa: B018


def test_every_error_is_in_the_tree_that_is_drawn() -> None:
    tree = errors.__doc__ or ""
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, GlissonError):
            assert name in tree


def test_atomic_path_writes_whole_files(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.txt") as unfinished:
        unfinished.write_text("whole")
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "whole"


def _write_half(path: Path, error: type[BaseException]) -> None:
    with atomic_path(path) as unfinished:
        unfinished.write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_atomic_path_keeps_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(error):
        _write_half(tmp_path / "a.txt", error)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_full_disk_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No space"), atomic_path(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []
