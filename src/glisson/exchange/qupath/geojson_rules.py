"""What QuPath 0.5 to 0.7 refuses or mangles in a GeoJSON file, as checks (docs/qupath.md)."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

_COMPUTED_BY_QUPATH = {
    "Area µm^2",
    "Perimeter µm",
    "Length µm",
    "Centroid X µm",
    "Centroid Y µm",
    "Num points",
    "Num Detections",
}
_GEOMETRIES = {"Polygon", "MultiPolygon", "LineString", "Point", "MultiPoint"}
_NOT_FLAT = {"childObjects", "children", "nucleusGeometry"}
_OBJECT_TYPES = {"annotation", "detection", "tile"}
MOST_VERTICES = 50_000


def find_geojson_errors(document: dict[str, Any]) -> list[str]:
    """List sentences on everything that QuPath would misread; empty for a valid document."""
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        return ["the top level is not a FeatureCollection"]
    found: list[str] = []
    identifiers: set[str] = set()
    for number, feature in enumerate(features):
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            found.append(f"feature {number}: it is not a Feature")
            continue
        found += [f"feature {number}: {text}" for text in _check_feature(feature)]
        identifier = str(feature.get("id")).lower()
        if identifier in identifiers:
            found.append(f"feature {number}: its id is used twice")
        identifiers.add(identifier)
    return found


def _check_feature(feature: dict[str, Any]) -> Iterator[str]:
    try:
        uuid.UUID(feature["id"])
    except (KeyError, ValueError, TypeError, AttributeError):
        yield "its id is not a UUID"
    yield from _check_geometry(feature.get("geometry"))
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        yield "it has no properties"
        return
    yield from _check_properties(properties)
    yield from _check_class(properties.get("classification"))
    yield from _check_measurements(properties)


def _check_properties(properties: dict[str, Any]) -> Iterator[str]:
    if properties.get("objectType") not in _OBJECT_TYPES:
        yield f"objectType is {properties.get('objectType')!r}"
    if "name" in properties and not isinstance(properties["name"], str):
        yield "its name is not a string"
    if "color" in properties:
        yield "a colour of its own stops it from being recoloured by class"
    if not isinstance(properties.get("isLocked", False), bool):
        yield "isLocked is neither true nor false"
    for key in _NOT_FLAT & set(properties):
        yield f"{key} nests another object, which other programs lose"


def _check_geometry(geometry: Any) -> Iterator[str]:
    if not isinstance(geometry, dict) or geometry.get("type") not in _GEOMETRIES:
        yield "its geometry is of a type that QuPath cannot read"
        return
    yield from list(_check_rings(geometry)) or _check_shape(geometry)


def _check_shape(geometry: dict[str, Any]) -> Iterator[str]:
    try:
        shape = shapely.geometry.shape(geometry)
        points = shapely.get_coordinates(shape)
    except (TypeError, ValueError, IndexError, KeyError, shapely.errors.ShapelyError):
        yield "its coordinates do not fit its type"
        return
    if not np.isfinite(points).all():
        yield "a coordinate is not a number"
        return
    if shape.is_empty or (geometry["type"].endswith("Polygon") and shape.area <= 0):
        yield "its geometry is empty"
    if not shape.is_valid:
        yield f"its geometry is invalid: {shapely.is_valid_reason(shape)}"
    snapped = shapely.set_precision(shape, 0.01, mode="pointwise")
    if not snapped.is_valid or snapped.is_empty:
        yield "its geometry is invalid on QuPath's grid of 0.01 px"
    if len(points) > MOST_VERTICES:
        yield f"it has {len(points)} vertices"


def _check_rings(geometry: dict[str, Any]) -> Iterator[str]:
    polygons = geometry.get("coordinates")
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    elif geometry["type"] != "MultiPolygon":
        return
    try:
        rings = [ring for polygon in polygons or () for ring in polygon]
        closed = [len(ring) > 3 and list(ring[0]) == list(ring[-1]) for ring in rings]
    except (TypeError, IndexError):
        yield "its coordinates do not fit its type"
        return
    if not all(closed):
        yield "a ring is not closed"


def _check_class(classification: Any) -> Iterator[str]:
    if classification is None or isinstance(classification, str):
        return
    if not isinstance(classification, dict):
        yield "its classification is neither a name nor an object"
        return
    colour, name = classification.get("color", "missing"), classification.get("name")
    if not isinstance(name, str) or not name or colour == "missing":
        yield "its classification lacks a name or a colour"
    elif colour is not None and not _is_colour(colour):
        yield f"its class colour is {colour!r}"


def _is_colour(colour: Any) -> bool:
    return (
        isinstance(colour, list)
        and len(colour) == 3
        and all(type(value) is int and 0 <= value <= 255 for value in colour)
    )


def _check_measurements(properties: dict[str, Any]) -> Iterator[str]:
    measurements, metadata = properties.get("measurements", {}), properties.get("metadata", {})
    if not isinstance(measurements, dict) or not isinstance(metadata, dict):
        yield "its measurements or metadata are no object"
        return
    for name, value in measurements.items():
        yield from _check_number(name, value)
    for name, text in metadata.items():
        if name in measurements:
            yield f"metadata {name!r} hides a measurement"
        if not isinstance(text, str):
            yield f"metadata {name!r} is not text"


def _check_number(name: str, value: Any) -> Iterator[str]:
    if name in _COMPUTED_BY_QUPATH:
        yield f"measurement {name!r} would be dropped: QuPath computes its own"
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"measurement {name!r} is not a number"
    elif not math.isfinite(value):
        yield f"measurement {name!r} is {value}"
