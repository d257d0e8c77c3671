"""A QuPath project made without QuPath: open it, run its import script, correct.

QuPath keeps annotations in a Java format that only QuPath can write, so the project holds
the images, the classes and two scripts, and the outlines stay in GeoJSON. QuPath keeps an image's
annotations in `data/<id>`; Glisson never writes there.
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
from glisson.exchange.qupath.entries import Entries
from glisson.exchange.qupath.images import find_place, make_entry, read_entry_id
from glisson.exchange.qupath.index import (
    INDEX_FILE,
    Index,
    IndexedSlide,
    index_slide,
    is_same_file,
    read_index,
)
from glisson.exchange.qupath.project_rules import find_image_errors
from glisson.files.atomic import atomic_path, find_free_name
from glisson.slides import SlideInfo

logger = logging.getLogger(__name__)

PROJECT_FILE = "project.qpproj"
SCRIPTS = ("import_glisson.groovy", "export_glisson.groovy")

_CLASSES_FILE = "classes.json"
_PROJECT_VERSION = "0.5.1"
_CLASSES: tuple[tuple[str, Rgb], ...] = (
    (PORTAL.qupath_name, PORTAL.colour),
    (UNCOUNTED_QUPATH_NAME, UNCOUNTED_COLOUR),
    (CANDIDATE_QUPATH_NAME, CANDIDATE_COLOUR),
    (TISSUE_QUPATH_NAME, TISSUE_COLOUR),
    (LOBULE.qupath_name, LOBULE.colour),
    ("Region*", (0, 0, 180)),  # this class and the next as in QuPath itself
    ("Ignore*", (180, 180, 180)),
    *((kind.qupath_name, kind.colour) for kind in Kind),
)

Project = dict[str, Any]


def write_qupath_project(folder: Path, slides: Sequence[tuple[SlideInfo, Path]]) -> None:
    """Make or extend a QuPath project.

    Images of the project stay unchanged, with all that a pathologist did to them. Glisson

    * adds new images, but none that somebody removed;
    * updates the place of an image whose slide has moved;
    * offers each class once;
    * copies a file that somebody may have edited before it changes the file.

    Args:
        folder: the project's folder.
        slides: each slide's facts and its `tracts.geojson`.

    Raises:
        OutputError: the folder cannot be written to, or holds an invalid project.
    """
    _make_folders(folder)
    index = read_index(folder)
    for name in SCRIPTS:
        _write_script(folder / "scripts" / name, index)
    _write_classes(folder / "classifiers" / _CLASSES_FILE, index)
    old_project = _read_project(folder / PROJECT_FILE)
    project = old_project or _make_project(folder)
    entries = Entries(project, index, folder)
    entries.forget_lost()
    current = []
    for info, outlines in slides:
        if info.path is not None:
            slide = index_slide(info, outlines, folder)
            place = find_place(slide.uri)
            image = entries.find_at(place) or _enter(entries, index, info, slide)
            index.slides[place] = replace(slide, entry_id=read_entry_id(image))
            current.append(slide)
    _forget_replaced(index, current)
    project = _update_images(project, entries.images)
    # The project last: an image that the index knows and the project does not is added again.
    _write_json(folder / INDEX_FILE, index.to_json())
    if project != old_project:
        _back_up(folder / PROJECT_FILE)
        _write_json(folder / PROJECT_FILE, project)


def _make_folders(folder: Path) -> None:
    parts = (folder, folder / "classifiers", folder / "scripts")
    if link := next((part for part in parts if part.is_symlink()), None):
        raise OutputError(
            f"{link} is a symbolic link, which may lead anywhere. Put a folder in its place, then "
            "run again."
        )
    try:
        for part in parts:
            part.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be made: {error.strerror}. Choose another folder, then run again."
        ) from error


def _make_project(folder: Path) -> Project:
    now_ms = int(time.time() * 1000)
    return {
        "version": _PROJECT_VERSION,
        "createTimestamp": now_ms,
        "modifyTimestamp": now_ms,
        "uri": (folder / PROJECT_FILE).resolve().as_uri(),
        "lastID": 0,
        "images": [],
    }


def _read_project(path: Path) -> Project | None:
    if not path.exists():
        return None
    try:
        project = json.loads(path.read_text(encoding="utf-8-sig"))
        _encode(project)
        if all(isinstance(image, dict) for image in project.setdefault("images", [])):
            return dict(project)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise OutputError(f"{path} is not a valid QuPath project. Move it away, then run again.")


def _enter(entries: Entries, index: Index, info: SlideInfo, slide: IndexedSlide) -> dict[str, Any]:
    """Return the entry of a slide at a new place: a moved slide's, a removed one's or a new one."""
    if (moved := entries.find_moved(slide)) is not None:
        old_uri, image = moved
        index.slides.pop(find_place(old_uri), None)
        entries.relink(image, old_uri, slide.uri)
        return image
    known = index.slides.get(find_place(slide.uri))
    if known is not None and (relocated := entries.find_relocated(known)) is not None:
        return relocated
    if known is not None and entries.was_removed(known):
        logger.warning(
            "%s was removed from the QuPath project and is not added again. To have it back, in "
            "QuPath: File, Project, Add images.",
            slide.image,
        )
        return {"entryID": known.entry_id}
    image = make_entry(info, entries.next_id())
    if errors := list(find_image_errors(image)):
        raise OutputError(
            f"{image['imageName']} would not open in QuPath: {errors[0]}. Please report this."
        )
    entries.add(image)
    return image


def _forget_replaced(index: Index, current: Sequence[IndexedSlide]) -> None:
    """Delete slides from the index whose results folder another slide has taken over."""
    owners = {slide.outlines: slide for slide in current}
    places = {find_place(slide.uri) for slide in current}
    for place, slide in list(index.slides.items()):
        owner = owners.get(slide.outlines)
        if owner is None or place in places or is_same_file(owner, slide):
            continue
        del index.slides[place]
        logger.warning(
            "%s has no outlines in the QuPath project any more: the results of %s replaced its "
            "own. Segment it again.",
            slide.image,
            owner.image,
        )


def _update_images(project: Project, images: list[dict[str, Any]]) -> Project:
    if images == project["images"]:
        return project
    changed = project | {"images": images, "modifyTimestamp": int(time.time() * 1000)}
    added = images[len(project["images"]) :]
    return changed | {"lastID": read_entry_id(added[-1])} if added else changed


def _write_classes(path: Path, index: Index) -> None:
    """Offer classes that Glisson never offered before; edits and deletions of others stay."""
    classes = [{"name": name, "color": _pack_colour(colour)} for name, colour in _CLASSES]
    offered = [item for item in classes if item["name"] not in index.classes]
    index.classes += [str(item["name"]) for item in offered]
    content = _read_json(path) if path.exists() else {"pathClasses": []}
    listed = content.get("pathClasses")
    if not isinstance(listed, list):
        return  # not QuPath's format: stays unchanged
    present = [item.get("name") for item in listed if isinstance(item, dict)]
    missing = [item for item in offered if item["name"] not in present]
    if missing:
        _back_up(path)
        _write_json(path, content | {"pathClasses": [*listed, *missing]})


def _pack_colour(rgb: Rgb) -> int:
    """Return opaque ARGB as Java's signed int."""
    red, green, blue = rgb
    return ((255 << 24) | (red << 16) | (green << 8) | blue) - (1 << 32)


def _write_script(path: Path, index: Index) -> None:
    """Write a script as shipped with Glisson; keep a copy of an edited old script beside it."""
    script = resources.files("glisson.exchange.qupath").joinpath("scripts", path.name)
    text = script.read_text("utf-8")
    own, present = _hash(text), None
    if path.exists():
        present = _hash(path.read_text("utf-8", errors="replace"))
    if present not in (own, index.scripts.get(path.name), None):
        _copy(path, find_free_name(path.with_suffix(""), "edited", path.suffix))
    if present != own:
        with atomic_path(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    index.scripts[path.name] = own


def _hash(text: str) -> str:
    """Return the SHA-256 without regard to line ends, which QuPath on Windows changes."""
    return hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()


def _back_up(path: Path) -> None:
    """Copy a file before it is replaced, to `<name>.backup-1` and on."""
    if path.exists():
        _copy(path, find_free_name(path, "backup"))


def _copy(path: Path, to: Path) -> None:
    with atomic_path(to) as unfinished:
        shutil.copyfile(path, unfinished)


def _read_json(path: Path) -> dict[str, Any]:
    """Read a file that QuPath wrote; empty unless it is a JSON object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        _encode(content)
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(_encode(content))


def _encode(content: Any) -> bytes:
    """Return JSON in UTF-8; raise ValueError for lone surrogates, which UTF-8 lacks."""
    return json.dumps(content, indent=2, ensure_ascii=False).encode()
