"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from glisson.errors import GlissonError, OutputError

_UNFINISHED = ".unfinished-"


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` on success, else remove it.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to.
    """
    with _as_output_error(path):
        handle, name = tempfile.mkstemp(
            prefix=make_temporary_prefix(path.name),
            suffix="".join(path.suffixes[-2:]),
            dir=path.parent,
        )
        os.close(handle)
    unfinished = Path(name)
    try:
        with _as_output_error(path):
            yield unfinished
            _flush(unfinished)
            unfinished.chmod(0o644)
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


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
        unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        with _as_output_error(path):
            yield unfinished
            for file in unfinished.iterdir():
                _flush(file)
                file.chmod(0o644)
            unfinished.chmod(0o755)
            _replace_folder(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def make_temporary_prefix(name: str) -> str:
    """Return the prefix of temporary names for `name`, which carries host and process id."""
    return f".{name}{_UNFINISHED}{_this_host()}-{os.getpid()}-"


def remove_abandoned(*folders: Path) -> None:
    """Remove the unfinished files and folders of killed processes of this machine.

    Files of running processes and of other machines stay.
    """
    ours = re.compile(rf"\..+{re.escape(_UNFINISHED + _this_host())}-(\d+)-")
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            match = ours.match(path.name)
            if match is None or _is_running(int(match[1])):
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def find_free_name(path: Path, label: str, ending: str = "") -> Path:
    """Return the first of `<path>.<label>-1`, `-2`, ... (then `ending`) that does not exist."""
    number = 1
    while (free := path.with_name(f"{path.name}.{label}-{number}{ending}")).exists():
        number += 1
    return free


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
