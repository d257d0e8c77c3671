"""Folders of small files between a store and this machine, several files at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from glisson.errors import NotStored, OutputError
from glisson.storage.store import Stored, look_at, read, write
from glisson.storage.url import Url

_AT_A_TIME = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def bring(files: Iterable[tuple[Stored, Path]]) -> None:
    """Fetch small files, each to a path of a working copy that nobody else reads.

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


def small_files(urls: Sequence[Url]) -> list[bytes | None]:
    """The contents of small files, in order; None of one that is not there.

    Raises:
        StorageError: one cannot be read.
    """
    return _each(_content, urls)


def _content(url: Url) -> bytes | None:
    try:
        return read(url, 0, look_at(url).bytes)
    except NotStored:
        return None


def _brought(stored: Stored, path: Path) -> None:
    content = read(stored.url, 0, stored.bytes)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}. Free some space or choose "
            "another folder with --cache, then run again."
        ) from error


def _each(do: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    pool = ThreadPoolExecutor(_AT_A_TIME)
    try:
        return list(pool.map(do, items))
    finally:  # after an error the others would meet the same store
        pool.shutdown(cancel_futures=True)
