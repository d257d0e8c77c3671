"""`glisson.json` in a QuPath project: where each image's outlines are, and what was written."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from glisson.exchange.artefacts_file import ARTEFACTS_FILE
from glisson.exchange.qupath_images import file_name, image_name, place_of, slide_uri
from glisson.slides import SlideInfo

logger = logging.getLogger(__name__)

INDEX_FILE = "glisson.json"


@dataclass(frozen=True)
class IndexedSlide:
    """A slide that was given to the project; its keys are those that the scripts read.

    Attributes:
        uri: where the slide was.
        image: the image's name in QuPath, until somebody changes it.
        results: name of the slide's result folder.
        outlines: its GeoJSON, relative to the project.
        artefacts: likewise.
        bytes: the file's size, or None; tells a moved slide from another of the same name.
        entry_id: QuPath's id of the image.
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
    """All that the project remembers of Glisson.

    Attributes:
        slides: by place.
        classes: names of the classes that were ever offered.
        scripts: SHA-256 of each script as it was written.
    """

    slides: dict[str, IndexedSlide] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The content of the file."""
        slides = sorted(self.slides.values(), key=lambda slide: (slide.image, slide.uri))
        return {
            "images": [asdict(slide) for slide in slides],
            "classes": self.classes,
            "scripts": dict(sorted(self.scripts.items())),
        }


def read_index(folder: Path) -> Index:
    """The project's index; empty where there is none or none that can be read.

    All in it can be made again, but which images somebody removed from the project.
    """
    path = folder / INDEX_FILE
    if not path.exists():
        return Index()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        slides = _SLIDES.validate_python(content["images"])
        classes = _TEXTS.validate_python(content["classes"])
        scripts = _HASHES.validate_python(content["scripts"])
        return Index({place_of(slide.uri): slide for slide in slides}, classes, scripts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        logger.warning("%s cannot be read and is made anew.", path)
        return Index()


def indexed(info: SlideInfo, outlines: Path, folder: Path) -> IndexedSlide:
    """A slide as the index holds it, yet without QuPath's id."""
    return IndexedSlide(
        uri=slide_uri(info),
        image=image_name(info),
        results=outlines.parent.name,
        outlines=_relative(outlines, folder),
        artefacts=_relative(outlines.with_name(ARTEFACTS_FILE), folder),
        bytes=_size_bytes(info.path),
    )


def _relative(path: Path, folder: Path) -> str:
    """With slashes, so that the results folder can move, to another system too."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return Path(os.path.abspath(path)).as_posix()


def _size_bytes(path: Path | None) -> int | None:
    try:
        return None if path is None else path.stat().st_size
    except OSError:
        return None


def is_same_file(one: IndexedSlide, other: IndexedSlide) -> bool:
    """By name and size in bytes: no two scans are compressed to the same size."""
    return one.bytes == other.bytes and file_name(one.uri) == file_name(other.uri)


def highest_id(slides: Sequence[IndexedSlide]) -> int:
    """The highest id that an image was ever given by Glisson."""
    return max((slide.entry_id for slide in slides), default=0)
