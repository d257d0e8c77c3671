"""The list of slides in a folder on an object store, or of those that match a pattern there."""

from __future__ import annotations

from pathlib import Path

from glisson.errors import NotStored, SettingsError
from glisson.slides import HEADER_BYTES, LISTED_SUFFIXES, find_series_starts
from glisson.storage import (
    Stored,
    Url,
    glob_files,
    is_pattern,
    is_stored_dicom_folder,
    list_folder,
    read,
    stat_url,
)

_TRUTH, _CLASS_MAP = ".truth.ome.tif", "classes.ome.tif"


def has_slide_name(path: Path | Url) -> bool:
    """Return whether a file is a slide by its name, and no class map of Glisson."""
    hidden = path.name.startswith(".")
    return not hidden and path.suffix.lower() in LISTED_SUFFIXES and not is_class_map(path)


def is_class_map(path: Path | Url) -> bool:
    """Return whether a file has the name of a class map of Glisson or of a phantom's truth."""
    return path.name == _CLASS_MAP or path.name.endswith(_TRUTH)


def list_slides_on_store(given: Url) -> list[Url]:
    """List the slide at an address, the slides in its folder, or those that match its pattern.

    Raises:
        SettingsError: the folder holds no slide.
        StorageError: the store does not answer, or refuses.
    """
    try:
        there = stat_url(given)
    except NotStored:
        if not is_pattern(given):
            return [given]
        return [each.url for each in glob_files(given) if not is_class_map(each.url)]
    if not there.is_folder or _is_dicom_slide(given):
        return [given]
    inside = list_folder(given)
    firsts = find_series_starts(
        (each, read(each.url, 0, min(HEADER_BYTES, each.bytes)))
        for each in inside
        if not each.is_folder
        and each.url.suffix.lower() == ".dcm"
        and not each.url.name.startswith(".")
    )
    found = [*filter(_is_slide, inside), *firsts]
    if not found:
        pattern = f"{str(given).rstrip('/')}/**/*.svs"
        raise SettingsError(
            f"{given} holds no slide. Give slide files, or a pattern such as '{pattern}'."
        )
    return sorted((each.url for each in found), key=lambda url: url.address)


def _is_slide(stored: Stored) -> bool:
    if stored.is_folder:
        return not stored.url.name.startswith(".") and _is_dicom_slide(stored.url)
    return has_slide_name(stored.url)


def _is_dicom_slide(folder: Url) -> bool:
    """Return whether a folder is one DICOM slide: it holds DICOM files and no other slides."""
    if not is_stored_dicom_folder(folder):
        return False
    inside = list_folder(folder)
    return not any(has_slide_name(each.url) for each in inside if not each.is_folder)
