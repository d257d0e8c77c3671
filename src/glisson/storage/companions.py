"""The files of a slide on a store: a single file, or several that must lie side by side."""

from __future__ import annotations

import configparser
from dataclasses import dataclass

from glisson.errors import NotStored, StorageError
from glisson.storage.store import Stored, find_files, list_folder, read, stat_url
from glisson.storage.url import Url

MOST_INDEX_BYTES = 1 << 20


@dataclass(frozen=True)
class SlideFile:
    """A file of a slide on the store, and its path relative to the slide's folder."""

    stored: Stored
    path: str


@dataclass(frozen=True)
class SlideFiles:
    """All files of a slide.

    Attributes:
        url: address of the file or folder to open.
        files: all files; the file to open, if any, is the first.
    """

    url: Url
    files: tuple[SlideFile, ...]

    @property
    def name(self) -> str:
        """Name of the file or folder to open."""
        return self.url.name

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file.stored.bytes for file in self.files)

    @property
    def is_single_file(self) -> bool:
        """True if the slide is a single file."""
        return len(self.files) == 1 and self.files[0].path == self.name


def find_slide_files(url: Url) -> SlideFiles:
    """Find the files of a slide: MIRAX, Hamamatsu VMS and DICOM slides have several.

    Raises:
        NotStored: the address does not exist, or is a folder without DICOM files.
        StorageError: the store does not answer, or refuses.
    """
    main = stat_url(url)
    if main.is_folder:
        dicom = tuple(SlideFile(each, f"{url.name}/{each.url.name}") for each in _find_dicom(url))
        if not dicom:
            raise NotStored(f"{url} is a folder without a DICOM slide; name a slide file.")
        return SlideFiles(url, dicom)
    beside: list[SlideFile] = []
    match url.suffix.lower():
        case ".mrxs":
            start = url.parent.address.rstrip("/") + "/"
            found = find_files(url.parent / url.stem)
            beside = [SlideFile(each, each.url.address.removeprefix(start)) for each in found]
        case ".vms" | ".vmu":
            beside = [SlideFile(each, each.url.name) for each in _find_indexed(url, main)]
        case ".dcm":
            beside = [SlideFile(each, each.url.name) for each in _find_dicom(url.parent)]
    others = tuple(file for file in beside if file.path != url.name)
    return SlideFiles(url, (SlideFile(main, url.name), *others))


def is_stored_dicom_folder(url: Url) -> bool:
    """Return whether a folder on a store directly holds files with the ending `.dcm`."""
    return bool(_find_dicom(url))


def _find_dicom(folder: Url) -> list[Stored]:
    found = list_folder(folder)
    return [each for each in found if not each.is_folder and each.url.suffix.lower() == ".dcm"]


def _find_indexed(url: Url, index: Stored) -> list[Stored]:
    """Return the files beside a VMS index whose names are values of its keys."""
    if index.bytes > MOST_INDEX_BYTES:
        raise StorageError(
            f"{url} is too large for the index of a Hamamatsu slide. Copy it again from its source."
        )
    named = parse_index(read(url, 0, index.bytes))
    return [each for each in list_folder(url.parent) if each.url.name in named]


def parse_index(content: bytes) -> set[str]:
    """Return all values of a VMS index: names of files among them; none if it is no index."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(content.decode("utf-8", errors="replace"))
    except configparser.Error:
        return set()
    return {value for section in parser.sections() for value in parser[section].values()}
