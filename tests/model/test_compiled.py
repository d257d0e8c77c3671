"""Compiled graphs are kept, give the same answer, and never stand in the way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from glisson.model import ModelBundle, open_runtime

TILES = np.random.default_rng(2).integers(0, 255, (2, 128, 128, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLISSON_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "compiled"


def answer(bundle: ModelBundle, threads: int = 1) -> np.ndarray:
    return open_runtime(bundle, "openvino", threads=threads).predict(TILES)


def test_the_second_opening_reads_what_the_first_compiled(
    bundle: ModelBundle, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = answer(bundle)
    (kept,) = cache.iterdir()
    monkeypatch.setattr(
        "glisson.model.runtimes.on_openvino.build_graph", None
    )  # nothing to compile
    np.testing.assert_array_equal(answer(bundle), compiled)
    assert [each.name for each in cache.iterdir()] == [kept.name]


def test_a_cache_that_may_only_be_read(
    bundle: ModelBundle, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = answer(bundle)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "touch", refused)
    monkeypatch.setattr("glisson.model.runtimes.on_openvino.build_graph", None)
    np.testing.assert_array_equal(answer(bundle), compiled)


@pytest.mark.parametrize("length", [0, 20, 5_000])
def test_a_broken_one_is_made_again(
    bundle: ModelBundle, cache: Path, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = answer(bundle)
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:length])
    np.testing.assert_array_equal(answer(bundle), compiled)
    monkeypatch.setattr("glisson.model.runtimes.on_openvino.build_graph", None)
    np.testing.assert_array_equal(answer(bundle), compiled)


def test_a_graph_of_another_kind_is_made_again(bundle: ModelBundle, cache: Path) -> None:
    """Its hash holds, and yet OpenVINO does not read it."""
    compiled = answer(bundle)
    (kept,) = cache.iterdir()
    kept.write_bytes(hashlib.sha256(b"nonsense" * 40).digest() + b"nonsense" * 40)
    np.testing.assert_array_equal(answer(bundle), compiled)


def test_other_threads_have_another_file(bundle: ModelBundle, cache: Path) -> None:
    answer(bundle, 1)
    answer(bundle, 2)
    assert len(list(cache.iterdir())) == 2


def test_old_ones_go(bundle: ModelBundle, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glisson.model.runtimes.graph_cache._MOST_FILES", 1)
    answer(bundle, 1)
    (first,) = cache.iterdir()
    answer(bundle, 2)
    (second,) = cache.iterdir()
    assert second.name != first.name


def test_no_place_to_keep_it(
    bundle: ModelBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("GLISSON_CACHE", str(tmp_path / "file"))
    assert answer(bundle).shape == (2, 3, 128, 128)
