"""The files that a slide on a store is made of: one, or several that must lie beside each other."""

from __future__ import annotations

import configparser
from dataclasses import dataclass

from glisson.errors import NotStored, StorageError
from glisson.storage.store import Stored, all_files_in, files_and_folders_in, look_at, read
from glisson.storage.url import Url

_MOST_INDEX_BYTES = 1 << 20


@dataclass(frozen=True)
class SlideFile:
    """A file of a slide: what is stored, and where it goes, relative to the slide's folder."""

    stored: Stored
    path: str


@dataclass(frozen=True)
class SlideFiles:
    """All files of a slide.

    Attributes:
        url: of the file or folder that is opened.
        files: with that file first, where it is one.
    """

    url: Url
    files: tuple[SlideFile, ...]

    @property
    def name(self) -> str:
        """Of the file or folder that is opened."""
        return self.url.name

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(file.stored.bytes for file in self.files)

    @property
    def is_one(self) -> bool:
        """Whether the slide is a single file."""
        return len(self.files) == 1 and self.files[0].path == self.name


def slide_files(url: Url) -> SlideFiles:
    """The files of the slide at an address: MIRAX, Hamamatsu VMS and DICOM slides have several.

    Raises:
        NotStored: nothing lies there.
        StorageError: the store does not answer, or refuses.
    """
    main = look_at(url)
    if main.is_folder:
        return SlideFiles(url, _dicom_folder(url))
    beside: list[SlideFile] = []
    match url.suffix.lower():
        case ".mrxs":
            folder = url.parent / url.stem
            beside = [SlideFile(each, _relative(each, url.parent)) for each in all_files_in(folder)]
        case ".vms" | ".vmu":
            beside = [SlideFile(each, each.url.name) for each in _named_in(url, main)]
        case ".dcm":
            beside = [SlideFile(each, each.url.name) for each in _dicom_in(url.parent)]
    others = tuple(file for file in beside if file.path != url.name)
    return SlideFiles(url, (SlideFile(main, url.name), *others))


def is_stored_dicom_folder(url: Url) -> bool:
    """Whether a folder on a store holds DICOM files itself, by their names."""
    return bool(_dicom_in(url))


def _dicom_folder(url: Url) -> tuple[SlideFile, ...]:
    found = _dicom_in(url)
    if not found:
        raise NotStored(f"{url} is a folder without a DICOM slide; name a slide file.")
    return tuple(SlideFile(each, f"{url.name}/{each.url.name}") for each in found)


def _dicom_in(folder: Url) -> list[Stored]:
    found = files_and_folders_in(folder)
    return [each for each in found if not each.is_folder and each.url.suffix.lower() == ".dcm"]


def _named_in(url: Url, index: Stored) -> list[Stored]:
    """Files beside a VMS index that it names; the file's own names are values of its keys."""
    if index.bytes > _MOST_INDEX_BYTES:
        raise StorageError(f"{url} is too large for an index of a Hamamatsu slide.")
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(read(url, 0, index.bytes).decode("utf-8", errors="replace"))
    except configparser.Error:
        return []
    named = {value for section in parser.sections() for value in parser[section].values()}
    return [each for each in files_and_folders_in(url.parent) if each.url.name in named]


def _relative(stored: Stored, folder: Url) -> str:
    return stored.url.address.removeprefix(folder.address.rstrip("/") + "/")
