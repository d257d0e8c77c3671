"""Files and folders that appear whole or not at all, with the rights that the umask leaves.

The process that writes an unfinished file or folder holds a lock on it, which ends with the
process. So a later run removes what a killed process left, and nothing that another process writes,
be it in another container of the same host name. Where a file system has no locks, host name and
process id in the name decide.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from glisson.errors import GlissonError, OutputError

if sys.platform != "win32":
    import fcntl

_UNFINISHED = ".unfinished-"
_LOCKED = "l"
"""First letter of the random part of a name whose owner holds a lock; no other is hexadecimal."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` on success, else remove it.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to.
    """
    with _as_output_error(path), open_unfinished(path, _make_file) as unfinished:
        yield unfinished
        _flush(unfinished)
        unfinished.replace(path)


@contextlib.contextmanager
def atomic_folder(path: Path, replaces: str) -> Iterator[Path]:
    """Yield a new folder beside `path`; rename it to `path` on success, else remove it.

    Args:
        path: the folder.
        replaces: an old `path` is replaced only if all its entries match this pattern.

    Raises:
        OutputError: the disk is full, `path` holds something else, or no folder can be made.
    """
    with _as_output_error(path):
        _check_replaceable(path, replaces)
        with open_unfinished(path) as unfinished:
            yield unfinished
            for file in unfinished.iterdir():
                _flush(file)
            _replace_folder(unfinished, path)


@contextlib.contextmanager
def open_unfinished(path: Path, make: Callable[[Path], None] = Path.mkdir) -> Iterator[Path]:
    """Yield a new folder beside `path` and hold a lock on it; remove it in the end, if it is there.

    Args:
        path: the final place.
        make: makes the folder, or a file, at a name that does not exist.

    Raises:
        OSError: nothing can be made there.
    """
    unfinished, handle = _make_locked(path, make)
    try:
        yield unfinished
    finally:
        _remove(unfinished)
        if handle is not None:
            os.close(handle)


def is_unfinished(name: str, of: str | None = None) -> bool:
    """Return whether `name` is that of an unfinished file or folder, for `of` if that is given."""
    if of is None:
        return name.startswith(".") and _UNFINISHED in name
    return name.startswith(f".{of}{_UNFINISHED}")


def remove_abandoned(*folders: Path) -> None:
    """Remove the unfinished files and folders of killed processes of this machine.

    Files of running processes and of other machines stay.
    """
    ours = re.compile(rf"\..+{re.escape(_UNFINISHED + _this_host())}-(\d+)-({_LOCKED}?)")
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            match = ours.match(path.name)
            if match is None:
                continue
            if match[2]:
                _remove_if_unlocked(path)
            elif not _is_running(int(match[1])):
                _remove(path)


def find_free_name(path: Path, label: str, ending: str = "") -> Path:
    """Return the first of `<path>.<label>-1`, `-2`, ... (then `ending`) that does not exist."""
    number = 1
    while (free := path.with_name(f"{path.name}.{label}-{number}{ending}")).exists():
        number += 1
    return free


def _make_locked(path: Path, make: Callable[[Path], None]) -> tuple[Path, int | None]:
    """Make a temporary file or folder beside `path`; return it with the handle of its lock."""
    mark = "" if sys.platform == "win32" else _LOCKED
    while True:
        name = f".{path.name}{_UNFINISHED}{_this_host()}-{os.getpid()}-{mark}{secrets.token_hex(6)}"
        unfinished = path.with_name(name + "".join(path.suffixes[-2:]))
        make(unfinished)
        if not mark:
            return unfinished, None
        try:
            handle = _lock(unfinished)
        except BlockingIOError:
            continue  # a sweep holds it, and removes it
        except OSError:  # no locks on this file system
            _remove(unfinished)
            mark = ""
            continue
        if unfinished.exists():
            return unfinished, handle
        os.close(handle)  # a sweep has removed it


def _make_file(path: Path) -> None:
    path.touch(exist_ok=False)


def _lock(path: Path) -> int:
    """Lock a file or folder for as long as the returned handle is open.

    Raises:
        BlockingIOError: another process holds the lock.
        OSError: the file system has no locks, or the file is another user's.
    """
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        if sys.platform != "win32":
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _remove_if_unlocked(path: Path) -> None:
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):  # locked, or of another user
        handle = _lock(path)
        _remove(path)
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _this_host() -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "_", platform.node()) or "host"


def _check_replaceable(path: Path, pattern: str) -> None:
    if path.is_dir() and all(entry.match(pattern) for entry in path.iterdir()):
        return
    if path.exists():
        raise OutputError(
            f"{path} already holds something else, which Glisson does not overwrite. "
            "Choose another folder, then run again."
        )


def _replace_folder(new: Path, path: Path) -> None:
    """Rename `new` to `path`; move a full old folder aside first, as no rename replaces it."""
    if not path.exists():
        new.rename(path)
        return
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as aside:
        old = Path(aside) / path.name
        path.rename(old)
        try:
            new.rename(path)
        except OSError:
            old.rename(path)
            raise


def _flush(path: Path) -> None:
    """Write the file's bytes to the disk before a rename publishes them."""
    with path.open("rb+") as file:  # Windows flushes only files that are open for writing
        os.fsync(file.fileno())


@contextlib.contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except GlissonError:  # some are an OSError too
        raise
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}. Free some space or choose "
            "another folder, then run again."
        ) from error
