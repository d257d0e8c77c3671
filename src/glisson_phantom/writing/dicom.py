"""DICOM VL whole slide microscopy: a folder with a file per level."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from glisson.errors import MissingExtra
from glisson_phantom.writing.encapsulation import jpeg_frames, spool_frames, write_pixel_data
from glisson_phantom.writing.pyramid import Level, SlideDetails, SpooledPyramid

if TYPE_CHECKING:
    from glisson_phantom.writing.dicom_header import SeriesHeader

# Names of the files; a folder without other files may be replaced.
LEVEL_FILES = "*-level-[0-9].dcm"


def write_dicom(folder: Path, pyramid: SpooledPyramid, details: SlideDetails) -> None:
    """Write the levels into an existing folder, as a series that OpenSlide calls `dicom`.

    Raises:
        MissingExtra: pydicom is not installed.
    """
    header_type = _import_header()
    header: SeriesHeader | None = None
    for level in pyramid.levels:
        with pyramid.tiles(level) as tiles:
            frames = spool_frames(jpeg_frames(tiles, details.quality), pyramid.spool / "frames")
        # The series is known by its finest pixels, so its UIDs wait for them.
        header = header or header_type(details, pyramid.size_l0, frames.digest)
        with (folder / _file_name(details.identity, level)).open("wb") as file:
            header.write(file, level, frames)
            write_pixel_data(file, frames)


def _import_header() -> type[SeriesHeader]:
    try:
        from glisson_phantom.writing.dicom_header import SeriesHeader
    except ImportError as error:
        raise MissingExtra(
            f"Writing DICOM slides needs {error.name}: pip install 'glisson[phantom]'"
        ) from error
    return SeriesHeader


def _file_name(identity: str, level: Level) -> str:
    safe = re.sub(r"[^\w.-]+", "_", identity)
    return f"{safe}-level-{level.number}.dcm"
