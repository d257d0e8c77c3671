"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from glisson.errors import OutputError


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A name to write to beside `path`; renamed to it when all went well, else removed.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix="".join(path.suffixes[-2:]), dir=path.parent
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
    except OutputError:
        raise
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Have the bytes on the disk before the name points to them."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _output_error(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"{path} cannot be written: {reason}. Free some space or choose another folder, "
        "then run again."
    )
