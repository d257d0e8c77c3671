"""Areas out of whatever was drawn: crossings put right, and scribbles refused before they cost."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from glisson.errors import AnnotationError

MOST_CROSSINGS = 1000
"""Of an outline with itself that are put right, in about a second; a brush leaves a few."""
_MANY_VERTICES = 10_000
_MOST_NEAR = 64
"""Pairs of edges with overlapping boxes for each vertex, at most; drawn outlines have 4."""
_FEW_NEAR = 100_000
_CHUNK = 1000


def area_of(geometry: BaseGeometry, where: str) -> Polygon | MultiPolygon | None:
    """The polygonal part, valid; None when there is none.

    Raises:
        AnnotationError: it crosses itself too often to be an outline.
    """
    if shapely.get_num_coordinates(geometry) > _MANY_VERTICES:
        _check_crossings(geometry, where, whether_they_cross=False)
    if not geometry.is_valid:
        _check_crossings(geometry, where)
        geometry = shapely.make_valid(geometry)
    polygons = [part for part in _parts(geometry) if part.area > 0]
    if not polygons:
        return None
    if len(polygons) == 1:
        return polygons[0]
    joined = shapely.union_all(polygons)
    return joined if isinstance(joined, Polygon | MultiPolygon) else None


def _parts(geometry: BaseGeometry) -> list[Polygon]:
    if isinstance(geometry, Polygon):
        return [geometry]
    if hasattr(geometry, "geoms"):
        return [polygon for part in geometry.geoms for polygon in _parts(part)]
    return []


def _check_crossings(geometry: BaseGeometry, where: str, whether_they_cross: bool = True) -> None:
    """To put crossings right costs time and memory by their number, which has no bound; to look
    for them costs by the pairs of edges that are near each other.
    """
    edges = _edges(geometry)
    tree = shapely.STRtree(edges)
    near = crossings = 0
    for start in range(0, len(edges), _CHUNK):
        asking = edges[start : start + _CHUNK]
        first, second = tree.query(asking)
        near += len(first)
        if whether_they_cross and near <= _most_near(edges):
            crossings += int(shapely.crosses(asking[first], edges[second]).sum())
        if near <= _most_near(edges) and crossings <= 2 * MOST_CROSSINGS:  # each is seen twice
            continue
        raise AnnotationError(
            f"{where}: its outline crosses itself more than {MOST_CROSSINGS} times, or nearly; "
            "draw it again."
        )


def _most_near(edges: NDArray[np.object_]) -> int:
    return _MOST_NEAR * len(edges) + _FEW_NEAR


def _edges(geometry: BaseGeometry) -> NDArray[np.object_]:
    """Lines of two points, of all rings and lines."""
    rings = shapely.get_rings(_parts(geometry))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return np.asarray(shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1)[same]))
