"""What QuPath 0.5 to 0.7 needs of a project that it did not write itself (docs/qupath.md).

A project that QuPath has saved since keeps the same rules.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_UNSUPPORTED = ("v0.2.0-m1", "v0.2.0-m2")
_JAVA_INT = range(-(1 << 31), 1 << 31)
_OPAQUE = range(-(1 << 24), 0)
"""Packed ARGB with alpha 255, as Java's signed int."""
_SERVER_METADATA = {"name", "width", "height", "levels", "channels"}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\"<>\\^`{|}]+")
"""What java.net.URI takes: a scheme, and no spaces or other characters that want escaping."""
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def find_project_errors(folder: Path) -> list[str]:
    """List sentences on everything that QuPath would misread; empty for a valid project."""
    project = _read_object(folder / "project.qpproj")
    if project is None:
        return ["project.qpproj is no JSON object in UTF-8"]
    return [
        *_check_head(project),
        *_check_images(project.get("images")),
        *_check_ids(project),
        *_check_classes(folder / "classifiers" / "classes.json"),
        *_check_scripts(folder / "scripts"),
    ]


def find_image_errors(image: Any) -> Iterator[str]:
    """Yield such sentences on one image of the project."""
    if not isinstance(image, dict):
        yield "it is no object"
        return
    for key in ("randomizedName", "imageName"):
        if not isinstance(image.get(key), str) or not image[key]:
            yield f"its {key} is no text"
    metadata = image.get("metadata")
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        yield "its metadata is no map of texts"
    if not _is_count(image.get("entryID")):
        yield f"its entryID is {image.get('entryID')!r}"
    yield from _check_builder(image.get("serverBuilder"))


def _check_head(project: dict[str, Any]) -> Iterator[str]:
    for key in ("createTimestamp", "modifyTimestamp"):
        if not _is_count(project.get(key)):
            yield f"{key} is no time in ms"
    version = project.get("version")
    if version is None and "lastID" not in project:
        yield "it has neither version nor lastID"
    if version in _UNSUPPORTED:
        yield f"QuPath no longer reads projects of version {version}"
    if "uri" in project:
        yield from (f"the project's {text}" for text in _check_uri(project["uri"]))


def _check_images(images: Any) -> Iterator[str]:
    if not isinstance(images, list):
        yield "images is no list"
        return
    for number, image in enumerate(images):
        yield from (f"image {number}: {text}" for text in find_image_errors(image))


def _check_ids(project: dict[str, Any]) -> Iterator[str]:
    images = [image for image in project.get("images") or () if isinstance(image, dict)]
    identifiers = [image["entryID"] for image in images if _is_count(image.get("entryID"))]
    for identifier, count in Counter(identifiers).items():
        if count > 1:
            yield f"entryID {identifier} is given twice: both images would share their data"
    last = project.get("lastID", max(identifiers, default=0))
    if not isinstance(last, int) or isinstance(last, bool):
        yield "lastID is no whole number"
    elif any(each > last for each in identifiers):
        yield "lastID is behind an image's entryID"


def _check_builder(builder: Any) -> Iterator[str]:
    if not isinstance(builder, dict) or not isinstance(builder.get("builderType"), str):
        yield "its serverBuilder has no builderType"
        return
    missing = _SERVER_METADATA - set(builder.get("metadata", _SERVER_METADATA) or ())
    if missing:
        yield "its server's metadata is there but not complete"
    if builder["builderType"] != "uri":
        if isinstance(builder.get("builder"), dict):  # a rotated or cropped image wraps its server
            yield from _check_builder(builder["builder"])
        return
    yield from (f"its {text}" for text in _check_uri(builder.get("uri")))
    args = builder.get("args")
    if not isinstance(args, list) or not all(isinstance(each, str) for each in args):
        yield "its server's args are no list of texts"
    if not isinstance(builder.get("providerClassName", ""), str):
        yield "its providerClassName is no text"


def _check_uri(uri: Any) -> Iterator[str]:
    if not isinstance(uri, str) or not _URI.fullmatch(uri) or _STRAY_PERCENT.search(uri):
        yield f"URI {uri!r} is invalid in Java"


def _check_classes(path: Path) -> Iterator[str]:
    if not path.exists():  # optional: without the file, QuPath shows its own classes
        return
    classes = (_read_object(path) or {}).get("pathClasses")
    if not isinstance(classes, list) or not all(isinstance(each, dict) for each in classes):
        yield "classes.json holds no list pathClasses"
        return
    for each in classes:
        yield from _check_class(each)
    for name, count in Counter(str(each.get("name")) for each in classes).items():
        if count > 1:
            yield f"class {name!r} is there twice: QuPath knows one of each name"


def _check_class(each: dict[str, Any]) -> Iterator[str]:
    name, colour = each.get("name"), each.get("color")
    if not isinstance(name, str) or not name:
        yield f"a class is called {name!r}"
    if colour is None:
        return
    if isinstance(colour, bool) or not isinstance(colour, int) or colour not in _JAVA_INT:
        yield f"class {name!r} has the colour {colour!r}, which is no packed int"
    elif colour not in _OPAQUE:
        yield f"class {name!r} has a colour that is seen through"


def _check_scripts(folder: Path) -> Iterator[str]:
    scripts = sorted(folder.glob("*.groovy"))
    if not scripts:
        yield "it has no scripts"
    for path in scripts:
        try:
            path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            yield f"{path.name} is not UTF-8"


def _read_object(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
