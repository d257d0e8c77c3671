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
from glisson.classes import (
    CANDIDATE_COLOUR,
    CANDIDATE_QUPATH_NAME,
    LOBULE,
    PORTAL,
    TISSUE_COLOUR,
    TISSUE_QUPATH_NAME,
    UNCOUNTED_COLOUR,
    UNCOUNTED_QUPATH_NAME,
    Rgb,
)
from glisson.errors import OutputError
from glisson.exchange.qupath_entries import Entries, last_id
from glisson.exchange.qupath_images import entry_number, new_entry, place_of
from glisson.exchange.qupath_index import (
    INDEX_FILE,
    Index,
    IndexedSlide,
    indexed,
    is_same_file,
    read_index,
)
from glisson.exchange.qupath_project_rules import broken_image_rules
from glisson.files.atomic import atomic_path, find_free_name
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
    entries = Entries(project["images"], last_id(project), index, folder)
    shown = [(info, indexed(info, path, folder)) for info, path in slides if info.path is not None]
    for info, slide in shown:
        _enter(entries, index, info, slide)
    _forget_replaced(index, [slide for _, slide in shown])
    project = _with_images(project, entries.images)
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


def _enter(entries: Entries, index: Index, info: SlideInfo, slide: IndexedSlide) -> None:
    """Enter one slide, which the index then knows."""
    place = place_of(slide.uri)
    image = entries.at(place)
    entry_id = _placed(entries, index, info, slide) if image is None else entry_number(image)
    index.slides[place] = replace(slide, entry_id=entry_id)


def _forget_replaced(index: Index, current: Sequence[IndexedSlide]) -> None:
    """Take slides out of the index whose results folder has become another slide's."""
    owners = {slide.outlines: slide for slide in current}
    now = {place_of(slide.uri) for slide in current}
    for place, slide in list(index.slides.items()):
        owner = owners.get(slide.outlines)
        if owner is None or place in now or is_same_file(owner, slide):
            continue
        del index.slides[place]
        logger.warning(
            "%s has no outlines in the QuPath project any more: its results were replaced by those "
            "of %s. Segment it again.", slide.image, owner.image,
        )  # fmt: skip


def _placed(entries: Entries, index: Index, info: SlideInfo, slide: IndexedSlide) -> int:
    """The id of the image of a slide at a place that the project does not name."""
    moved = entries.moved(slide)
    if moved is not None:
        uri, image = moved
        index.slides.pop(place_of(uri), None)
        entries.relink(image, uri, slide.uri)
        return entry_number(image)
    known = index.slides.get(place_of(slide.uri))
    if known is not None and entries.was_removed(known):
        logger.warning(
            "%s was removed from the QuPath project and is not added again. To have it back, in "
            "QuPath: File, Project, Add images.",
            slide.image,
        )
        return known.entry_id
    image = new_entry(info, entries.free_id())
    _check(image)
    entries.add(image)
    return entry_number(image)


def _check(image: dict[str, Any]) -> None:
    broken = list(broken_image_rules(image))
    if broken:
        raise OutputError(
            f"{image['imageName']} would not open in QuPath: {broken[0]}. Please report this."
        )


def _with_images(project: Project, images: list[dict[str, Any]]) -> Project:
    if images == project["images"]:
        return project
    changed = project | {"images": images, "modifyTimestamp": int(time.time() * 1000)}
    new = images[len(project["images"]) :]
    return changed | {"lastID": entry_number(new[-1])} if new else changed


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
        (UNCOUNTED_QUPATH_NAME, UNCOUNTED_COLOUR),
        (CANDIDATE_QUPATH_NAME, CANDIDATE_COLOUR),
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
        _copy(path, find_free_name(path.with_suffix(""), "edited", path.suffix))
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
        _copy(path, find_free_name(path, "backup"))


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
