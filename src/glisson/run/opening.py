"""Opening the slide of a run: a local file, a file read by range, or a downloaded copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from glisson.errors import SlideError, StorageError
from glisson.run.observer import RunObserver
from glisson.run.settings import RunSettings
from glisson.slides import TIFF_SUFFIXES, Slide, open_ome_pyramid, open_slide
from glisson.storage import (
    Place,
    SlideFiles,
    Url,
    download_slide,
    find_slide_files,
    get_cache_folder,
    stat_url,
)


@contextmanager
def open_run_slide(
    where: Place, settings: RunSettings, finest_mpp: float, observer: RunObserver, name: str
) -> Iterator[tuple[Slide, Path]]:
    """Yield the open slide, and its local file or folder; of a slide read by range the name alone.

    An OME-TIFF on a store is read by range if its coarser levels suffice; any other slide is
    downloaded to a temporary folder first.

    Args:
        where: the slide.
        settings: of the run.
        finest_mpp: µm/px of the finest reads of the run.
        observer: the progress callbacks, for the download.
        name: of the slide, for the observer.

    Raises:
        SlideError: as `open_slide`.
        StorageError: the store fails or denies access, or the slide changed meanwhile.
    """
    if isinstance(where, Path):
        with open_slide(where, settings.mpp, settings.series) as slide:
            yield slide, where
        return
    observer.stage_started(name, "download")
    files = find_slide_files(where)
    by_range = _open_by_range(where, files, settings, finest_mpp)
    if by_range is not None:
        with by_range as slide:
            yield slide, Path(where.name)
            now, then = stat_url(where), files.files[0].stored
            if (now.bytes, now.stamp) != (then.bytes, then.stamp):
                raise StorageError(f"{where} was changed while it was read. Run again.")
        return
    folder = get_cache_folder(settings.cache) / "slides"

    def report_megabytes(there: int, total: int) -> None:
        observer.stage_progressed(name, there >> 20, max(total >> 20, 1))

    with download_slide(files, folder, report_megabytes) as path:
        try:
            with open_slide(path, settings.mpp, settings.series) as slide:
                yield slide, path
        except SlideError as error:  # name the slide instead of its downloaded copy
            text = str(error).replace(str(path), str(where))
            raise type(error)(text + _describe_garbage(path)) from error


def _open_by_range(
    where: Url, files: SlideFiles, settings: RunSettings, finest_mpp: float
) -> Slide | None:
    if not files.is_single_file or where.suffix.lower() not in TIFF_SUFFIXES:
        return None
    from glisson.storage.range_file import RangeFile

    file = cast(BinaryIO, RangeFile(files.files[0].stored))
    path = Path(where.name)
    return open_ome_pyramid(file, path, settings.mpp, finest_mpp, settings.series)


def _describe_garbage(copy: Path) -> str:
    """Say that a download is a web page, as a proxy or a login sends it instead of the slide."""
    if not copy.is_file():
        return ""
    with copy.open("rb") as file:
        is_page = file.read(200).lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml"))
    return " The server sent a web page, such as a login page, instead." if is_page else ""
