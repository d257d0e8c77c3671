"""Tracts that have grown together, which cannot be counted one by one."""

from __future__ import annotations

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

_LENGTH_OF_WIDTH = 2.0
_SOLIDITY = 0.55

_CLEFT_OF_WIDTH = 0.3
"""As for the length of cores (docs/measure.md)."""
_DEEPER_HALF = 3 / 8
"""Of a strip's width: how deep the half of its area that lies deeper does so on average."""
_CELLS_ACROSS = 32
_MOST_CELLS = 2048
_ROUGHNESS = 1 / 4
_FRACTION_BITS = 4

Polygons = NDArray[np.object_]
Widths = NDArray[np.float64]
Mask = NDArray[np.uint8]


def are_bridging(outlines_px: Polygons, core_widths_px: Widths) -> NDArray[np.bool_]:
    """Longer than twice the core's width and ragged, or so branched that it fills little
    of its hull: several tracts joined by septa.

    Args:
        outlines_px: (K,) tracts' outlines, in any unit that is the same along x and y.
        core_widths_px: (K,) of the pieces of tissue they lie in, in the same.
    """
    solidity = shapely.area(outlines_px) / shapely.area(shapely.convex_hull(outlines_px))
    length_px = _long_sides(outlines_px)
    long = length_px > _LENGTH_OF_WIDTH * core_widths_px
    return np.asarray(long | ((solidity < _SOLIDITY) & (length_px > core_widths_px)))


def core_widths(pieces: Polygons) -> Widths:
    """(N,) widths of pieces of tissue, in their unit: of the strip that is as deep inside.

    Depth is the way to the edge, clefts and holes narrower than 0.3 times the width closed. Its
    mean over the deeper half of the area hardly depends on the direction that a piece lies in,
    on ragged edges, or on tears and narrow places here and there. Of a square, it is 0.7 sides.

    Args:
        pieces: (N,) outlines, smoothed or drawn.
    """
    return np.array([_core_width(piece) for piece in pieces], float)


def _core_width(piece: Polygon) -> float:
    rough = _rough_width(piece)
    left, top, right, bottom = piece.bounds
    cell = max(rough / _CELLS_ACROSS, max(right - left, bottom - top) / _MOST_CELLS)
    reach = _CLEFT_OF_WIDTH / 2 * rough / cell
    depth = _depths(_outside(piece, cell, round(reach) + 2), reach)
    half = len(depth) // 2
    return cell * float(np.partition(depth, half)[half:].mean()) / _DEEPER_HALF


def _rough_width(piece: Polygon) -> float:
    """Twice the filled area over the perimeter, with what sticks out far less than that cut."""
    rim = piece.exterior
    area = Polygon(rim).area
    simple = shapely.simplify(rim, _ROUGHNESS * 2 * area / rim.length, preserve_topology=False)
    return float(2 * area / simple.length)


def _outside(piece: Polygon, cell: float, margin: int) -> Mask:
    """(H, W) cells of a piece's box and a margin round it: 0 in the piece, else 1."""
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


def _depths(outside: Mask, reach: float) -> NDArray[np.float32]:
    """Ways to the edge from each cell inside, in cells, after a closing by so many."""
    widened = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= reach
    inside = cv2.distanceTransform(widened.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(inside[inside > reach] - reach, np.float32)


def _long_sides(outlines: Polygons) -> NDArray[np.float64]:
    """Of the smallest rectangle round each."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outlines))
    sides = np.diff(corners.reshape(-1, 5, 2), axis=1)
    return np.hypot(sides[..., 0], sides[..., 1]).max(axis=1)
