"""Smooth outlines from traced staircases, on QuPath's grid."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from glisson.masks.runs import expand_ranges

QUPATH_GRID_L0 = 0.01
"""QuPath since 0.6 snaps every coordinate to hundredths of a level-0 pixel."""

_TOLERANCE_PX = 0.6
_LEAST_AREA_L0 = 1.0
_MOST_THINNED = 0.004
_MOST_CHANGED = 0.1

Polygons = NDArray[np.object_]


def smooth_outline(polygon_px: Polygon) -> Polygon:
    """Cut the stairs of a traced polygon and thin its vertices; valid, with its holes.

    The outline runs through the middles of the pixel edges. A convex corner loses the area that
    the next concave corner gains, so the area hardly changes. The perimeter is that of the object:
    stairs overstate a disc's by 4/π. Polygons too small to smooth stay unchanged.

    Args:
        polygon_px: exact polygon in pixels of the class map.
    """
    smooth: Polygon = smooth_outlines(np.array([polygon_px]))[0]
    return smooth


def smooth_outlines(polygons_px: Polygons) -> Polygons:
    """Smooth (K,) traced polygons as `smooth_outline` does."""
    cut = _cut_corners(polygons_px)
    thinned = _thin(cut)
    # Thinning may drop a lobe on a neck one pixel wide: such a polygon stays unthinned.
    moved = np.abs(shapely.area(thinned) - shapely.area(cut))
    smooth = np.where(moved <= _MOST_THINNED * shapely.area(cut), thinned, cut)
    for k in np.flatnonzero(~shapely.is_valid(smooth)):
        parts = polygons_of(shapely.make_valid(smooth[k]))
        smooth[k] = max(parts, key=lambda part: part.area, default=Polygon())
    changed = np.abs(shapely.area(smooth) / shapely.area(polygons_px) - 1)
    return np.where(changed > _MOST_CHANGED, polygons_px, smooth)


def _thin(polygons: Polygons) -> Polygons:
    """Drop vertices. Preserving topology takes twelve times as long, so only polygons that
    thinning without it damages are thinned with it.
    """
    thinned = np.asarray(shapely.simplify(polygons, _TOLERANCE_PX, preserve_topology=False))
    whole = shapely.get_type_id(thinned) == shapely.GeometryType.POLYGON
    holes = shapely.get_num_interior_rings(thinned) == shapely.get_num_interior_rings(polygons)
    damaged = ~(whole & holes & shapely.is_valid(thinned) & ~shapely.is_empty(thinned))
    thinned[damaged] = shapely.simplify(polygons[damaged], _TOLERANCE_PX)
    return thinned


def _cut_corners(polygons: Polygons) -> Polygons:
    """Draw polygons through the middles of all unit pixel edges, in order."""
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    steps = np.flatnonzero(np.diff(ring) == 0)
    step = points[steps + 1] - points[steps]
    lengths = np.abs(step).sum(axis=1).round().astype(int)
    along = expand_ranges(np.zeros_like(lengths), lengths) + 0.5
    direction = np.repeat(step / lengths[:, None], lengths, axis=0)
    middles = np.repeat(points[steps], lengths, axis=0) + direction * along[:, None]
    cut = shapely.linearrings(middles, indices=np.repeat(ring[steps], lengths))
    return np.asarray(shapely.polygons(cut, indices=polygon))


def on_qupath_grid(geometry_l0: BaseGeometry) -> Polygon | MultiPolygon | None:
    """Snap a geometry to QuPath's 0.01 px grid, valid after rounding; None if nothing is left.

    Args:
        geometry_l0: polygons in level-0 pixels.
    """
    if not geometry_l0.is_valid:
        geometry_l0 = shapely.make_valid(geometry_l0)
    snapped = shapely.set_precision(shapely.union_all(polygons_of(geometry_l0)), QUPATH_GRID_L0)
    parts = [part for part in shapely.get_parts(snapped) if part.area >= _LEAST_AREA_L0]
    if not parts:
        return None
    # Files hold two decimals: the grid's binary fractions differ in the last bit.
    rounded = shapely.transform(MultiPolygon(parts), lambda points: np.round(points, 2))
    if not rounded.is_valid:
        rounded = MultiPolygon(polygons_of(shapely.make_valid(rounded)))
    polygons = polygons_of(rounded)
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)


def polygons_of(geometry: BaseGeometry) -> list[Polygon]:
    """List the polygons of a geometry, without the lines and points that clipping leaves."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    return [part for part in parts if isinstance(part, Polygon) and not part.is_empty]
