"""Slides and results on object stores and web servers, by fsspec.

`range_file` imports fsspec, so import `RangeFile` only for an address.
"""

from __future__ import annotations

from glisson.storage.companions import (
    SlideFile,
    SlideFiles,
    find_slide_files,
    is_stored_dicom_folder,
)
from glisson.storage.store import (
    Stored,
    find_files,
    glob_files,
    is_pattern,
    list_folder,
    read,
    remove,
    stat_url,
    write,
)
from glisson.storage.transfer import (
    download_files,
    download_slide,
    get_cache_folder,
    read_files,
    temporary_folder,
    upload_files,
)
from glisson.storage.url import Place, Url, make_absolute, parse_place, resolve_place

__all__ = [
    "Place",
    "SlideFile",
    "SlideFiles",
    "Stored",
    "Url",
    "download_files",
    "download_slide",
    "find_files",
    "find_slide_files",
    "get_cache_folder",
    "glob_files",
    "is_pattern",
    "is_stored_dicom_folder",
    "list_folder",
    "make_absolute",
    "parse_place",
    "read",
    "read_files",
    "remove",
    "resolve_place",
    "stat_url",
    "temporary_folder",
    "upload_files",
    "write",
]
