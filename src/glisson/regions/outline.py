"""Staircases to outlines that a person would draw, and that QuPath accepts."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

QUPATH_GRID_L0 = 0.01
"""QuPath since 0.6 snaps every coordinate to hundredths of a level-0 pixel."""

_TOLERANCE_PX = 0.6
_LEAST_AREA_L0 = 1.0
_MOST_THINNED = 0.004


def smooth_outline(polygon_px: Polygon) -> Polygon:
    """A traced polygon with its stairs cut and its vertices thinned; valid, holes kept.

    Corners are cut through the middles of the pixel edges, which takes from one corner what
    it gives to the next, so the area hardly changes. The perimeter is that of the thing, not
    of its stairs (which overstate a disc's by 4/π). Pieces too small to cut stay as they are.

    Args:
        polygon_px: exact polygon in pixels of the class map.
    """
    rings = [_cut_corners(np.asarray(ring.coords)) for ring in _rings(polygon_px)]
    cut = Polygon(rings[0], rings[1:])
    thinned = shapely.simplify(cut, _TOLERANCE_PX)
    # Thinning may drop a lobe that hangs on a neck one pixel wide: then every vertex stays.
    kept = abs(thinned.area - cut.area) <= _MOST_THINNED * cut.area
    smooth = _as_polygon(thinned if kept else cut)
    changed = abs(smooth.area / polygon_px.area - 1) if smooth is not None else 1.0
    return polygon_px if smooth is None or changed > 0.1 else smooth


def _rings(polygon: Polygon) -> list[BaseGeometry]:
    return [polygon.exterior, *polygon.interiors]


def _cut_corners(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middles of all unit pixel edges, in order."""
    steps = np.diff(ring, axis=0)
    lengths = np.abs(steps).sum(axis=1).round().astype(int)
    direction = np.repeat(steps / lengths[:, None], lengths, axis=0)
    start = np.repeat(ring[:-1], lengths, axis=0)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    along = np.arange(lengths.sum()) - first + 0.5
    middles = start + direction * along[:, None]
    return np.concatenate([middles, middles[:1]])


def _as_polygon(geometry: BaseGeometry) -> Polygon | None:
    """The largest polygon of a repaired geometry, or None."""
    if not geometry.is_valid:
        geometry = shapely.make_valid(geometry)
    parts = [part for part in shapely.get_parts(geometry) if isinstance(part, Polygon)]
    parts = [part for part in parts if not part.is_empty]
    return max(parts, key=lambda part: part.area) if parts else None


def on_qupath_grid(geometry_l0: BaseGeometry) -> Polygon | MultiPolygon | None:
    """A geometry on QuPath's 0.01 px grid, valid after rounding; None when nothing is left.

    Args:
        geometry_l0: polygons in level-0 pixels.
    """
    if not geometry_l0.is_valid:
        geometry_l0 = shapely.make_valid(geometry_l0)
    snapped = shapely.set_precision(_polygonal(geometry_l0), QUPATH_GRID_L0)
    parts = [part for part in shapely.get_parts(snapped) if part.area >= _LEAST_AREA_L0]
    if not parts:
        return None
    # Two decimals as written to a file: the grid's binary fractions differ in the last bit.
    rounded = shapely.transform(MultiPolygon(parts), lambda points: np.round(points, 2))
    if not rounded.is_valid:
        rounded = MultiPolygon(_polygons_of(shapely.make_valid(rounded)))
    polygons = _polygons_of(rounded)
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)


def _polygonal(geometry: BaseGeometry) -> BaseGeometry:
    return shapely.union_all(_polygons_of(geometry))


def _polygons_of(geometry: BaseGeometry) -> list[Polygon]:
    found: list[Polygon] = []
    for part in shapely.get_parts(geometry):
        if isinstance(part, Polygon):
            found.append(part)
        elif isinstance(part, MultiPolygon):
            found.extend(part.geoms)
    return found
