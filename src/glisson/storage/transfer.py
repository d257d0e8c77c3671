"""Downloads and uploads: a slide into a temporary folder, and many small files at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from glisson.errors import GlissonError, NotStored, OutputError, StorageError
from glisson.files.atomic import open_unfinished, remove_abandoned
from glisson.storage.companions import SlideFiles, find_slide_files
from glisson.storage.store import Stored, read, stat_url, write
from glisson.storage.url import Url

PIECE_BYTES = 8 << 20

_SPARE_BYTES = 64 << 20
"""Space on the disk that a download leaves free."""
_THREADS = 8

Progress = Callable[[int, int], None]
"""Progress callback: bytes downloaded, and bytes of all files."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def get_cache_folder(folder: Path | None = None) -> Path:
    """Return `folder`, else `$GLISSON_CACHE`, else the system's cache folder."""
    if folder is not None:
        return folder
    if variable := os.environ.get("GLISSON_CACHE"):
        return Path(variable)
    import platformdirs

    return Path(platformdirs.user_cache_dir("glisson"))


@contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield a new folder in `parent` and delete it at the end; first delete those of killed runs.

    No other user can read it: it holds slides.

    Raises:
        OutputError: no folder can be made.
    """
    with _as_output_error(parent):
        parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(parent)
    with ExitStack() as stack:
        with _as_output_error(parent):
            make = partial(Path.mkdir, mode=0o700)
            folder = stack.enter_context(open_unfinished(parent / name, make))
        yield folder


@contextmanager
def download_slide(slide: SlideFiles, folder: Path, progress: Progress) -> Iterator[Path]:
    """Download a slide to a temporary folder, yield its path there, delete it at the end.

    Args:
        slide: the slide's files on the store.
        folder: parent of the temporary folder.
        progress: called before each piece of 8 MiB and at the end of each file.

    Raises:
        StorageError: the store does not answer or refuses, the slide changes meanwhile, or the
            disk is too small.
        OutputError: the folder cannot be written to.
    """
    with temporary_folder(folder, "slide") as here:
        if slide.bytes > shutil.disk_usage(here).free - _SPARE_BYTES:
            raise StorageError(
                f"{slide.url} has {slide.bytes / 1e9:.3g} GB, for which the disk of {folder} has "
                "no room. Free some space or choose another folder with --cache."
            )
        before = 0
        for file in slide.files:
            target = (here / file.path).resolve()
            if not target.is_relative_to(here.resolve()):
                raise StorageError(f"{slide.url}: a file's name leads elsewhere: {file.path!r}.")
            for piece_end in _download(file.stored, target):
                progress(before + piece_end, slide.bytes)
            before += file.stored.bytes
        if find_slide_files(slide.url) != slide:
            raise StorageError(f"{slide.url} was changed during its download. Run again.")
        yield here / slide.name


def download_files(files: Iterable[tuple[Stored, Path]]) -> None:
    """Download small files, several at a time.

    Raises:
        StorageError: a file cannot be read from the store.
        OutputError: a file cannot be written here.
    """
    _map(lambda pair: list(_download(*pair)), files)


def upload_files(files: Iterable[tuple[Path, Url]]) -> None:
    """Upload files, several at a time.

    Raises:
        StorageError: a file cannot be written to the store.
    """
    _map(lambda pair: write(*pair), files)


def read_files(urls: Sequence[Url]) -> list[bytes | None]:
    """Read small files, in order; None for a file that does not exist.

    Raises:
        StorageError: a file cannot be read.
    """

    def read_whole(url: Url) -> bytes | None:
        try:
            return read(url, 0, stat_url(url).bytes)
        except NotStored:
            return None

    return _map(read_whole, urls)


def _download(stored: Stored, target: Path) -> Iterator[int]:
    """Download a file in pieces; yield the bytes done before each piece and at the end."""
    with _as_output_error(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for start in range(0, stored.bytes, PIECE_BYTES):
                yield start
                file.write(read(stored.url, start, min(start + PIECE_BYTES, stored.bytes)))
    yield stored.bytes


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except GlissonError:  # StorageError is an OSError too
        raise
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}. Free some space or choose "
            "another folder with --cache, then run again."
        ) from error


def _map(do: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    pool = ThreadPoolExecutor(_THREADS)
    try:
        return list(pool.map(do, items))
    finally:  # after an error the other calls would meet the same store
        pool.shutdown(cancel_futures=True)
