"""Tracts that have grown together, which cannot be counted one by one."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

_LENGTH_OF_WIDTH = 2.0
_SOLIDITY = 0.55

Polygons = NDArray[np.object_]
Widths = NDArray[np.float64]


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
    """Rough widths of pieces of tissue: twice the area over the perimeter."""
    return np.asarray(2 * shapely.area(pieces) / np.maximum(shapely.length(pieces), 1e-9))


def is_bridging(outline_px: Polygon, piece_px: Polygon) -> bool:
    """Whether one tract is, in one piece of tissue."""
    widths = core_widths(np.array([piece_px]))
    return bool(are_bridging(np.array([outline_px]), widths)[0])


def _long_sides(outlines: Polygons) -> NDArray[np.float64]:
    """Of the smallest rectangle round each."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outlines))
    sides = np.diff(corners.reshape(-1, 5, 2), axis=1)
    return np.hypot(sides[..., 0], sides[..., 1]).max(axis=1)
