"""A QuPath project made without QuPath: open it, run its import script, correct.

QuPath keeps annotations in a Java format that only QuPath can write, so the project holds
the images, the classes and two scripts, and the outlines stay in GeoJSON.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from glisson.classes import LOBULE, PORTAL, TISSUE_COLOUR, TISSUE_QUPATH_NAME, Rgb
from glisson.errors import OutputError
from glisson.files import atomic_path
from glisson.slides import SlideInfo

_SCRIPTS = ("import_glisson.groovy", "export_glisson.groovy")
_PROJECT_VERSION = "0.5.1"
_OPENSLIDE_BUILDER = "qupath.lib.images.servers.openslide.OpenslideServerBuilder"


def write_qupath_project(folder: Path, slides: Sequence[tuple[SlideInfo, Path]]) -> None:
    """Make or extend a QuPath project.

    Images already in the project stay as they are, with all that a pathologist did to them;
    new ones are added. Classes are written once and never again.

    Args:
        folder: the project's folder.
        slides: each slide's facts and its `tracts.geojson`.

    Raises:
        OutputError: the folder cannot be written to, or holds a project that cannot be read.
    """
    try:
        for part in (folder, folder / "classifiers", folder / "scripts"):
            part.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}.") from error
    slides = [(info, outlines) for info, outlines in slides if info.path is not None]
    _write_json(folder / "project.qpproj", _project(folder / "project.qpproj", slides))
    _write_json(folder / "glisson.json", _index(folder, slides))
    if not (folder / "classifiers" / "classes.json").exists():
        _write_json(folder / "classifiers" / "classes.json", _classes())
    for name in _SCRIPTS:
        with atomic_path(folder / "scripts" / name) as unfinished:
            unfinished.write_text(_script(name), encoding="utf-8")


def _project(path: Path, slides: Sequence[tuple[SlideInfo, Path]]) -> dict[str, Any]:
    now_ms = int(time.time() * 1000)
    project = _existing(path) or {
        "version": _PROJECT_VERSION,
        "createTimestamp": now_ms,
        "modifyTimestamp": now_ms,
        "uri": path.resolve().as_uri(),
        "lastID": 0,
        "images": [],
    }
    known = {_uri_of(image) for image in project["images"]}
    for info, _ in slides:
        uri = _uri(info)
        if uri not in known:
            project["lastID"] = 1 + max(
                [project.get("lastID", 0), *(image["entryID"] for image in project["images"])]
            )
            project["images"].append(_image(info, uri, project["lastID"]))
            project["modifyTimestamp"] = now_ms
            known.add(uri)
    return project


def _existing(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        project = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(project["images"], list):
            return dict(project)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise OutputError(
        f"{path} is there but cannot be read as a QuPath project. Move it away, then run again."
    )


def _uri(info: SlideInfo) -> str:
    return (info.path or Path(info.name)).resolve().as_uri()


def _uri_of(image: dict[str, Any]) -> str:
    return str(image.get("serverBuilder", {}).get("uri", ""))


def _image(info: SlideInfo, uri: str, entry_id: int) -> dict[str, Any]:
    builder: dict[str, Any] = {"builderType": "uri", "uri": uri, "args": []}
    if info.format.startswith("openslide:"):
        # Pinned, so that QuPath crops to the bounds as the outlines expect.
        builder["providerClassName"] = _OPENSLIDE_BUILDER
    return {
        "serverBuilder": builder,
        "entryID": entry_id,
        "randomizedName": f"image-{entry_id}",
        "imageName": _image_name(info),
        "metadata": {},
    }


def _image_name(info: SlideInfo) -> str:
    return info.path.name if info.path is not None else info.name


def _index(folder: Path, slides: Sequence[tuple[SlideInfo, Path]]) -> dict[str, Any]:
    """Where each image's outlines are, relative to the project."""
    path = folder / "glisson.json"
    known: dict[str, str] = {}
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8")).get("images", {})
    for info, outlines in slides:
        known[_image_name(info)] = Path(os.path.relpath(outlines, folder)).as_posix()
    return {"images": dict(sorted(known.items()))}


def _classes() -> dict[str, Any]:
    named: list[tuple[str, Rgb]] = [
        (PORTAL.qupath_name, PORTAL.colour),
        (TISSUE_QUPATH_NAME, TISSUE_COLOUR),
        (LOBULE.qupath_name, LOBULE.colour),
        ("Ignore*", (180, 180, 180)),
    ]
    return {"pathClasses": [{"name": name, "color": _packed(rgb)} for name, rgb in named]}


def _packed(rgb: Rgb) -> int:
    """Opaque ARGB as Java's signed int."""
    red, green, blue = rgb
    return ((255 << 24) | (red << 16) | (green << 8) | blue) - (1 << 32)


def _script(name: str) -> str:
    return resources.files("glisson.exchange").joinpath("scripts", name).read_text("utf-8")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")
