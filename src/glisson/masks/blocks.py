"""Maps stored as blocks where tissue is: the boxes that hold the blocks, and crops of the map."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from glisson.frames import BoxPx

BLOCK_PX = 512
BlockIndex = tuple[int, int]
Corners = tuple[int, int, int, int]


def find_boxes(blocks: Iterable[BlockIndex]) -> tuple[BoxPx, ...]:
    """Find disjoint boxes, in pixels, that hold all (row, column) blocks.

    Blocks that touch, corners included, share a box, so that no box cuts a connected piece of
    tissue; boxes that overlap are merged.
    """
    indices = np.array(list(blocks)).reshape(-1, 2)
    if len(indices) == 0:
        return ()
    grid = np.zeros(indices.max(axis=0) + 1, bool)
    grid[indices[:, 0], indices[:, 1]] = True
    component, _ = ndimage.label(grid, structure=np.ones((3, 3)))
    found = [
        (rows.start, columns.start, rows.stop, columns.stop)
        for rows, columns in ndimage.find_objects(component)
    ]
    return tuple(_box(corners) for corners in sorted(_merge(found)))


def assemble_crop(
    box_px: BoxPx, block_at: Callable[[BlockIndex], NDArray[Any] | None], dtype: Any
) -> NDArray[Any]:
    """Return the (H, W) values inside a box, which may reach beyond the map; 0 without a block."""
    picture = np.zeros((box_px.height_px, box_px.width_px), dtype)
    right, bottom = box_px.x_px + box_px.width_px, box_px.y_px + box_px.height_px
    for row in range(box_px.y_px // BLOCK_PX, -(-bottom // BLOCK_PX)):
        for column in range(box_px.x_px // BLOCK_PX, -(-right // BLOCK_PX)):
            block = block_at((row, column))
            if block is not None:
                paste(block, row * BLOCK_PX - box_px.y_px, column * BLOCK_PX - box_px.x_px, picture)
    return picture


def paste(block: NDArray[Any], top: int, left: int, picture: NDArray[Any]) -> None:
    """Copy into a picture the part that it shares with a block whose corner is at (top, left)."""
    rows = _clip(top, block.shape[0], picture.shape[0])
    columns = _clip(left, block.shape[1], picture.shape[1])
    source = block[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    picture[rows, columns] = source


def _clip(first: int, length: int, whole_length: int) -> slice:
    """Clip `length` pixels from `first` on to 0 ... `whole_length`; the slice may be empty."""
    start = max(first, 0)
    return slice(start, max(start, min(first + length, whole_length)))


def _merge(found: list[Corners]) -> list[Corners]:
    """Merge boxes (top, left, bottom, right), in blocks, until no two overlap."""
    boxes: list[Corners] = []
    for box in found:
        overlapping = [other for other in boxes if _overlap(box, other)]
        while overlapping:
            boxes = [other for other in boxes if other not in overlapping]
            tops, lefts, bottoms, rights = zip(box, *overlapping, strict=True)
            box = min(tops), min(lefts), max(bottoms), max(rights)
            overlapping = [other for other in boxes if _overlap(box, other)]
        boxes.append(box)
    return boxes


def _overlap(one: Corners, other: Corners) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _box(corners: Corners) -> BoxPx:
    top, left, bottom, right = (value * BLOCK_PX for value in corners)
    return BoxPx(left, top, right - left, bottom - top)
