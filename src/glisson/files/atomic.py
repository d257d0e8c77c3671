"""Files and folders that are either whole or not there."""

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
    """A name to write to beside `path`; renamed to it when all went well, else removed.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(
            prefix=unfinished_prefix(path.name), suffix="".join(path.suffixes[-2:]), dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise _output_error(path, error) from error
    unfinished = Path(name)
    try:
        yield unfinished
        _flush(unfinished)
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except GlissonError:  # some are an OSError too
        raise
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def unfinished_prefix(name: str) -> str:
    """How the name of something begins that this process has not finished yet."""
    return f".{name}{_UNFINISHED}{_this_host()}-{os.getpid()}-"


def remove_abandoned(*folders: Path) -> None:
    """Remove what processes of this machine had not finished when they were killed.

    What a process that runs is at work on stays, and so does what other machines have begun.
    """
    ours = re.compile(rf"\..+{re.escape(_UNFINISHED + _this_host())}-(\d+)-")
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            match = ours.match(path.name)
            if match is not None and not _is_running(int(match[1])):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    """Whether a process is there and not just a zombie that nobody has asked after."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _this_host() -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "_", platform.node()) or "host"


def free_name(path: Path, what: str, ending: str = "") -> Path:
    """`<path>.<what>-1` and on, with an ending: the first that nothing has."""
    number = 1
    while (free := path.with_name(f"{path.name}.{what}-{number}{ending}")).exists():
        number += 1
    return free


@contextlib.contextmanager
def atomic_folder(path: Path, replaces: str) -> Iterator[Path]:
    """A new folder to fill beside `path`; renamed to it when all went well, else removed.

    Args:
        path: the folder.
        replaces: an old `path` may give way only if all its entries match this pattern.

    Raises:
        OutputError: the disk is full, something else is in the way, or no folder can be made.
    """
    try:
        _check_replaceable(path, replaces)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OutputError:
        raise
    except OSError as error:
        raise _output_error(path, error) from error
    try:
        yield unfinished
        for file in unfinished.iterdir():
            _flush(file)
            file.chmod(0o644)
        unfinished.chmod(0o755)
        _replace_folder(unfinished, path)
    except GlissonError:  # some are an OSError too
        raise
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _check_replaceable(path: Path, pattern: str) -> None:
    if path.is_dir() and all(entry.match(pattern) for entry in path.iterdir()):
        return
    if path.exists():
        raise OutputError(
            f"{path} already holds something else, which is not overwritten. "
            "Choose another folder, then run again."
        )


def _replace_folder(new: Path, path: Path) -> None:
    """Rename; a folder cannot take the place of a full one, so the old one steps aside first."""
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
    """Have the bytes on the disk before the name points to them."""
    with path.open("rb+") as file:  # Windows flushes only what may be written
        os.fsync(file.fileno())


def _output_error(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"{path} cannot be written: {reason}. Free some space or choose another folder, "
        "then run again."
    )
