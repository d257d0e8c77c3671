"""Maps kept in blocks where tissue is: which boxes hold them, and crops put together."""

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


def occupied_boxes(blocks: Iterable[BlockIndex]) -> tuple[BoxPx, ...]:
    """Disjoint boxes, in pixels, that hold all (row, column) blocks; nothing connected is cut.

    Blocks that touch, corners included, share a box; boxes that overlap become one.
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
    return tuple(_box(corners) for corners in sorted(_merged(found)))


def assembled(
    box_px: BoxPx, block_at: Callable[[BlockIndex], NDArray[Any] | None], dtype: Any
) -> NDArray[Any]:
    """(H, W) values inside a box, 0 where there is no block; the box may reach beyond the map."""
    picture = np.zeros((box_px.height_px, box_px.width_px), dtype)
    right, bottom = box_px.x_px + box_px.width_px, box_px.y_px + box_px.height_px
    for row in range(box_px.y_px // BLOCK_PX, -(-bottom // BLOCK_PX)):
        for column in range(box_px.x_px // BLOCK_PX, -(-right // BLOCK_PX)):
            block = block_at((row, column))
            if block is not None:
                paste(block, row * BLOCK_PX - box_px.y_px, column * BLOCK_PX - box_px.x_px, picture)
    return picture


def paste(block: NDArray[Any], top: int, left: int, picture: NDArray[Any]) -> None:
    """Copy what lies inside of a block whose corner is at (top, left), anywhere, into a picture."""
    rows = _inside(top, block.shape[0], picture.shape[0])
    columns = _inside(left, block.shape[1], picture.shape[1])
    source = block[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    picture[rows, columns] = source


def _inside(first: int, length: int, whole: int) -> slice:
    """The part of a whole that a length from `first` on covers; empty, beside it, at its place."""
    start = max(first, 0)
    return slice(start, max(start, min(first + length, whole)))


def _merged(found: list[Corners]) -> list[Corners]:
    """Block boxes (top, left, bottom, right) joined until none overlaps another."""
    boxes: list[Corners] = []
    for box in found:
        overlapping = [other for other in boxes if _overlap(box, other)]
        while overlapping:
            boxes = [other for other in boxes if other not in overlapping]
            box = _around([box, *overlapping])
            overlapping = [other for other in boxes if _overlap(box, other)]
        boxes.append(box)
    return boxes


def _overlap(one: Corners, other: Corners) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _around(boxes: list[Corners]) -> Corners:
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    return min(tops), min(lefts), max(bottoms), max(rights)


def _box(corners: Corners) -> BoxPx:
    top, left, bottom, right = (value * BLOCK_PX for value in corners)
    return BoxPx(left, top, right - left, bottom - top)
