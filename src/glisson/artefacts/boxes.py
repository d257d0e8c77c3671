"""Work on the set pixels of a mask, in boxes around them, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxPx
from glisson.tissue.grid import Window, window_of
from glisson.tissue.tissue_map import Mask

Value = TypeVar("Value", np.bool_, np.float32)


def find_cells(mask: Mask, step_px: int) -> Iterator[BoxPx]:
    """Split a mask into cells, and yield the box around the set pixels of every occupied cell.

    Args:
        mask: (H, W).
        step_px: side of a cell.
    """
    height, width = mask.shape
    for y in range(0, height, step_px):
        band = mask[y : y + step_px].view(np.uint8)
        for x in range(0, width, step_px) if band.any() else ():
            left, top, across, down = cv2.boundingRect(band[:, x : x + step_px])
            if across:
                yield BoxPx(x + left, y + top, across, down)


def map_cells(
    mask: Mask,
    step_px: int,
    reach_px: int,
    look: Callable[[Window], NDArray[Value]],
    kind: type[Value],
) -> NDArray[Value]:
    """Call `look` around the set pixels of a mask; return its (H, W) values there, 0 elsewhere.

    Args:
        mask: (H, W).
        step_px: side of a cell.
        reach_px: surroundings of a pixel that `look` needs.
        look: returns values for a window of the grid, of the window's size.
        kind: type of the values.
    """
    found = np.zeros(mask.shape, kind)
    for box in find_cells(mask, step_px):
        wide, own = widen(box, reach_px, mask.shape), window_of(box)
        values = look(window_of(wide))[window_of(box, wide.x_px, wide.y_px)]
        found[own] = np.where(mask[own], values, 0)
    return found


def widen(box: BoxPx, halo_px: int, shape: tuple[int, ...]) -> BoxPx:
    """Widen a box by a halo, within the grid."""
    left, top = max(0, box.x_px - halo_px), max(0, box.y_px - halo_px)
    right = min(shape[1], box.x_px + box.width_px + halo_px)
    bottom = min(shape[0], box.y_px + box.height_px + halo_px)
    return BoxPx(left, top, right - left, bottom - top)
