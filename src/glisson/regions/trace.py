"""Trace masks as exact polygons: the area of a polygon is the area of its pixels.

Rings run along pixel edges. A corner where two regions touch belongs to both. Where a region
touches itself, its ring turns around the background's corner in between, so that polygons are
always valid. Rings start at the top left with the mask on their left, the outer ring downwards, as
GDAL's do: tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from glisson.regions.spans import Flags, Grid, Integers, Spans, find_spans, label_components


def trace_mask(mask: NDArray[np.bool_], origin_px: tuple[int, int] = (0, 0)) -> list[Polygon]:
    """Trace the 4-connected regions of a mask, with their holes, from the top left.

    Args:
        mask: (H, W).
        origin_px: (x, y) of the mask's corner; added to every coordinate.
    """
    grid = Grid(mask.shape[1], mask.shape[0])
    return list(trace_spans(find_spans(np.asarray(mask, bool), grid), grid, origin_px).polygons)


@dataclass(frozen=True)
class Traced:
    """The regions of a mask.

    Attributes:
        polygons: (K,) exact polygons, ordered from the top left.
        region: (N,) index of each span's polygon.
    """

    polygons: NDArray[np.object_]
    region: Integers


def trace_spans(spans: Spans, grid: Grid, origin_px: tuple[int, int]) -> Traced:
    """Trace the 4-connected regions of a mask.

    Args:
        spans: the mask.
        grid: positions of its pixels on the line.
        origin_px: (x, y) of the grid's corner; added to every coordinate.
    """
    if not len(spans):
        return Traced(np.empty(0, object), np.empty(0, np.int64))
    component = label_components(spans, grid.stride)
    polygons = _draw_rings(_find_corners(spans, component, grid), grid, origin_px)
    bounds = shapely.bounds(polygons)
    order = np.lexsort((bounds[:, 0], bounds[:, 1]))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Traced(polygons[order], rank[component])


@dataclass(frozen=True)
class _Corners:
    """Corners of rings; a ring visits each of its corners once.

    Attributes:
        region: (V,) region of the ring.
        x: (V,) pixel edge.
        y: (V,) pixel edge.
        right: (V,) whether the ring's edge along the row lies right of the corner, not left.
        down: (V,) whether its edge along the column lies below the corner, not above.
        upright: (V,) whether the ring leaves the corner along the column, the mask on its left.
    """

    region: Integers
    x: Integers
    y: Integers
    right: Flags
    down: Flags
    upright: Flags

    def take(self, order: Integers) -> _Corners:
        return _Corners(
            self.region[order],
            self.x[order],
            self.y[order],
            self.right[order],
            self.down[order],
            self.upright[order],
        )


def _find_corners(spans: Spans, region: Integers, grid: Grid) -> _Corners:
    """Find all corners, in the order of their regions, rows and columns."""
    kinds = [
        _find_ends(spans, region, grid, left, down)
        for left in (True, False)
        for down in (True, False)
    ]
    found = _Corners(
        np.concatenate([kind.region for kind in kinds]),
        np.concatenate([kind.x for kind in kinds]),
        np.concatenate([kind.y for kind in kinds]),
        np.concatenate([kind.right for kind in kinds]),
        np.concatenate([kind.down for kind in kinds]),
        np.concatenate([kind.upright for kind in kinds]),
    )
    return found.take(np.argsort(_sort_key(found.region, found.y, found.x, found.right, grid)))


def _find_ends(spans: Spans, region: Integers, grid: Grid, left: bool, down: bool) -> _Corners:
    """Find the upper (or lower) ends of all edges on the left (or right) of the mask.

    An edge continues if the next row has an edge at the same place. At its end the ring turns:
    towards the pixel diagonally across if that pixel is of the same region, else away from it.
    """
    edge = spans.start if left else spans.stop
    ahead = -grid.stride if down else grid.stride
    next_edge = np.minimum(np.searchsorted(edge, edge + ahead), len(edge) - 1)
    ends = np.flatnonzero(edge[next_edge] != edge + ahead)
    position, own = edge[ends], region[ends]
    across = spans.index_of(position + ahead - left)
    same = (across >= 0) & (region[across] == own)
    x, y = grid.xy(position)
    down_too, upright = np.full(len(ends), down), np.full(len(ends), left == down)
    return _Corners(own, x, y if down else y + 1, same != left, down_too, upright)


def _sort_key(
    region: Integers, major: Integers, minor: Integers, after: Flags, grid: Grid
) -> Integers:
    """Combine region, major and minor coordinate and a flag into a number to sort corners by."""
    side = grid.width + grid.height + 2
    return ((region * side + major) * side + minor) * 2 + after


def _draw_rings(corners: _Corners, grid: Grid, origin_px: tuple[int, int]) -> NDArray[np.object_]:
    """Draw the rings through the corners as a polygon for every region."""
    walk, ring_of_step = _walk_rings(_find_next(corners, grid))
    points = np.column_stack([corners.x[walk], corners.y[walk]]) + np.array(origin_px, float)
    rings = shapely.linearrings(points, indices=ring_of_step)
    first = np.flatnonzero(np.diff(ring_of_step, prepend=-1))
    return np.asarray(shapely.polygons(rings, indices=corners.region[walk[first]]))


def _find_next(corners: _Corners, grid: Grid) -> Integers:
    """Find the corner that follows each corner along its ring.

    Edges and gaps alternate along a region's row, as along its column: the first corner is linked
    to the second, the third to the fourth.
    """
    along_row = np.arange(len(corners.x)) ^ 1
    place = _sort_key(corners.region, corners.x, corners.y, corners.down, grid)
    one, other = np.argsort(place).reshape(-1, 2).T
    along_column = np.empty_like(along_row)
    along_column[one], along_column[other] = other, one
    return np.where(corners.upright, along_column, along_row)


def _walk_rings(following: Integers) -> tuple[Integers, Integers]:
    """List all corners ring by ring from their first corners, and the ring of every step."""
    onward = following.tolist()
    walk, lengths = list[int](), list[int]()
    seen = bytearray(len(onward))
    for start in range(len(onward)):
        if seen[start]:
            continue
        before, corner = len(walk), start
        while not seen[corner]:
            seen[corner] = 1
            walk.append(corner)
            corner = onward[corner]
        lengths.append(len(walk) - before)
    return np.array(walk), np.repeat(np.arange(len(lengths)), lengths)
