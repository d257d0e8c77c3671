"""A slide's files from a store to a folder, piece by piece; what is there is gone on with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from glisson.errors import StorageError
from glisson.storage.companions import SlideFiles
from glisson.storage.store import Stored, read

PIECE_BYTES = 8 << 20

Progress = Callable[[int, int], None]
"""Told bytes that are there, and bytes of all."""


def fetch(slide: SlideFiles, folder: Path, told: Progress) -> None:
    """Fetch all files of a slide into a folder.

    A file that is there in part was left by a run that was killed: its pieces are on the disk, and
    the next ones are put behind them.

    Raises:
        StorageError: a piece does not come, however often it is asked for.
        OSError: the folder cannot be written to.
    """
    before = 0
    for file in slide.files:
        target = _inside(folder, file.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch_file(file.stored, target, before, slide.bytes, told)
        before += file.stored.bytes


def _inside(folder: Path, relative: str) -> Path:
    """A file's place; a name on a store must not lead out of the folder."""
    target = (folder / relative).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise StorageError(f"{relative!r} is no name that a slide's file may have.")
    return target


def _fetch_file(stored: Stored, target: Path, before: int, total: int, told: Progress) -> None:
    with target.open("ab") as file:
        if file.tell() > stored.bytes:  # no piece of it
            file.truncate(0)
            file.seek(0)
        while (start := file.tell()) < stored.bytes:
            told(before + start, total)
            file.write(read(stored.url, start, min(start + PIECE_BYTES, stored.bytes)))
            file.flush()
            os.fsync(file.fileno())
    told(before + stored.bytes, total)
