"""Images of a QuPath project: an image's entry in the project file, and the file of an entry."""

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


def make_entry(info: SlideInfo, entry_id: int) -> Entry:
    """Make an image's entry as QuPath needs it; QuPath itself makes its folder `data/<id>`."""
    builder: dict[str, Any] = {"builderType": "uri", "uri": make_slide_uri(info), "args": []}
    if info.format.startswith("openslide:"):
        # Pinned, so that QuPath crops to the bounds as the outlines expect.
        builder["providerClassName"] = _OPENSLIDE_BUILDER
    elif info.series is not None and info.format == "tifffile:ome":
        builder["args"] = ["--series", str(info.series)]  # Bio-Formats counts from 0 too
    return {
        "serverBuilder": builder,
        "entryID": entry_id,
        "randomizedName": f"image-{entry_id}",
        "imageName": name_image(info),
        "metadata": {},
    }


def make_slide_uri(info: SlideInfo) -> str:
    """Return the slide's URI with links unresolved, as a link's target may have no ending."""
    return Path(os.path.abspath(info.path or info.name)).as_uri()


def name_image(info: SlideInfo) -> str:
    """Return the file's name, or a DICOM folder's, whose files all have the same name."""
    if info.path is None or info.name != info.path.stem:
        return info.name
    return info.path.name


def read_entry_id(entry: Entry) -> int:
    """Return QuPath's id of an entry, which names its data folder; 0 without a valid id."""
    try:
        return int(entry["entryID"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0


def find_uris(part: Any) -> Iterator[str]:
    """Yield every URI of an entry's server; a rotated or cropped image wraps another builder."""
    if isinstance(part, dict):
        if isinstance(part.get("uri"), str):
            yield part["uri"]
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from find_uris(item)


def replace_uri(part: Any, old: str, new: str) -> Any:
    """Replace a URI in an entry's server, as QuPath's *Update URIs* does."""
    if isinstance(part, list):
        return [replace_uri(item, old, new) for item in part]
    if not isinstance(part, dict):
        return part
    changed = {key: replace_uri(value, old, new) for key, value in part.items()}
    return changed | {"uri": new} if part.get("uri") == old else changed


def decode_file_uri(uri: str) -> str:
    """Return the unescaped path in a file's URI; the URI itself if it names no file.

    Java and Python write one file in several ways: `file:/C:/a b` and `file:///C:/a%20b`, a share
    as `file://server/a` and `file:////server/a`.
    """
    if not uri.startswith("file:"):
        return uri
    path = unquote(uri.removeprefix("file:"))
    if path.startswith("///"):
        path = path[2:]
    return path.lstrip("/") if re.fullmatch(r"/+[A-Za-z]:.*", path, re.DOTALL) else path


def find_place(uri: str) -> str:
    """Return a key that is the same for every spelling of a file's URI, and through links."""
    path = decode_file_uri(uri)
    real = path if path == uri or _is_foreign(path) else os.path.realpath(path)
    return os.path.normcase(unicodedata.normalize("NFC", real))


def read_file_name(uri: str) -> str:
    """Return the name of a URI's file, with composed accents."""
    return unicodedata.normalize("NFC", decode_file_uri(uri).rstrip("/").rsplit("/", 1)[-1])


def is_gone(uri: str) -> bool:
    """Return True if the URI names a file of this computer that no longer exists.

    Paths of another system are never gone: two systems may share the project.
    """
    path = decode_file_uri(uri)
    return path != uri and not _is_foreign(path) and not os.path.exists(path)


def _is_foreign(path: str) -> bool:
    is_windows_path = bool(_DRIVE.match(path)) or path.startswith("//")
    return is_windows_path != (os.name == "nt")
