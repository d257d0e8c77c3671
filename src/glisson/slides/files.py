"""The files that make up a slide on this machine."""

from __future__ import annotations

from pathlib import Path

from glisson.slides.dicom_folder import find_dicom_file, find_series, read_header
from glisson.storage.companions import MOST_INDEX_BYTES, parse_index

MIRAX_ENDINGS = {".dat", ".ini"}


def list_slide_files(path: Path) -> list[Path]:
    """List all files of a slide: the file to open first, the others in order.

    MIRAX, Hamamatsu VMS and DICOM slides have several files.

    Raises:
        SlideError: the folder holds no DICOM slide, or several.
        OSError: a file cannot be read.
    """
    main = find_dicom_file(path) if path.is_dir() else path
    match main.suffix.lower():
        case ".mrxs":
            beside = (main.parent / main.stem).rglob("*")
            others = [each for each in beside if each.suffix.lower() in MIRAX_ENDINGS]
        case ".vms" | ".vmu":
            others = _list_indexed(main)
        case ".dcm":
            others = _list_series(main)
        case _:
            others = []
    return [main, *sorted(each for each in others if each != main and each.is_file())]


def _list_series(main: Path) -> list[Path]:
    """List the DICOM files of the same series."""
    series = find_series(read_header(main))
    beside = [each for each in main.parent.iterdir() if each.suffix.lower() == ".dcm"]
    return [each for each in beside if each.is_file() and find_series(read_header(each)) == series]


def _list_indexed(index: Path) -> list[Path]:
    """List the files beside a VMS index whose names are values of its keys."""
    is_index = index.stat().st_size <= MOST_INDEX_BYTES
    named = parse_index(index.read_bytes()) if is_index else set()
    return [each for each in index.parent.iterdir() if each.name in named]
