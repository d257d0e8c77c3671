"""Annotations from QuPath, in any style it has ever exported."""

from __future__ import annotations

import gzip
import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from glisson.classes import Rgb
from glisson.errors import AnnotationError
from glisson.exchange.repair import area_of
from glisson.frames import BoxL0, Size

_MOST_BYTES = 1 << 28
_MOST_BRACKETS = 8_000_000
"""Lists and objects, of which each point is one: at most 2.5 GB while they are read."""
_MOST_L0 = 1e9
"""Level-0 pixels; no slide has a side of a hundredth."""
_MOST_DEPTH = 64
_UNCLASSIFIED = ""


@dataclass(frozen=True)
class Annotation:
    """One area that somebody or something drew.

    Attributes:
        class_name: QuPath class; empty when unclassified. Derived classes join with ": ".
        name: the object's name, or empty.
        geometry_l0: valid polygon(s) in level-0 pixels of the whole file.
        identifier: QuPath's id, or empty.
        repaired: whether what was drawn crossed itself, and was put right.
        colour: RGB of the class, or None.
    """

    class_name: str
    name: str
    geometry_l0: Polygon | MultiPolygon
    identifier: str
    repaired: bool = False
    colour: Rgb | None = None


@dataclass(frozen=True)
class Skipped:
    """Something drawn that is no area.

    Attributes:
        class_name: as an annotation's.
        geometry_type: such as `LineString`, or `Polygon` for one that encloses nothing.
        where: file and number of the feature.
        name, geometry_l0, identifier, colour: as an annotation's.
    """

    class_name: str
    geometry_type: str
    where: str
    name: str
    geometry_l0: BaseGeometry
    identifier: str
    colour: Rgb | None


@dataclass(frozen=True)
class Annotations:
    """What a file holds.

    Attributes:
        areas: polygons.
        skipped: what is no area: points, lines.
        slide_block: Glisson's own block, or empty.
    """

    areas: tuple[Annotation, ...]
    skipped: tuple[Skipped, ...]
    slide_block: dict[str, Any]


def read_geojson(
    path: Path, bounds_l0: BoxL0 | None = None, size_l0: Size | None = None
) -> Annotations:
    """Read a FeatureCollection, a bare list, a Feature or a geometry.

    Args:
        path: a .geojson or .json file, or either with .gz, or one in a .zip.
        bounds_l0: the slide's bounds, added back to what QuPath counts from their corner;
            ignored when the file itself says that it counts from the whole file's corner.
        size_l0: the slide's size; a file that says that QuPath showed an image of this size, and
            not of the bounds', was drawn on the uncropped slide and is not shifted either.

    Raises:
        AnnotationError: not GeoJSON, or a geometry that is no geometry.
    """
    document = _load(path)
    block = document.get("glisson", {}) if isinstance(document, dict) else {}
    block = block if isinstance(block, dict) else {}
    shift_l0 = _shift_l0(block, bounds_l0, size_l0)
    areas: list[Annotation] = []
    skipped: list[Skipped] = []
    for number, feature in enumerate(_features(document, path)):
        _add(feature, f"{path.name}, feature {number}", shift_l0, areas, skipped)
    return Annotations(tuple(areas), tuple(skipped), block)


def _shift_l0(
    block: dict[str, Any], bounds_l0: BoxL0 | None, size_l0: Size | None
) -> tuple[float, float]:
    """What to add to the file's coordinates so that they count from the whole file's corner."""
    if bounds_l0 is None or block.get("frame") == "level0":
        return 0.0, 0.0
    shown = block.get("width"), block.get("height")
    cropped = int(bounds_l0.width_l0), int(bounds_l0.height_l0)
    if size_l0 and shown == (size_l0.width, size_l0.height) and shown != cropped:
        return 0.0, 0.0  # Bio-Formats shows MRXS and SCN uncropped
    return bounds_l0.x_l0, bounds_l0.y_l0


def _load(path: Path) -> Any:
    try:
        with _opened(path) as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise AnnotationError(f"{path} holds more than 256 MiB; export fewer objects.")
        if data.count(b"[") + data.count(b"{") > _MOST_BRACKETS:
            raise AnnotationError(f"{path} holds more than 8 million points; export fewer.")
        document = json.loads(data.decode("utf-8-sig"))
    except AnnotationError:
        raise
    except (
        OSError, ValueError, RuntimeError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile
    ) as error:  # fmt: skip
        raise AnnotationError(
            f"{path} is not GeoJSON: {error}. In QuPath: File, Export objects as GeoJSON."
        ) from error
    return document


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """The bytes of the JSON, however QuPath packed it."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as packed:
            names = [name for name in packed.namelist() if name.endswith((".geojson", ".json"))]
            if len(names) != 1:
                raise ValueError(f"it holds {len(names)} GeoJSON files, not one")
            with packed.open(names[0]) as file:
                yield file
    elif path.suffix.lower() == ".gz":
        with gzip.open(path, "rb") as file:
            yield file
    else:
        with path.open("rb") as file:
            yield file


def _features(document: Any, path: Path, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > _MOST_DEPTH:
        raise AnnotationError(f"{path.name}: objects are nested more than {_MOST_DEPTH} deep.")
    if isinstance(document, list):
        for part in document:
            yield from _features(part, path, depth + 1)
        return
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        yield from _features(document.get("features") or [], path, depth + 1)
    elif kind == "Feature":
        yield document
        yield from _children(document, path, depth)
    elif isinstance(document, dict) and "coordinates" in document:
        yield {"type": "Feature", "geometry": document, "properties": {}}
    else:
        raise AnnotationError(f"{path.name} holds {kind or type(document).__name__}, not GeoJSON.")


def _children(feature: dict[str, Any], path: Path, depth: int) -> Iterator[dict[str, Any]]:
    properties = feature.get("properties") or {}
    if isinstance(properties, dict):
        for key in ("childObjects", "children"):
            yield from _features(properties.get(key) or [], path, depth + 1)


def _add(
    feature: dict[str, Any],
    where: str,
    shift_l0: tuple[float, float],
    areas: list[Annotation],
    skipped: list[Skipped],
) -> None:
    geometry = _geometry(feature.get("geometry"), where)
    properties = _properties(feature, where)
    classification = properties.get("classification")
    class_name, colour = _class_name(classification), _colour(classification)
    name, identifier = _text(properties.get("name")), _text(feature.get("id"))
    area = area_of(geometry, where)
    if area is None:
        kind, moved = geometry.geom_type, translate(geometry, *shift_l0)
        skipped.append(Skipped(class_name, kind, where, name, moved, identifier, colour))
        return
    moved = translate(area, *shift_l0)
    areas.append(Annotation(class_name, name, moved, identifier, not geometry.is_valid, colour))


def _properties(feature: dict[str, Any], where: str) -> dict[str, Any]:
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise AnnotationError(
            f"{where}: its properties are {type(properties).__name__}, not an object. Export it "
            "from QuPath anew: File, Export objects as GeoJSON."
        )
    return properties


def _geometry(geometry: Any, where: str) -> BaseGeometry:
    try:
        with np.errstate(invalid="ignore"):  # NaN is refused below
            shape = shapely.geometry.shape(geometry)
        points = shapely.get_coordinates(shape)
    except (
        AttributeError, KeyError, TypeError, ValueError, IndexError, ArithmeticError,
        RecursionError, shapely.errors.ShapelyError,
    ) as error:  # fmt: skip
        raise AnnotationError(f"{where}: its geometry cannot be read: {error}") from error
    if not (np.abs(points) < _MOST_L0).all():
        raise AnnotationError(f"{where}: a coordinate is no number of pixels, or beyond any slide.")
    return shape


def _class_name(classification: Any) -> str:
    if isinstance(classification, str):
        return _text(classification)
    if not isinstance(classification, dict):
        return _UNCLASSIFIED
    names = classification.get("names")
    if isinstance(names, list):
        return ": ".join(_text(str(name)) for name in names)
    return _text(classification.get("name"))


def _colour(classification: Any) -> Rgb | None:
    """A list, which may end in alpha; until QuPath 0.3 a packed ARGB int."""
    found = classification if isinstance(classification, dict) else {}
    listed, packed = found.get("color"), found.get("colorRGB")
    if isinstance(packed, int):
        listed = [packed >> 16, packed >> 8, packed]
    if not isinstance(listed, list) or len(listed) < 3:
        return None
    if not all(isinstance(value, int) for value in listed[:3]):
        return None
    red, green, blue = (value & 255 for value in listed[:3])
    return red, green, blue


def _text(value: Any) -> str:
    """Text that every file and terminal takes: no halves of characters, no control characters."""
    if not isinstance(value, str):
        return ""
    whole = value.encode("utf-8", "replace").decode()
    return "".join(each for each in whole if each.isprintable())
