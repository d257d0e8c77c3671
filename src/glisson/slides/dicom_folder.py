"""A DICOM slide is a folder of files, one or more a level, that share a series."""

from __future__ import annotations

from pathlib import Path

import openslide

from glisson.errors import UnsupportedSlide
from glisson.slides.openslide_slide import open_handle

_SERIES = "dicom.SeriesInstanceUID"
# The series stands near the start of a file, before anything large.
_HEADER_BYTES = 1 << 16


def is_dicom_folder(folder: Path) -> bool:
    """Whether a folder holds DICOM files itself, by their names."""
    return folder.is_dir() and any(path.suffix.lower() == ".dcm" for path in folder.iterdir())


def dicom_file_in(folder: Path) -> Path:
    """A file of the one DICOM slide in a folder; OpenSlide finds the others itself.

    Raises:
        UnsupportedSlide: no slide, or several.
        DamagedSlide: the files cannot be read.
    """
    slides = (path for path in sorted(folder.iterdir()) if _is_slide(path))
    first = next(slides, None)
    if first is None:
        raise UnsupportedSlide(f"{folder} is a folder without a DICOM slide; name a slide file.")
    series = _series_of(first)
    if not all(_names(path, series) for path in slides):
        raise UnsupportedSlide(f"{folder} is a folder of several DICOM slides; name a file of one.")
    return first


def _is_slide(path: Path) -> bool:
    if path.suffix.lower() != ".dcm" or not path.is_file():
        return False
    return openslide.OpenSlide.detect_format(path) == "dicom"


def _series_of(path: Path) -> bytes:
    with open_handle(path) as handle:
        return str(handle.properties[_SERIES]).encode()


def _names(path: Path, series: bytes) -> bool:
    """Whether a file's header holds the series' UID; opening it would read all its siblings."""
    with path.open("rb") as file:
        return series in file.read(_HEADER_BYTES)
