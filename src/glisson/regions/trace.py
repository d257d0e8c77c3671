"""Masks to polygons, exactly: the area of a polygon is the area of its pixels.

Measured on a disc of 50 px, a septum 8 px wide, a square with a hole and two squares that
touch at a corner: rasterio's 4-connected shapes are exact. contourpy 1.3 (filled contours at
0.5) is valid and within 0.5 %, but cuts corners, so not exact. OpenCV traces pixel centres
and loses 3.6 to 31 %.
"""

from __future__ import annotations

import numpy as np
import rasterio.features
from numpy.typing import NDArray
from shapely import Polygon


def trace_mask(mask: NDArray[np.bool_], origin_px: tuple[int, int] = (0, 0)) -> list[Polygon]:
    """Polygons of the 4-connected regions of a mask, holes kept, ordered from the top left.

    Args:
        mask: (H, W).
        origin_px: (x, y) of the mask's corner; added to every coordinate.
    """
    shapes = rasterio.features.shapes(mask.astype(np.uint8), mask=mask, connectivity=4)
    polygons = [_polygon(shape["coordinates"], origin_px) for shape, _ in shapes]
    return sorted(polygons, key=lambda polygon: (polygon.bounds[1], polygon.bounds[0]))


def _polygon(rings: list[list[tuple[float, float]]], origin_px: tuple[int, int]) -> Polygon:
    moved = [np.asarray(ring) + origin_px for ring in rings]
    return Polygon(moved[0], moved[1:])
