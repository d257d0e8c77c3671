"""`glisson.json` in a QuPath project: each image's outlines, and what Glisson wrote."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from glisson.exchange.artefacts_file import ARTEFACTS_FILE
from glisson.exchange.qupath.images import find_place, make_slide_uri, name_image, read_file_name
from glisson.slides import SlideInfo

logger = logging.getLogger(__name__)

INDEX_FILE = "glisson.json"


@dataclass(frozen=True)
class IndexedSlide:
    """A slide of the project; QuPath's scripts read its keys.

    Attributes:
        uri: the slide's place when Glisson last wrote it.
        image: the image's name in QuPath, until somebody changes it.
        results: name of the slide's result folder.
        outlines: its GeoJSON, relative to the project.
        artefacts: its artefacts, relative to the project.
        bytes: the file's size, or None; tells a moved slide from another of the same name.
        entry_id: QuPath's id of the image; 0 before the image has one.
    """

    uri: str
    image: str
    results: str
    outlines: str
    artefacts: str
    bytes: int | None
    entry_id: int = 0


_SLIDES = TypeAdapter(list[IndexedSlide])
_TEXTS = TypeAdapter(list[str])
_HASHES = TypeAdapter(dict[str, str])


@dataclass
class Index:
    """Glisson's own record of a project.

    Attributes:
        slides: by place.
        classes: names of the classes that Glisson ever offered.
        scripts: SHA-256 of each script as Glisson wrote it.
    """

    slides: dict[str, IndexedSlide] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the content of the file."""
        slides = sorted(self.slides.values(), key=lambda slide: (slide.image, slide.uri))
        return {
            "images": [asdict(slide) for slide in slides],
            "classes": self.classes,
            "scripts": dict(sorted(self.scripts.items())),
        }


def read_index(folder: Path) -> Index:
    """Read a project's index; empty if the file is missing or invalid.

    Glisson can make all of an index again, except which images somebody removed.
    """
    path = folder / INDEX_FILE
    if not path.exists():
        return Index()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        slides = _SLIDES.validate_python(content["images"])
        classes = _TEXTS.validate_python(content["classes"])
        scripts = _HASHES.validate_python(content["scripts"])
        return Index({find_place(slide.uri): slide for slide in slides}, classes, scripts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        logger.warning("%s is invalid; Glisson writes a new one.", path)
        return Index()


def index_slide(info: SlideInfo, outlines: Path, folder: Path) -> IndexedSlide:
    """Describe a slide for the index of the project in `folder`, without QuPath's id."""
    try:
        size_bytes = None if info.path is None else info.path.stat().st_size
    except OSError:
        size_bytes = None
    return IndexedSlide(
        uri=make_slide_uri(info),
        image=name_image(info),
        results=outlines.parent.name,
        outlines=_make_relative(outlines, folder),
        artefacts=_make_relative(outlines.with_name(ARTEFACTS_FILE), folder),
        bytes=size_bytes,
    )


def _make_relative(path: Path, folder: Path) -> str:
    """Return a path with slashes, so that the results folder can move to another system too."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return Path(os.path.abspath(path)).as_posix()


def is_same_file(one: IndexedSlide, other: IndexedSlide) -> bool:
    """Compare name and size in bytes: no two scans are compressed to the same size."""
    return one.bytes == other.bytes and read_file_name(one.uri) == read_file_name(other.uri)
