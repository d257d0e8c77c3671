"""How much of a tract's contour lies at the edge of the tissue."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from glisson.regions.clean import Labels
from glisson.regions.spans import Grid, Integers, Spans, common, joined, shifted
from glisson.runs import ranges

Polygons = NDArray[np.object_]


def edge_contact(
    labels: Labels, tracts_px: Polygons, origin_px: tuple[int, int], reach_px: float
) -> NDArray[np.float64]:
    """Share of the pixels along each outer contour that lie within reach of the glass, 0 to 1.

    Args:
        labels: the tissue.
        tracts_px: (K,) exact polygons in pixels.
        origin_px: (x, y) of the corner of `labels`.
        reach_px: from centre to centre of pixels.
    """
    near = _near_glass(labels.tissue, labels.grid, reach_px)
    stack = _stacked(tracts_px, labels.grid, origin_px)
    inner = _without_rim(stack.filled, labels.grid.stride)
    rim_px = stack.pixels(stack.filled) - stack.pixels(inner)
    near_px = stack.pixels(stack.filled, near) - stack.pixels(inner, near)
    return np.asarray(near_px / np.maximum(rim_px, 1))


def _near_glass(tissue: Spans, grid: Grid, reach_px: float) -> Spans:
    """Pixels within reach of the glass, the glass included."""
    glass = tissue.gaps(grid.line_length)
    parts = [
        (glass.start + rows * grid.stride - wide, glass.stop + rows * grid.stride + wide)
        for rows, wide in _disc(reach_px)
    ]
    start, stop = (np.concatenate(ends) for ends in zip(*parts, strict=True))
    return joined(start, stop)


def _disc(reach_px: float) -> list[tuple[int, int]]:
    """Rows of the disc of pixels within reach of one: offset, and pixels to either side."""
    reach = math.floor(reach_px)
    around = np.ones((2 * reach + 3,) * 2, np.uint8)
    around[reach + 1, reach + 1] = 0
    within = cv2.distanceTransform(around, cv2.DIST_L2, 5) <= reach_px
    return [(k - reach - 1, int(row.sum()) // 2) for k, row in enumerate(within) if row.any()]


@dataclass(frozen=True)
class _Stack:
    """Tracts one below the other on a line of their own: there, none lies inside another.

    Attributes:
        filled: the tracts with their holes.
        line: (K,) the row of the stack that each tract begins at; one is free before each.
        offset: (K,) from a position on this line to the pixel's position on the grid.
        stride: of both.
    """

    filled: Spans
    line: Integers
    offset: Integers
    stride: int

    def pixels(self, part: Spans, among: Spans | None = None) -> Integers:
        """Pixels of a part of the stack in each tract, all or those that are set elsewhere."""
        tract = np.searchsorted(self.line, part.start // self.stride, side="right") - 1
        count = part.length
        if among is not None:
            here = shifted(part, self.offset[tract])
            count = among.set_before(here.stop) - among.set_before(here.start)
        return np.bincount(tract, count, len(self.line)).astype(np.int64)


def _stacked(tracts_px: Polygons, grid: Grid, origin_px: tuple[int, int]) -> _Stack:
    """Pixels inside the outer rings, which cross a row's line once at either end of a span."""
    bounds = shapely.bounds(tracts_px) - np.tile(origin_px, 2)
    top, bottom = bounds[:, 1].astype(np.int64), bounds[:, 3].astype(np.int64)
    line = np.cumsum(bottom - top + 1) - (bottom - top)
    tract, x, y0, y1 = _upright_edges(tracts_px, origin_px)
    rows = ranges(y0 + (line - top)[tract], y1 - y0)
    crossings = np.sort(rows * grid.stride + np.repeat(x, y1 - y0))
    offset = grid.at(np.zeros_like(top), top) - line * grid.stride
    return _Stack(Spans(crossings[::2], crossings[1::2]), line, offset, grid.stride)


def _upright_edges(
    tracts_px: Polygons, origin_px: tuple[int, int]
) -> tuple[Integers, Integers, Integers, Integers]:
    """Tract, x, upper and lower y of the edges along columns of the outer rings."""
    points, tract = shapely.get_coordinates(shapely.get_exterior_ring(tracts_px), return_index=True)
    x, y = (points - origin_px).astype(np.int64).T
    upright = np.flatnonzero((x[:-1] == x[1:]) & (tract[:-1] == tract[1:]))
    ends = np.sort([y[upright], y[upright + 1]], axis=0)
    return tract[upright], x[upright], ends[0], ends[1]


def _without_rim(mask: Spans, stride: int) -> Spans:
    """The pixels all eight neighbours of which are set."""
    narrow = mask.only(mask.length > 2)
    narrow = Spans(narrow.start + 1, narrow.stop - 1)
    return common(common(narrow, shifted(narrow, stride)), shifted(narrow, -stride))
