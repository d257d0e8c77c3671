"""A DICOM slide is a folder of files, one or more a level, that share a series."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import openslide

from glisson.errors import UnsupportedSlide
from glisson.slides.openslide_slide import open_handle

_SERIES = "dicom.SeriesInstanceUID"
# The series stands near the start of a file, before anything large.
HEADER_BYTES = 1 << 16
_SERIES_UID = re.compile(rb"\x20\x00\x0e\x00UI..([0-9.]{1,64})", re.DOTALL)
_WHOLE_SLIDE = b"1.2.840.10008.5.1.4.1.1.77.1.6"
"""The UID of DICOM's class of whole slide images."""
_IMAGE_TYPE = re.compile(rb"\x08\x00\x08\x00CS(..)(.{0,64})", re.DOTALL)
"""The element (0008,0008) in the coding that whole slides have, explicit and little endian."""

File = TypeVar("File")


def is_dicom_folder(folder: Path) -> bool:
    """Whether a folder holds DICOM files itself, by their names."""
    return folder.is_dir() and any(path.suffix.lower() == ".dcm" for path in folder.iterdir())


def dicom_slides_in(folder: Path) -> list[Path]:
    """A file of each DICOM slide in a folder, in order; those that cannot be read are left out."""
    paths = [path for path in sorted(folder.iterdir()) if _is_called_dicom(path)]
    return first_of_each_series((path, _header(path)) for path in paths)


def first_of_each_series(files: Iterable[tuple[File, bytes]]) -> list[File]:
    """The first file of each DICOM slide, of files with their first `HEADER_BYTES`."""
    found: dict[bytes, File] = {}
    for file, header in files:
        series = _SERIES_UID.search(header)
        if series and _WHOLE_SLIDE in header and not _is_other_picture(header):
            found.setdefault(series[1], file)
    return list(found.values())


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
    if path.suffix.lower() != ".dcm" or not path.is_file() or _is_other_picture(_first_of(path)):
        return False
    return openslide.OpenSlide.detect_format(path) == "dicom"


def _is_called_dicom(path: Path) -> bool:
    return path.suffix.lower() == ".dcm" and not path.name.startswith(".") and path.is_file()


def _header(path: Path) -> bytes:
    try:
        return _first_of(path)
    except OSError:
        return b""


def _first_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)


def _is_other_picture(header: bytes) -> bool:
    """Whether the header calls it a label or an overview of the glass: neither is looked at."""
    found = _IMAGE_TYPE.search(header)
    length = int.from_bytes(found[1], "little") if found else 0
    kinds = found[2][:length].strip(b" \0").split(b"\\") if found else []
    return any(kind in (b"LABEL", b"OVERVIEW") for kind in kinds)


def _series_of(path: Path) -> bytes:
    with open_handle(path) as handle:
        return str(handle.properties[_SERIES]).encode()


def _names(path: Path, series: bytes) -> bool:
    """Whether a file's header holds the series' UID; opening it would read all its siblings."""
    return series in _first_of(path)
