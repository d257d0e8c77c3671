"""Slides in a folder on a store, or that match a pattern there."""

from __future__ import annotations

from pathlib import Path

from glisson.errors import NotStored, SettingsError
from glisson.slides import SLIDE_SUFFIXES
from glisson.storage import (
    Stored,
    Url,
    files_and_folders_in,
    is_pattern,
    is_stored_dicom_folder,
    look_at,
    matching,
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
    if not there.is_folder or is_stored_dicom_folder(given):
        return [given]
    found = [each.url for each in files_and_folders_in(given) if _is_slide(each)]
    if not found:
        pattern = f"{str(given).rstrip('/')}/**/*.svs"
        raise SettingsError(
            f"{given} holds no slide. Give slide files, or a pattern such as '{pattern}'."
        )
    return found


def _is_slide(stored: Stored) -> bool:
    if stored.is_folder:
        return not stored.url.name.startswith(".") and is_stored_dicom_folder(stored.url)
    return is_called_slide(stored.url)
