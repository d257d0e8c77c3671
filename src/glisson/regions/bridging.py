"""Bridging tracts: several tracts joined by septa, which cannot be counted one by one."""

from __future__ import annotations

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

_LENGTH_OF_WIDTH = 2.0
_SOLIDITY = 0.55

_CLEFT_OF_WIDTH = 0.3
"""Clefts up to this share of the width are closed, as for the length of cores (docs/measure.md)."""
_DEEPER_HALF = 3 / 8
"""Mean depth of the deeper half of a strip's area, as a share of the strip's width."""
_CELLS_ACROSS = 32
_MOST_CELLS = 2048
_ROUGHNESS = 1 / 4
_FRACTION_BITS = 4

Polygons = NDArray[np.object_]
Widths = NDArray[np.float64]
Mask = NDArray[np.uint8]


def are_bridging(outlines_px: Polygons, core_widths_px: Widths) -> NDArray[np.bool_]:
    """Decide which tracts bridge.

    A bridging tract is longer than twice the core's width. A tract longer than the core's width
    bridges, too, if it fills less than 55 % of its convex hull.

    Args:
        outlines_px: (K,) tracts' outlines, in any unit that is the same along x and y.
        core_widths_px: (K,) widths of their pieces of tissue, in the same unit.
    """
    solidity = shapely.area(outlines_px) / shapely.area(shapely.convex_hull(outlines_px))
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outlines_px))
    sides = np.diff(corners.reshape(-1, 5, 2), axis=1)
    length_px = np.hypot(sides[..., 0], sides[..., 1]).max(axis=1)
    long = length_px > _LENGTH_OF_WIDTH * core_widths_px
    return np.asarray(long | ((solidity < _SOLIDITY) & (length_px > core_widths_px)))


def measure_core_widths(pieces: Polygons) -> Widths:
    """Measure the (N,) widths of pieces of tissue, in their unit.

    The width is that of the strip whose deeper half has the same mean depth. Depth is the distance
    to the edge after clefts and holes narrower than 0.3 times the width are closed. The mean hardly
    depends on a piece's direction, ragged edges, tears or narrow places. A square of side 1 gives
    0.7.

    Args:
        pieces: (N,) outlines, smoothed or drawn.
    """
    return np.array([_measure_core_width(piece) for piece in pieces], float)


def _measure_core_width(piece: Polygon) -> float:
    rough = _estimate_width(piece)
    left, top, right, bottom = piece.bounds
    cell = max(rough / _CELLS_ACROSS, max(right - left, bottom - top) / _MOST_CELLS)
    reach = _CLEFT_OF_WIDTH / 2 * rough / cell
    outside = _draw_outside(piece, cell, round(reach) + 2)
    widened = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= reach
    inside = cv2.distanceTransform(widened.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    depth = np.asarray(inside[inside > reach] - reach, np.float32)
    half = len(depth) // 2
    return cell * float(np.partition(depth, half)[half:].mean()) / _DEEPER_HALF


def _estimate_width(piece: Polygon) -> float:
    """Divide twice the filled area by the perimeter, after simplifying away small spurs."""
    rim = piece.exterior
    area = Polygon(rim).area
    simple = shapely.simplify(rim, _ROUGHNESS * 2 * area / rim.length, preserve_topology=False)
    return float(2 * area / simple.length)


def _draw_outside(piece: Polygon, cell: float, margin: int) -> Mask:
    """Draw a piece's box and a margin as (H, W) cells: 0 in the piece, else 1."""
    left, top, right, bottom = piece.bounds
    corner = np.array([left, top]) - margin * cell
    width, height = np.ceil((np.array([right, bottom]) - corner) / cell).astype(int) + margin
    rings = [
        np.round((shapely.get_coordinates(ring) - corner) / cell * 2**_FRACTION_BITS).astype(int)
        for ring in shapely.get_rings(piece)
    ]
    mask = np.ones((height, width), np.uint8)
    cv2.fillPoly(mask, [ring.astype(np.int32) for ring in rings], (0,), shift=_FRACTION_BITS)
    return mask
