"""Fill polygons as pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry


def fill_areas(
    areas_px: Sequence[BaseGeometry], shape: tuple[int, int], left: int = 0, top: int = 0
) -> NDArray[np.bool_]:
    """Return the pixels of a window whose centres lie inside any area.

    Args:
        areas_px: polygons or multipolygons, in pixels.
        shape: (H, W) of the window.
        left: x of the window's first column, in the same pixels.
        top: y of its first row.
    """
    filled = np.zeros(shape, bool)
    for area in areas_px:
        if area.is_empty:
            continue
        x0, y0, x1, y1 = area.bounds
        first_x, last_x = max(math.floor(x0) - left, 0), min(math.ceil(x1) - left, shape[1])
        first_y, last_y = max(math.floor(y0) - top, 0), min(math.ceil(y1) - top, shape[0])
        if first_x >= last_x or first_y >= last_y:
            continue
        shapely.prepare(area)
        x = np.arange(first_x, last_x) + (left + 0.5)
        y = np.arange(first_y, last_y) + (top + 0.5)
        filled[first_y:last_y, first_x:last_x] |= shapely.contains_xy(area, x, y[:, None])
    return filled
