"""DICOM slides: folders whose files, one or more for a level, share a series."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import openslide

from glisson.errors import UnsupportedSlide
from glisson.slides.openslide_slide import open_handle

_SERIES = "dicom.SeriesInstanceUID"
HEADER_BYTES = 1 << 16
"""The series UID stands in these first bytes of a file, before any pixel data."""
_SERIES_UID = re.compile(rb"\x20\x00\x0e\x00UI..([0-9.]{1,64})", re.DOTALL)
_WHOLE_SLIDE = b"1.2.840.10008.5.1.4.1.1.77.1.6"
"""The UID of DICOM's class of whole slide images."""
_IMAGE_TYPE = re.compile(rb"\x08\x00\x08\x00CS(..)(.{0,64})", re.DOTALL)
"""Element (0008,0008) as whole slides encode it: explicit, little endian."""

File = TypeVar("File")


def is_dicom_folder(folder: Path) -> bool:
    """Return whether a folder directly holds files with the ending `.dcm`."""
    return folder.is_dir() and any(path.suffix.lower() == ".dcm" for path in folder.iterdir())


def find_dicom_slides(folder: Path) -> list[Path]:
    """Return the first file of every DICOM slide in a folder, in order; skip unreadable files."""
    headers: list[tuple[Path, bytes]] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() == ".dcm" and not path.name.startswith(".") and path.is_file():
            with suppress(OSError):
                headers.append((path, read_header(path)))
    return find_series_starts(headers)


def find_series_starts(files: Iterable[tuple[File, bytes]]) -> list[File]:
    """Return the first file of every DICOM slide, given files and their first `HEADER_BYTES`."""
    found: dict[bytes, File] = {}
    for file, header in files:
        series = _SERIES_UID.search(header)
        if series and _WHOLE_SLIDE in header and not _is_other_picture(header):
            found.setdefault(series[1], file)
    return list(found.values())


def find_dicom_file(folder: Path) -> Path:
    """Return a file of the only DICOM slide in a folder; OpenSlide finds the other files.

    Raises:
        UnsupportedSlide: the folder holds no slide, or several.
        DamagedSlide: the files cannot be read.
    """
    slides = (path for path in sorted(folder.iterdir()) if _is_slide(path))
    first = next(slides, None)
    if first is None:
        raise UnsupportedSlide(f"{folder} is a folder without a DICOM slide; name a slide file.")
    with open_handle(first) as handle:
        series = str(handle.properties[_SERIES]).encode()
    # Opening a file would read all its siblings, so compare headers.
    if not all(series in read_header(path) for path in slides):
        raise UnsupportedSlide(f"{folder} is a folder of several DICOM slides; name a file of one.")
    return first


def _is_slide(path: Path) -> bool:
    if path.suffix.lower() != ".dcm" or not path.is_file() or _is_other_picture(read_header(path)):
        return False
    return openslide.OpenSlide.detect_format(path) == "dicom"


def find_series(header: bytes) -> bytes | None:
    """Return the series UID in a file's header, or None."""
    found = _SERIES_UID.search(header)
    return found[1] if found else None


def read_header(path: Path) -> bytes:
    """Return the first `HEADER_BYTES` of a file."""
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)


def _is_other_picture(header: bytes) -> bool:
    """Return whether the header says label or overview: Glisson reads neither."""
    found = _IMAGE_TYPE.search(header)
    length = int.from_bytes(found[1], "little") if found else 0
    kinds = found[2][:length].strip(b" \0").split(b"\\") if found else []
    return any(kind in (b"LABEL", b"OVERVIEW") for kind in kinds)
