"""A QuPath project made without QuPath: open it, run its import script, correct.

QuPath keeps annotations in a Java format that only QuPath can write, so the project holds
the images, the classes and two scripts, and the outlines stay in GeoJSON. What QuPath keeps of
an image lies in `data/<id>`, which is never touched here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from glisson.artefacts import Kind
from glisson.classes import LOBULE, PORTAL, TISSUE_COLOUR, TISSUE_QUPATH_NAME, Rgb
from glisson.errors import OutputError
from glisson.exchange.qupath_images import (
    entry_number,
    file_name,
    is_gone,
    new_entry,
    place_of,
    uris_in,
    with_uri,
)
from glisson.exchange.qupath_index import (
    INDEX_FILE,
    Index,
    IndexedSlide,
    highest_id,
    indexed,
    read_index,
)
from glisson.exchange.qupath_project_rules import broken_image_rules
from glisson.files import atomic_path, free_name
from glisson.slides import SlideInfo

logger = logging.getLogger(__name__)

PROJECT_FILE = "project.qpproj"
SCRIPTS = ("import_glisson.groovy", "export_glisson.groovy")

_CLASSES_FILE = "classes.json"
_PROJECT_VERSION = "0.5.1"
_REGION: tuple[str, Rgb] = ("Region*", (0, 0, 180))
_IGNORE: tuple[str, Rgb] = ("Ignore*", (180, 180, 180))
"""Both as QuPath itself has them."""

Project = dict[str, Any]


def write_qupath_project(folder: Path, slides: Sequence[tuple[SlideInfo, Path]]) -> None:
    """Make or extend a QuPath project.

    Images already in the project stay as they are, with all that a pathologist did to them;
    those that somebody removed stay away; new ones are added. An image whose slide has moved
    gets its new place. A class is offered once. Of a file that somebody may have edited a copy
    is kept when it is changed.

    Args:
        folder: the project's folder.
        slides: each slide's facts and its `tracts.geojson`.

    Raises:
        OutputError: the folder cannot be written to, or holds a project that cannot be read.
    """
    _make_folders(folder)
    index = read_index(folder)
    for name in SCRIPTS:
        _write_script(folder / "scripts" / name, index)
    _write_classes(folder / "classifiers" / _CLASSES_FILE, index)
    before = _existing(folder / PROJECT_FILE)
    project = before or _empty(folder)
    for info, outlines in slides:
        if info.path is not None:
            project = _with_slide(project, index, info, indexed(info, outlines, folder), folder)
    # The project last: an image that the index knows and the project does not is added again.
    _write_json(folder / INDEX_FILE, index.as_json())
    if project != before:
        _keep_copy(folder / PROJECT_FILE)
        _write_json(folder / PROJECT_FILE, project)


def _make_folders(folder: Path) -> None:
    try:
        for part in (folder, folder / "classifiers", folder / "scripts"):
            part.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be made: {error.strerror}. Choose another folder, then run again."
        ) from error


def _empty(folder: Path) -> Project:
    now_ms = int(time.time() * 1000)
    return {
        "version": _PROJECT_VERSION,
        "createTimestamp": now_ms,
        "modifyTimestamp": now_ms,
        "uri": (folder / PROJECT_FILE).resolve().as_uri(),
        "lastID": 0,
        "images": [],
    }


def _existing(path: Path) -> Project | None:
    if not path.exists():
        return None
    try:
        project = json.loads(path.read_text(encoding="utf-8-sig"))
        _as_text(project)
        if all(isinstance(image, dict) for image in project.setdefault("images", [])):
            return dict(project)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise OutputError(
        f"{path} is there but cannot be read as a QuPath project. Move it away, then run again."
    )


def _with_slide(
    project: Project, index: Index, info: SlideInfo, slide: IndexedSlide, folder: Path
) -> Project:
    """The project with one slide, which the index then knows."""
    place = place_of(slide.uri)
    image = _image_at(project, place)
    if image is None:
        project, entry_id = _placed(project, index, info, slide, folder)
    else:
        entry_id = entry_number(image)
    index.slides[place] = replace(slide, entry_id=entry_id)
    return project


def _placed(
    project: Project, index: Index, info: SlideInfo, slide: IndexedSlide, folder: Path
) -> tuple[Project, int]:
    """The project with a slide at a place that it does not name, and the image's id."""
    moved = _moved(project, index, slide)
    if moved is not None:
        uri, image = moved
        index.slides.pop(place_of(uri), None)
        return _relinked(project, image, uri, slide.uri), entry_number(image)
    known = index.slides.get(place_of(slide.uri))
    if known is not None and _was_removed(project, known):
        logger.warning(
            "%s was removed from the QuPath project and is not added again. To have it back, in "
            "QuPath: File, Project, Add images.",
            slide.image,
        )
        return project, known.entry_id
    image = new_entry(info, _free_id(project, index, folder))
    return _with_image(project, image), entry_number(image)


def _image_at(project: Project, place: str) -> dict[str, Any] | None:
    for image in project["images"]:
        if place in map(place_of, uris_in(image.get("serverBuilder"))):
            return dict(image)
    return None


def _moved(
    project: Project, index: Index, slide: IndexedSlide
) -> tuple[str, dict[str, Any]] | None:
    """The image of the same file at a place where it no longer is, with its old URI."""
    for image in project["images"]:
        for uri in uris_in(image.get("serverBuilder")):
            known = index.slides.get(place_of(uri))
            if known is not None and _is_same_file(known, slide) and is_gone(uri):
                return uri, image
    return None


def _is_same_file(known: IndexedSlide, slide: IndexedSlide) -> bool:
    """By name and size in bytes: no two scans are compressed to the same size."""
    same_size = known.bytes is not None and known.bytes == slide.bytes
    return same_size and file_name(known.uri) == file_name(slide.uri)


def _relinked(project: Project, image: dict[str, Any], old: str, new: str) -> Project:
    builder = with_uri(image["serverBuilder"], old, new)
    images = [
        each | {"serverBuilder": builder} if each is image else each for each in project["images"]
    ]
    return project | {"images": images, "modifyTimestamp": int(time.time() * 1000)}


def _was_removed(project: Project, known: IndexedSlide) -> bool:
    """Whether somebody removed an image, or QuPath saved a project that never knew it.

    QuPath that had the project open when Glisson added the image saves an older list, with an
    older last id, or has since given the id to another image.
    """
    taken = {entry_number(image) for image in project["images"]}
    last = max([_last_id(project), *taken])
    return 0 < known.entry_id <= last and known.entry_id not in taken


def _with_image(project: Project, image: dict[str, Any]) -> Project:
    broken = list(broken_image_rules(image))
    if broken:
        raise OutputError(
            f"{image['imageName']} would not open in QuPath: {broken[0]}. Please report this."
        )
    return project | {
        "images": [*project["images"], image],
        "lastID": entry_number(image),
        "modifyTimestamp": int(time.time() * 1000),
    }


def _free_id(project: Project, index: Index, folder: Path) -> int:
    """An id that no image has or had: a data folder that was left would come back to life."""
    left = [int(path.name) for path in (folder / "data").glob("*") if path.name.isdecimal()]
    taken = [entry_number(image) for image in project["images"]]
    known = highest_id(list(index.slides.values()))
    return 1 + max([_last_id(project), known, *taken, *left])


def _last_id(project: Project) -> int:
    last = project.get("lastID", 0)
    return last if isinstance(last, int) else 0


def _write_classes(path: Path, index: Index) -> None:
    """Offer classes that were never offered; those that somebody changed or deleted stay so."""
    offered = [each for each in _classes() if each["name"] not in index.classes]
    index.classes += [each["name"] for each in offered]
    content = _json_of(path) if path.exists() else {"pathClasses": []}
    listed = content.get("pathClasses")
    if not isinstance(listed, list):
        return  # not as QuPath writes it: left alone
    present = [each.get("name") for each in listed if isinstance(each, dict)]
    missing = [each for each in offered if each["name"] not in present]
    if missing:
        _keep_copy(path)
        _write_json(path, content | {"pathClasses": [*listed, *missing]})


def _classes() -> list[dict[str, Any]]:
    named: list[tuple[str, Rgb]] = [
        (PORTAL.qupath_name, PORTAL.colour),
        (TISSUE_QUPATH_NAME, TISSUE_COLOUR),
        (LOBULE.qupath_name, LOBULE.colour),
        _REGION,
        _IGNORE,
        *((kind.qupath_name, kind.colour) for kind in Kind),
    ]
    return [{"name": name, "color": _packed(rgb)} for name, rgb in named]


def _packed(rgb: Rgb) -> int:
    """Opaque ARGB as Java's signed int."""
    red, green, blue = rgb
    return ((255 << 24) | (red << 16) | (green << 8) | blue) - (1 << 32)


def _write_script(path: Path, index: Index) -> None:
    """The script as it comes with Glisson; what somebody made of the old one stays beside it."""
    text = _script(path.name)
    own, there = _sha256(text), None
    if path.exists():
        there = _sha256(path.read_text("utf-8", errors="replace"))
    if there not in (own, index.scripts.get(path.name), None):
        _copy(path, free_name(path.with_suffix(""), "edited", path.suffix))
    if there != own:
        with atomic_path(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    index.scripts[path.name] = own


def _script(name: str) -> str:
    return resources.files("glisson.exchange").joinpath("scripts", name).read_text("utf-8")


def _sha256(text: str) -> str:
    """Whatever the line ends: QuPath on Windows saves others."""
    return hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()


def _keep_copy(path: Path) -> None:
    """Keep what is about to be replaced, as `<name>.backup-1` and on."""
    if path.exists():
        _copy(path, free_name(path, "backup"))


def _copy(path: Path, to: Path) -> None:
    with atomic_path(to) as unfinished:
        shutil.copyfile(path, unfinished)


def _json_of(path: Path) -> dict[str, Any]:
    """A file that QuPath wrote; empty where it is no JSON object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        _as_text(content)
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(_as_text(content))


def _as_text(content: Any) -> bytes:
    """As it is written; halves of characters are a ValueError."""
    return json.dumps(content, indent=2, ensure_ascii=False).encode()
