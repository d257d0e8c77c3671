"""A slide of a run opened where it is: a file here, a file read by range, or one fetched first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from glisson.errors import SlideError, StorageError
from glisson.run.observer import RunObserver
from glisson.run.settings import RunSettings
from glisson.slides import TIFF_SUFFIXES, Slide, open_ome_pyramid, open_slide
from glisson.storage import Place, RangeFile, SlideFiles, Url, look_at, slide_cache, slide_files


@contextmanager
def opened_slide(
    where: Place, settings: RunSettings, finest_mpp: float, observer: RunObserver, name: str
) -> Iterator[tuple[Slide, Path]]:
    """The open slide, and its file or folder here; of one read by range its name alone.

    An OME-TIFF on a store whose levels spare reading the finest is read by range; all else is
    fetched into the cache first.

    Args:
        where: the slide.
        settings: of the run.
        finest_mpp: µm/px of the finest reads that are to come.
        observer: told how the fetching goes.
        name: of the slide, for the observer.

    Raises:
        SlideError: as `open_slide`.
        StorageError: the store does not answer, or refuses; or the slide changed meanwhile.
    """
    if isinstance(where, Path):
        with open_slide(where, mpp=settings.mpp) as slide:
            yield slide, where
        return
    observer.stage_started(name, "fetch")
    files = slide_files(where)
    by_range = _opened_by_range(where, files, settings, finest_mpp)
    if by_range is not None:
        with by_range as slide:
            yield slide, Path(where.name)
            _check_unchanged(where, files)
        return
    cache = slide_cache(settings.cache, settings.cache_gb)
    with (
        cache.held(files, _telling(observer, name)) as path,
        _named(path, where),
        open_slide(path, mpp=settings.mpp) as slide,
    ):
        yield slide, path


def _opened_by_range(
    where: Url, files: SlideFiles, settings: RunSettings, finest_mpp: float
) -> Slide | None:
    if not files.is_one or where.suffix.lower() not in TIFF_SUFFIXES:
        return None
    file = cast(BinaryIO, RangeFile(files.files[0].stored))
    return open_ome_pyramid(file, Path(where.name), settings.mpp, finest_mpp)


@contextmanager
def _named(copy: Path, where: Url) -> Iterator[None]:
    """What is wrong with a copy is said of the slide that it is of."""
    try:
        yield
    except SlideError as error:
        raise type(error)(str(error).replace(str(copy), str(where))) from error


def _check_unchanged(where: Url, files: SlideFiles) -> None:
    now, then = look_at(where), files.files[0].stored
    if (now.bytes, now.stamp) != (then.bytes, then.stamp):
        raise StorageError(f"{where} was changed while it was read. Run again.")


def _telling(observer: RunObserver, name: str) -> Callable[[int, int], None]:
    """Progress in megabytes, which a bar can count."""
    return lambda there, total: observer.stage_progressed(name, there >> 20, max(total >> 20, 1))
