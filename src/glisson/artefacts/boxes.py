"""Work on a mask where something is set: boxes around what is, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxPx
from glisson.tissue.tissue_map import Mask

Window = tuple[slice, slice]
Value = TypeVar("Value", np.bool_, np.float32)


def boxes_of(mask: Mask, step_px: int) -> Iterator[BoxPx]:
    """Cells of a lattice, each cut down to what is set in it; cells with nothing are left out.

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


def by_cells(
    mask: Mask,
    step_px: int,
    reach_px: int,
    look: Callable[[Window], NDArray[Value]],
    kind: type[Value],
) -> NDArray[Value]:
    """(H, W) what `look` answers for each pixel of a mask; 0 elsewhere.

    Args:
        mask: (H, W).
        step_px: side of a cell.
        reach_px: how far around a pixel `look` needs to see.
        look: values of a window of the grid, of the window's size.
        kind: of the values.
    """
    found = np.zeros(mask.shape, kind)
    for box in boxes_of(mask, step_px):
        wide = widened(box, reach_px, mask.shape)
        seen = look(window(wide))[within(box, wide)]
        found[window(box)] = np.where(mask[window(box)], seen, 0)
    return found


def widened(box: BoxPx, halo_px: int, shape: tuple[int, ...]) -> BoxPx:
    """A box with its surroundings, as far as the grid reaches."""
    left, top = max(0, box.x_px - halo_px), max(0, box.y_px - halo_px)
    right = min(shape[1], box.x_px + box.width_px + halo_px)
    bottom = min(shape[0], box.y_px + box.height_px + halo_px)
    return BoxPx(left, top, right - left, bottom - top)


def window(box: BoxPx) -> Window:
    """Rows and columns of a box."""
    return np.s_[box.y_px : box.y_px + box.height_px, box.x_px : box.x_px + box.width_px]


def within(box: BoxPx, wide: BoxPx) -> Window:
    """Rows and columns of a box in a wider one."""
    y, x = box.y_px - wide.y_px, box.x_px - wide.x_px
    return np.s_[y : y + box.height_px, x : x + box.width_px]
