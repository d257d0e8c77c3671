"""A DICOM slide is a folder of files, one or more a level, that share a series."""

from __future__ import annotations

import re
from pathlib import Path

import openslide

from glisson.errors import UnsupportedSlide
from glisson.slides.openslide_slide import open_handle

_SERIES = "dicom.SeriesInstanceUID"
# The series stands near the start of a file, before anything large.
_HEADER_BYTES = 1 << 16
_IMAGE_TYPE = re.compile(rb"\x08\x00\x08\x00CS(..)(.{0,64})", re.DOTALL)
"""The element (0008,0008) in the coding that whole slides have, explicit and little endian."""


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
    if path.suffix.lower() != ".dcm" or not path.is_file() or _is_other_picture(path):
        return False
    return openslide.OpenSlide.detect_format(path) == "dicom"


def _is_other_picture(path: Path) -> bool:
    """Whether the header calls it a label or an overview of the glass: neither is looked at."""
    with path.open("rb") as file:
        found = _IMAGE_TYPE.search(file.read(_HEADER_BYTES))
    length = int.from_bytes(found[1], "little") if found else 0
    kinds = found[2][:length].strip(b" \0").split(b"\\") if found else []
    return any(kind in (b"LABEL", b"OVERVIEW") for kind in kinds)


def _series_of(path: Path) -> bytes:
    with open_handle(path) as handle:
        return str(handle.properties[_SERIES]).encode()


def _names(path: Path, series: bytes) -> bool:
    """Whether a file's header holds the series' UID; opening it would read all its siblings."""
    with path.open("rb") as file:
        return series in file.read(_HEADER_BYTES)
