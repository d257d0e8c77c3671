"""Slides and results on stores that fsspec reaches: addresses, reading, writing, a cache."""

from __future__ import annotations

from glisson.storage.cache import SlideCache, cache_folder, slide_cache
from glisson.storage.companions import SlideFile, SlideFiles, is_stored_dicom_folder, slide_files
from glisson.storage.folders import bring, put
from glisson.storage.range_file import RangeFile
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
from glisson.storage.url import Place, Url, absolute, full_path, place

__all__ = [
    "Place",
    "RangeFile",
    "SlideCache",
    "SlideFile",
    "SlideFiles",
    "Stored",
    "Url",
    "absolute",
    "all_files_in",
    "bring",
    "cache_folder",
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
    "slide_cache",
    "slide_files",
    "write",
]
