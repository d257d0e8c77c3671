"""What QuPath 0.5 to 0.7 refuses or mangles in a GeoJSON file, as checks (docs/qupath.md)."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from typing import Any

import shapely

_COMPUTED_BY_QUPATH = {
    "Area µm^2", "Perimeter µm", "Length µm", "Centroid X µm", "Centroid Y µm", "Num points",
    "Num Detections",
}  # fmt: skip
_GEOMETRIES = {"Polygon", "MultiPolygon", "LineString", "Point", "MultiPoint"}
_OBJECT_TYPES = {"annotation", "detection", "tile"}
_MOST_VERTICES = 50_000


def broken_rules(document: dict[str, Any]) -> list[str]:
    """Sentences on everything that QuPath would not read as meant; empty when all is well."""
    if document.get("type") != "FeatureCollection":
        return ["the top level is not a FeatureCollection"]
    found: list[str] = []
    identifiers: set[str] = set()
    for number, feature in enumerate(document.get("features", [])):
        found += [f"feature {number}: {text}" for text in _feature_rules(feature)]
        if feature.get("id") in identifiers:
            found.append(f"feature {number}: its id is used twice")
        identifiers.add(feature.get("id"))
    return found


def _feature_rules(feature: dict[str, Any]) -> Iterator[str]:
    yield from _identifier_rules(feature)
    yield from _geometry_rules(feature.get("geometry"))
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        yield "it has no properties"
        return
    yield from _name_rules(properties)
    yield from _classification_rules(properties.get("classification"))
    yield from _measurement_rules(properties)


def _identifier_rules(feature: dict[str, Any]) -> Iterator[str]:
    try:
        uuid.UUID(feature["id"])
    except (KeyError, ValueError, TypeError, AttributeError):
        yield "its id is not a UUID"


def _name_rules(properties: dict[str, Any]) -> Iterator[str]:
    if properties.get("objectType") not in _OBJECT_TYPES:
        yield f"objectType is {properties.get('objectType')!r}"
    if "name" in properties and not isinstance(properties["name"], str):
        yield "its name is not a string"
    if "color" in properties:
        yield "a colour of its own stops it from being recoloured by class"


def _geometry_rules(geometry: Any) -> Iterator[str]:
    if not isinstance(geometry, dict) or geometry.get("type") not in _GEOMETRIES:
        yield "its geometry is of a type that QuPath cannot read"
        return
    shape = shapely.geometry.shape(geometry)
    if shape.is_empty or (geometry["type"].endswith("Polygon") and shape.area <= 0):
        yield "its geometry is empty"
    if not shape.is_valid:
        yield f"its geometry is invalid: {shapely.is_valid_reason(shape)}"
    snapped = shapely.set_precision(shape, 0.01, mode="pointwise")
    if not snapped.is_valid or snapped.is_empty:
        yield "its geometry is invalid on QuPath's grid of 0.01 px"
    points = shapely.get_coordinates(shape)
    if not all(math.isfinite(value) for value in points.ravel()):
        yield "a coordinate is not a number"
    if len(points) > _MOST_VERTICES:
        yield f"it has {len(points)} vertices"
    yield from _ring_rules(geometry)


def _ring_rules(geometry: dict[str, Any]) -> Iterator[str]:
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    elif geometry["type"] != "MultiPolygon":
        return
    for ring in (ring for polygon in polygons for ring in polygon):
        if len(ring) < 4 or list(ring[0]) != list(ring[-1]):
            yield "a ring is not closed"


def _classification_rules(classification: Any) -> Iterator[str]:
    if classification is None or isinstance(classification, str):
        return
    colour = classification.get("color", "missing")
    if not classification.get("name") or colour == "missing":
        yield "its classification lacks a name or a colour"
    elif colour is not None and not _is_colour(colour):
        yield f"its class colour is {colour!r}"


def _is_colour(colour: Any) -> bool:
    return (
        isinstance(colour, list)
        and len(colour) == 3
        and all(isinstance(value, int) and 0 <= value <= 255 for value in colour)
    )


def _measurement_rules(properties: dict[str, Any]) -> Iterator[str]:
    measurements, metadata = properties.get("measurements", {}), properties.get("metadata", {})
    for name, value in measurements.items():
        if name in _COMPUTED_BY_QUPATH:
            yield f"measurement {name!r} would be dropped: QuPath computes its own"
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"measurement {name!r} is not a number"
        elif not math.isfinite(value):
            yield f"measurement {name!r} is {value}"
    for name, text in metadata.items():
        if name in measurements:
            yield f"metadata {name!r} hides a measurement"
        if not isinstance(text, str):
            yield f"metadata {name!r} is not text"
