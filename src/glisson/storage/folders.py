"""Folders of small files between a store and this machine, several files at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from glisson.files import atomic_path
from glisson.storage.store import Stored, read, write
from glisson.storage.url import Url

_AT_A_TIME = 8


def bring(files: Iterable[tuple[Stored, Path]]) -> None:
    """Fetch small files, each to a path.

    Raises:
        StorageError: one cannot be read.
        OutputError: one cannot be written here.
    """
    _each(lambda pair: _brought(*pair), files)


def put(files: Iterable[tuple[Path, Url]]) -> None:
    """Write files to a store.

    Raises:
        StorageError: one cannot be written.
    """
    _each(lambda pair: write(*pair), files)


def _brought(stored: Stored, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(read(stored.url, 0, stored.bytes))


def _each(do: Callable[..., None], pairs: Iterable[object]) -> None:
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for _ in pool.map(do, pairs):
            pass
