"""Slides and results on object stores and web servers, by fsspec.

`range_file` imports fsspec, so import `RangeFile` only for an address.
"""

from __future__ import annotations

from glisson.storage.companions import SlideFile, SlideFiles, is_stored_dicom_folder, slide_files
from glisson.storage.store import (
    Stored,
    all_files_in,
    files_and_folders_in,
    is_pattern,
    look_at,
    matching,
    read,
    remove,
    write,
)
from glisson.storage.transfer import (
    bring,
    cache_folder,
    download_slide,
    put,
    small_files,
    temporary_folder,
)
from glisson.storage.url import Place, Url, absolute, full_path, place

__all__ = [
    "Place",
    "SlideFile",
    "SlideFiles",
    "Stored",
    "Url",
    "absolute",
    "all_files_in",
    "bring",
    "cache_folder",
    "download_slide",
    "files_and_folders_in",
    "full_path",
    "is_pattern",
    "is_stored_dicom_folder",
    "look_at",
    "matching",
    "place",
    "put",
    "read",
    "remove",
    "slide_files",
    "small_files",
    "temporary_folder",
    "write",
]
