"""The images of a QuPath project: how each is entered, and which entry is which file."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from glisson.slides import SlideInfo

Entry = dict[str, Any]

_OPENSLIDE_BUILDER = "qupath.lib.images.servers.openslide.OpenslideServerBuilder"
_DRIVE = re.compile(r"/?[A-Za-z]:")


def new_entry(info: SlideInfo, entry_id: int) -> Entry:
    """An image as QuPath needs it; its data folder, `data/<id>`, QuPath makes itself."""
    builder: dict[str, Any] = {"builderType": "uri", "uri": slide_uri(info), "args": []}
    if info.format.startswith("openslide:"):
        # Pinned, so that QuPath crops to the bounds as the outlines expect.
        builder["providerClassName"] = _OPENSLIDE_BUILDER
    return {
        "serverBuilder": builder,
        "entryID": entry_id,
        "randomizedName": f"image-{entry_id}",
        "imageName": image_name(info),
        "metadata": {},
    }


def slide_uri(info: SlideInfo) -> str:
    """URI of the slide as it was named: a link stays a link, as its target may have no ending."""
    return Path(os.path.abspath(info.path or info.name)).as_uri()


def image_name(info: SlideInfo) -> str:
    """The file's name; of a DICOM folder, whose files are all called alike, the folder's."""
    if info.path is None or info.name != info.path.stem:
        return info.name
    return info.path.name


def entry_number(entry: Entry) -> int:
    """QuPath's id of an entry, its data folder's name; 0 where it has none."""
    try:
        return int(entry["entryID"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0


def uris_in(part: Any) -> Iterator[str]:
    """Every URI of an entry's server; a rotated or cropped image wraps the builder of another."""
    if isinstance(part, dict):
        if isinstance(part.get("uri"), str):
            yield part["uri"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from uris_in(each)


def with_uri(part: Any, old: str, new: str) -> Any:
    """An entry's server with one URI for another, as QuPath's own *Update URIs* does."""
    if isinstance(part, list):
        return [with_uri(each, old, new) for each in part]
    if not isinstance(part, dict):
        return part
    changed = {key: with_uri(value, old, new) for key, value in part.items()}
    return changed | {"uri": new} if part.get("uri") == old else changed


def file_of(uri: str) -> str:
    """Path in a file's URI, unescaped; the URI itself where it names no file.

    Java and Python write one file in several ways: `file:/C:/a b` and `file:///C:/a%20b`, a share
    as `file://server/a` and `file:////server/a`.
    """
    if not uri.startswith("file:"):
        return uri
    path = unquote(uri.removeprefix("file:"))
    if path.startswith("///"):
        path = path[2:]
    return path.lstrip("/") if re.fullmatch(r"/+[A-Za-z]:.*", path, re.DOTALL) else path


def place_of(uri: str) -> str:
    """The same for every spelling of a file's URI, by links too."""
    path = file_of(uri)
    real = path if path == uri or _is_foreign(path) else os.path.realpath(path)
    return os.path.normcase(unicodedata.normalize("NFC", real))


def file_name(uri: str) -> str:
    """Name of the file that a URI names, however its accents are composed."""
    return unicodedata.normalize("NFC", file_of(uri).rstrip("/").rsplit("/", 1)[-1])


def is_gone(uri: str) -> bool:
    """Whether a file of this computer is no longer where it was.

    Another system's paths say nothing here: the project may be shared between the two.
    """
    path = file_of(uri)
    return path != uri and not _is_foreign(path) and not os.path.exists(path)


def _is_foreign(path: str) -> bool:
    of_windows = bool(_DRIVE.match(path)) or path.startswith("//")
    return of_windows != (os.name == "nt")
