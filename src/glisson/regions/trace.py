"""Masks to polygons, exactly: the area of a polygon is the area of its pixels.

Rings run along pixel edges. A corner that two regions touch at is a corner of both; where one
region touches itself, its ring turns round the corner of the background between, so that
polygons are always valid. Rings start at their top left and keep the mask on the left hand of
who walks along them, the outer one downwards, as GDAL's do: tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from glisson.regions.spans import Flags, Grid, Integers, Spans, components, joined, spans_of


def trace_mask(mask: NDArray[np.bool_], origin_px: tuple[int, int] = (0, 0)) -> list[Polygon]:
    """Polygons of the 4-connected regions of a mask, holes kept, ordered from the top left.

    Args:
        mask: (H, W).
        origin_px: (x, y) of the mask's corner; added to every coordinate.
    """
    grid = Grid(mask.shape[1], mask.shape[0])
    row, start, stop = spans_of(np.asarray(mask, bool))
    return list(traced(joined(grid.at(start, row), grid.at(stop, row)), grid, origin_px).polygons)


@dataclass(frozen=True)
class Traced:
    """The regions of a mask.

    Attributes:
        polygons: (K,) exact polygons, ordered from the top left.
        region: (N,) index of the polygon that each span of the mask is part of.
    """

    polygons: NDArray[np.object_]
    region: Integers


def traced(spans: Spans, grid: Grid, origin_px: tuple[int, int]) -> Traced:
    """Trace the 4-connected regions of a mask.

    Args:
        spans: the mask.
        grid: how it lies on the line.
        origin_px: (x, y) of the grid's corner; added to every coordinate.
    """
    if not len(spans):
        return Traced(np.empty(0, object), np.empty(0, np.int64))
    component = components(spans, grid.stride)
    polygons = _polygons(_corners(spans, component, grid), grid, origin_px)
    bounds = shapely.bounds(polygons)
    order = np.lexsort((bounds[:, 0], bounds[:, 1]))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Traced(polygons[order], rank[component])


@dataclass(frozen=True)
class _Corners:
    """Where rings turn; a ring touches each of its corners once.

    Attributes:
        region: (V,) the region that the ring is of.
        x: (V,) pixel edge.
        y: (V,) pixel edge.
        right: (V,) whether the ring's edge along the row lies right of the corner, not left.
        down: (V,) whether its edge along the column lies below the corner, not above.
        upright: (V,) whether it leaves the corner along the column, with the mask on its left.
    """

    region: Integers
    x: Integers
    y: Integers
    right: Flags
    down: Flags
    upright: Flags

    def sorted_by(self, key: Integers) -> _Corners:
        order = np.argsort(key)
        return _Corners(*(getattr(self, each.name)[order] for each in fields(self)))


def _corners(spans: Spans, region: Integers, grid: Grid) -> _Corners:
    """All corners, in the order of their regions, rows and columns."""
    kinds = [
        _corners_of(spans, region, grid, left, down)
        for left in (True, False)
        for down in (True, False)
    ]
    found = _Corners(
        *(np.concatenate([getattr(kind, each.name) for kind in kinds]) for each in fields(_Corners))
    )
    return found.sorted_by(_place(found.region, found.y, found.x, found.right, grid))


def _corners_of(spans: Spans, region: Integers, grid: Grid, left: bool, down: bool) -> _Corners:
    """The upper (or lower) ends of all edges on the left (or right) of the mask.

    An edge goes on where the next row has one at the same place. Where it ends the ring turns:
    towards the pixel diagonally across if that is of the same region, else away from it.
    """
    edge = spans.start if left else spans.stop
    ahead = -grid.stride if down else grid.stride
    ends = np.flatnonzero(~_contained(edge + ahead, edge))
    position, own = edge[ends], region[ends]
    across = spans.index_of(position + ahead - left)
    same = (across >= 0) & (region[across] == own)
    x, y = grid.xy(position)
    down_too, upright = np.full(len(ends), down), np.full(len(ends), left == down)
    return _Corners(own, x, y if down else y + 1, same != left, down_too, upright)


def _contained(values: Integers, ascending: Integers) -> Flags:
    """Which values are among others."""
    index = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return np.asarray(ascending[index] == values)


def _place(
    region: Integers, major: Integers, minor: Integers, after: Flags, grid: Grid
) -> Integers:
    """One number to sort corners by: region, row, column, and what of it comes first."""
    side = grid.width + grid.height + 2
    return ((region * side + major) * side + minor) * 2 + after


def _polygons(corners: _Corners, grid: Grid, origin_px: tuple[int, int]) -> NDArray[np.object_]:
    """The rings through the corners, as one polygon a region."""
    walk, ring_of_step = _walked(_next(corners, grid))
    points = np.column_stack([corners.x[walk], corners.y[walk]]) + np.array(origin_px, float)
    rings = shapely.linearrings(points, indices=ring_of_step)
    first = np.flatnonzero(np.diff(ring_of_step, prepend=-1))
    return np.asarray(shapely.polygons(rings, indices=corners.region[walk[first]]))


def _next(corners: _Corners, grid: Grid) -> Integers:
    """The corner that follows each along its ring.

    Along a row of one region, as along a column, edges and gaps take turns: the first corner is
    joined to the second, the third to the fourth.
    """
    along_row = np.arange(len(corners.x)) ^ 1
    place = _place(corners.region, corners.x, corners.y, corners.down, grid)
    one, other = np.argsort(place).reshape(-1, 2).T
    along_column = np.empty_like(along_row)
    along_column[one], along_column[other] = other, one
    return np.where(corners.upright, along_column, along_row)


def _walked(following: Integers) -> tuple[Integers, Integers]:
    """All corners ring by ring, each from its first corner; and the ring of each step."""
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
