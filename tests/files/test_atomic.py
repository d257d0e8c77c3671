"""Who may read what is written, and what a later run removes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from glisson.files.atomic import (
    _this_host,
    atomic_folder,
    atomic_path,
    open_unfinished,
    remove_abandoned,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="umask and locks as on POSIX")


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(("mask", "file", "folder"), [
    (0o077, 0o600, 0o700),  # patients' results in an open folder
    (0o002, 0o664, 0o775),  # a group's folder
])  # fmt: skip
def test_the_umask_is_honoured(mask: int, file: int, folder: int, tmp_path: Path) -> None:
    os.umask(mask)
    with atomic_path(tmp_path / "a.csv") as unfinished:
        assert mode(unfinished) == file
        unfinished.write_text("x")
    with atomic_folder(tmp_path / "tables", "*.csv") as unfinished:
        (unfinished / "b.csv").write_text("x")
    with open_unfinished(tmp_path / "s8") as unfinished:
        unfinished.rename(tmp_path / "s8")
    assert mode(tmp_path / "a.csv") == mode(tmp_path / "tables" / "b.csv") == file
    assert mode(tmp_path / "tables") == mode(tmp_path / "s8") == folder


def test_a_lock_protects_what_another_container_writes(tmp_path: Path) -> None:
    """Its process has no number here, or that of another process."""
    with (
        open_unfinished(tmp_path / "slide") as folder,
        open_unfinished(tmp_path / "table.csv", Path.touch) as file,
    ):
        other = [path.with_name(path.name.replace(str(os.getpid()), "4194305"))
                 for path in (folder, file)]  # fmt: skip
        folder.rename(other[0])
        file.rename(other[1])
        remove_abandoned(tmp_path)
        assert all(path.exists() for path in other)
    remove_abandoned(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_of_this_number_left_goes(tmp_path: Path) -> None:
    """A container is process 1 again and again."""
    program = (
        "import os; from pathlib import Path; from glisson.files.atomic import open_unfinished\n"
        f"with open_unfinished(Path({str(tmp_path)!r}) / 'slide'): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    (left,) = tmp_path.iterdir()
    ours = left.rename(tmp_path / f".slide.unfinished-{_this_host()}-{os.getpid()}-l0")
    remove_abandoned(tmp_path)
    assert not ours.exists()
