"""Annotations from QuPath, in any style that it ever exported."""

from __future__ import annotations

import gzip
import json
import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from glisson.classes import Rgb
from glisson.errors import AnnotationError
from glisson.exchange.areas import extract_area
from glisson.frames import BoxL0, Size

_MOST_BYTES = 1 << 28
_MOST_BRACKETS = 8_000_000
"""Lists and objects; each point is a list. Reading them takes at most 2.5 GB."""
_MOST_L0 = 1e9
"""Level-0 pixels: a hundred times the side of any slide."""
_MOST_DEPTH = 64
_UNCLASSIFIED = ""
_ANNOTATION = "annotation"
_OTHER_OBJECTS = {
    "detection": "detection",
    "cell": "cell",
    "tile": "tile",
    "tma_core": "TMA core",
    "root": "root",
}
"""QuPath's object types that are no annotations, as messages call them. QuPath reads objects of
any other type, or of none, as annotations."""
_OLD_IDS = {
    "PathDetectionObject": "detection",
    "PathCellObject": "cell",
    "PathTileObject": "tile",
    "TMACoreObject": "tma_core",
    "PathRootObject": "root",
}
"""QuPath before 0.4 wrote an object's type in place of its id."""


@dataclass(frozen=True)
class Annotation:
    """An area that a person or program drew.

    Attributes:
        class_name: QuPath class; empty when unclassified. Derived classes join with ": ".
        name: the object's name, or empty.
        geometry_l0: valid polygon(s) in level-0 pixels of the whole file.
        identifier: QuPath's id, or empty.
        repaired: whether the outline crossed itself and was repaired.
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
    """A drawn object that is no area.

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
    """The content of a file.

    Attributes:
        areas: polygons.
        skipped: objects that are no areas: points, lines.
        slide_block: Glisson's block on the slide, or empty.
        others: number of objects that are no annotations, by type: cells, detections, tiles.
            Their classes say nothing on tracts.
    """

    areas: tuple[Annotation, ...]
    skipped: tuple[Skipped, ...]
    slide_block: dict[str, Any]
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def note_on_others(self) -> str | None:
        """Return what to say of the objects that are no annotations; None without any."""
        if not self.others:
            return None
        counts = ", ".join(
            f"{number} {kind}{'' if number == 1 else 's'}"
            for kind, number in sorted(self.others.items())
        )
        return (
            f"{counts} left out: only annotations are tissue, tracts or candidates. In QuPath, "
            "export annotations only; to use a detection, make an annotation of it."
        )


def read_geojson(
    path: Path, bounds_l0: BoxL0 | None = None, size_l0: Size | None = None
) -> Annotations:
    """Read the annotations of a FeatureCollection, a bare list, a Feature or a geometry.

    Other objects of QuPath's, such as cells, are counted and left out.

    Args:
        path: a .geojson or .json file, or either with .gz, or one in a .zip.
        bounds_l0: the slide's bounds, added to the coordinates, which QuPath counts from the
            bounds' corner. Ignored if the file's own frame is the whole slide.
        size_l0: the slide's size. A file with this image size, and not that of the bounds, was
            drawn on the uncropped slide and is not shifted either.

    Raises:
        AnnotationError: the file is no GeoJSON, or a geometry is invalid.
    """
    document = _load(path)
    block = document.get("glisson", {}) if isinstance(document, dict) else {}
    block = block if isinstance(block, dict) else {}
    shift_l0 = _find_shift(block, bounds_l0, size_l0)
    others = Counter[str]()
    objects = []
    for number, feature in enumerate(_find_features(document, path)):
        if other := _find_other_type(feature):
            others[other] += 1
        else:
            objects.append(_read_object(feature, f"{path.name}, feature {number}", shift_l0))
    return Annotations(
        tuple(item for item in objects if isinstance(item, Annotation)),
        tuple(item for item in objects if isinstance(item, Skipped)),
        block,
        dict(others),
    )


def _find_other_type(feature: dict[str, Any]) -> str | None:
    """Return what an object is if it is no annotation, such as `cell`; None for annotations."""
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        return None
    written = properties.get("objectType") or properties.get("object_type")
    written = written or _OLD_IDS.get(str(feature.get("id")), _ANNOTATION)
    return _OTHER_OBJECTS.get(str(written).casefold())


def _find_shift(
    block: dict[str, Any], bounds_l0: BoxL0 | None, size_l0: Size | None
) -> tuple[float, float]:
    """Return what to add to the file's coordinates to count from the whole slide's corner."""
    if bounds_l0 is None or block.get("frame") == "level0":
        return 0.0, 0.0
    shown = block.get("width"), block.get("height")
    cropped = int(bounds_l0.width_l0), int(bounds_l0.height_l0)
    if size_l0 and shown == (size_l0.width, size_l0.height) and shown != cropped:
        return 0.0, 0.0  # Bio-Formats shows MRXS and SCN uncropped
    return bounds_l0.x_l0, bounds_l0.y_l0


def _load(path: Path) -> Any:
    try:
        with _open(path) as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise AnnotationError(f"{path} holds more than 256 MiB; export fewer objects.")
        if data.count(b"[") + data.count(b"{") > _MOST_BRACKETS:
            raise AnnotationError(f"{path} holds more than 8 million points; export fewer.")
        document = json.loads(data.decode("utf-8-sig"))
    except AnnotationError:
        raise
    except (
        OSError,
        ValueError,
        RuntimeError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
    ) as error:
        raise AnnotationError(
            f"{path} is not GeoJSON: {error}. In QuPath: File, Export objects as GeoJSON."
        ) from error
    return document


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """Open the JSON, which QuPath may have compressed."""
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


def _find_features(document: Any, path: Path, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the features of any GeoJSON object or list, and the features nested in them."""
    if depth > _MOST_DEPTH:
        raise AnnotationError(f"{path.name}: objects are nested more than {_MOST_DEPTH} deep.")
    kind = document.get("type") if isinstance(document, dict) else None
    nested: list[Any] = []
    if isinstance(document, list):
        nested = document
    elif kind == "FeatureCollection":
        nested = [document.get("features") or []]
    elif kind == "Feature":
        yield document
        nested = _list_children(document)
    elif isinstance(document, dict) and "coordinates" in document:
        yield {"type": "Feature", "geometry": document, "properties": {}}
    else:
        raise AnnotationError(f"{path.name} holds {kind or type(document).__name__}, not GeoJSON.")
    for part in nested:
        yield from _find_features(part, path, depth + 1)


def _list_children(feature: dict[str, Any]) -> list[Any]:
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        return []
    return [properties.get(key) or [] for key in ("childObjects", "children")]


def _read_object(
    feature: dict[str, Any], where: str, shift_l0: tuple[float, float]
) -> Annotation | Skipped:
    geometry = _read_geometry(feature.get("geometry"), where)
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise AnnotationError(
            f"{where}: its properties are {type(properties).__name__}, not an object. Export it "
            "from QuPath again: File, Export objects as GeoJSON."
        )
    classification = properties.get("classification")
    class_name, colour = _read_class(classification), _read_colour(classification)
    name, identifier = _clean_text(properties.get("name")), _clean_text(feature.get("id"))
    area = extract_area(geometry, where)
    if area is None:
        kind, moved = geometry.geom_type, translate(geometry, *shift_l0)
        return Skipped(class_name, kind, where, name, moved, identifier, colour)
    moved = translate(area, *shift_l0)
    return Annotation(class_name, name, moved, identifier, not geometry.is_valid, colour)


def _read_geometry(geometry: Any, where: str) -> BaseGeometry:
    try:
        with np.errstate(invalid="ignore"):  # NaN is rejected below
            shape = shapely.geometry.shape(geometry)
        points = shapely.get_coordinates(shape)
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        ArithmeticError,
        RecursionError,
        shapely.errors.ShapelyError,
    ) as error:
        raise AnnotationError(f"{where}: its geometry cannot be read: {error}") from error
    if not (np.abs(points) < _MOST_L0).all():
        raise AnnotationError(f"{where}: a coordinate is not a number, or lies beyond any slide.")
    return shape


def _read_class(classification: Any) -> str:
    if isinstance(classification, str):
        return _clean_text(classification)
    if not isinstance(classification, dict):
        return _UNCLASSIFIED
    names = classification.get("names")
    if isinstance(names, list):
        return ": ".join(_clean_text(str(name)) for name in names)
    return _clean_text(classification.get("name"))


def _read_colour(classification: Any) -> Rgb | None:
    """Read a colour: a list, which may end in alpha, or QuPath 0.2's packed ARGB int."""
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


def _clean_text(value: Any) -> str:
    """Drop what some file or terminal cannot take: lone surrogates, control characters."""
    if not isinstance(value, str):
        return ""
    whole = value.encode("utf-8", "replace").decode()
    return "".join(filter(str.isprintable, whole))
