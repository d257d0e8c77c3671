"""Areas of drawn objects: outlines that cross themselves are repaired, scribbles rejected early."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from glisson.errors import AnnotationError

MOST_CROSSINGS = 1000
"""Most crossings of an outline with itself, repaired in about a second; a brush leaves a few."""
_MANY_VERTICES = 10_000
_MOST_NEAR = 64
"""Most pairs of edges with overlapping boxes for each vertex; drawn outlines have 4."""
_FEW_NEAR = 100_000
_CHUNK = 1000


def extract_area(geometry: BaseGeometry, where: str) -> Polygon | MultiPolygon | None:
    """Return the polygons of a geometry, valid; None if it has no polygon.

    Raises:
        AnnotationError: the outline crosses itself too often.
    """
    if shapely.get_num_coordinates(geometry) > _MANY_VERTICES:
        _check_crossings(geometry, where, count_crossings=False)
    if not geometry.is_valid:
        _check_crossings(geometry, where)
        geometry = shapely.make_valid(geometry)
    polygons = [part for part in _find_polygons(geometry) if part.area > 0]
    if not polygons:
        return None
    if len(polygons) == 1:
        return polygons[0]
    joined = shapely.union_all(polygons)
    return joined if isinstance(joined, Polygon | MultiPolygon) else None


def _find_polygons(geometry: BaseGeometry) -> list[Polygon]:
    if isinstance(geometry, Polygon):
        return [geometry]
    if hasattr(geometry, "geoms"):
        return [polygon for part in geometry.geoms for polygon in _find_polygons(part)]
    return []


def _check_crossings(geometry: BaseGeometry, where: str, count_crossings: bool = True) -> None:
    """Reject outlines that would take too long.

    Repair costs time and memory by the number of crossings, which has no bound. The search for
    crossings costs by the pairs of edges that are near each other.
    """
    edges = _split_edges(geometry)
    tree = shapely.STRtree(edges)
    most_near = _MOST_NEAR * len(edges) + _FEW_NEAR
    near = crossings = 0
    for start in range(0, len(edges), _CHUNK):
        chunk = edges[start : start + _CHUNK]
        first, second = tree.query(chunk)
        near += len(first)
        if count_crossings and near <= most_near:
            crossings += int(shapely.crosses(chunk[first], edges[second]).sum())
        if near <= most_near and crossings <= 2 * MOST_CROSSINGS:  # each is found twice
            continue
        raise AnnotationError(
            f"{where}: its outline crosses itself more than {MOST_CROSSINGS} times, or nearly; "
            "draw it again."
        )


def _split_edges(geometry: BaseGeometry) -> NDArray[np.object_]:
    """Return the edges of all rings, as lines of two points."""
    rings = shapely.get_rings(_find_polygons(geometry))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return np.asarray(shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1)[same]))
