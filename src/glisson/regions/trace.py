"""Masks to polygons, exactly: the area of a polygon is the area of its pixels.

Measured against the alternatives on a disc of 50 µm at 1 µm/px, a septum 8 px wide and a
square with a hole (`tests/regions/test_trace.py` repeats it): rasterio's 4-connected shapes
are exact and always valid; contourpy's filled contours at 0.5 cut every corner, which loses
0.3 to 6 % of small areas and joins regions that touch at a corner; OpenCV traces pixel
centres and loses 4 to 13 %.
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
