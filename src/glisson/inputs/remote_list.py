"""Slides in a folder on a store, or that match a pattern there."""

from __future__ import annotations

from pathlib import Path

from glisson.errors import NotStored, SettingsError
from glisson.slides import HEADER_BYTES, SLIDE_SUFFIXES, find_series_starts
from glisson.storage import (
    Stored,
    Url,
    files_and_folders_in,
    is_pattern,
    is_stored_dicom_folder,
    look_at,
    matching,
    read,
)

_OWN_MAPS = (".truth.ome.tif", "classes.ome.tif")


def is_called_slide(path: Path | Url) -> bool:
    """Whether a file is a whole slide by its name, and none of our own maps."""
    hidden = path.name.startswith(".")
    return (
        not hidden and path.suffix.lower() in SLIDE_SUFFIXES and not path.name.endswith(_OWN_MAPS)
    )


def slides_on_store(given: Url) -> list[Url]:
    """The slide at an address, those in its folder, or those that a pattern matches, in order.

    Raises:
        SettingsError: there is none.
        StorageError: the store does not answer, or refuses.
    """
    try:
        there = look_at(given)
    except NotStored:
        return [each.url for each in matching(given)] if is_pattern(given) else [given]
    if not there.is_folder or _is_dicom_slide(given):
        return [given]
    found = _slides_in(given)
    if not found:
        pattern = f"{str(given).rstrip('/')}/**/*.svs"
        raise SettingsError(
            f"{given} holds no slide. Give slide files, or a pattern such as '{pattern}'."
        )
    return found


def _slides_in(folder: Url) -> list[Url]:
    inside = files_and_folders_in(folder)
    dicom = [each for each in inside if _is_called_dicom(each)]
    firsts = find_series_starts((each, _header(each)) for each in dicom)
    slides = [each for each in inside if _is_slide(each)]
    return sorted((each.url for each in [*slides, *firsts]), key=lambda url: url.address)


def _is_called_dicom(stored: Stored) -> bool:
    url = stored.url
    return not stored.is_folder and url.suffix.lower() == ".dcm" and not url.name.startswith(".")


def _header(stored: Stored) -> bytes:
    return read(stored.url, 0, min(HEADER_BYTES, stored.bytes))


def _is_slide(stored: Stored) -> bool:
    if stored.is_folder:
        return not stored.url.name.startswith(".") and _is_dicom_slide(stored.url)
    return is_called_slide(stored.url)


def _is_dicom_slide(folder: Url) -> bool:
    """As of a folder here: a DICOM file among other slides does not make it one."""
    if not is_stored_dicom_folder(folder):
        return False
    inside = files_and_folders_in(folder)
    return not any(is_called_slide(each.url) for each in inside if not each.is_folder)
