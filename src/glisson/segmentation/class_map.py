"""The class map: blocks where tissue is, nothing for glass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from glisson.classes import BACKGROUND
from glisson.frames import BoxPx, Frame, Size

BLOCK_PX = 512
_PROBABILITY_STEPS = 255

Labels = NDArray[np.uint8]
BlockIndex = tuple[int, int]


@dataclass(frozen=True)
class ClassCrop:
    """A rectangle of a class map.

    Attributes:
        labels: (H, W) uint8 class indices.
        portal_probability: (H, W) float32, 0 to 1, in steps of 1/255.
    """

    labels: Labels
    portal_probability: NDArray[np.float32]


class ClassMap:
    """Classes and portal probabilities of a slide, in blocks of 512 x 512 px.

    Attributes:
        frame: the grid.
        size_px: the slide on that grid.
        unreadable_um2: tissue area that could not be read; it is background here.
    """

    def __init__(self, frame: Frame, size_px: Size) -> None:
        self.frame = frame
        self.size_px = size_px
        self.unreadable_um2 = 0.0
        self._blocks: dict[BlockIndex, tuple[Labels, Labels]] = {}

    def put(
        self, row: int, column: int, labels: Labels, portal_probability: NDArray[np.float32]
    ) -> None:
        """Store one finished block; all background is not stored."""
        if (labels != BACKGROUND.index).any():
            scaled = np.rint(portal_probability * _PROBABILITY_STEPS).astype(np.uint8)
            self._blocks[row, column] = (labels, scaled)

    @property
    def blocks(self) -> tuple[BlockIndex, ...]:
        """(row, column) of every stored block, in reading order."""
        return tuple(sorted(self._blocks))

    def crop(self, box_px: BoxPx) -> ClassCrop:
        """The map inside a box, which may reach beyond the slide."""
        labels = np.zeros((box_px.height_px, box_px.width_px), np.uint8)
        probability = np.zeros(labels.shape, np.float32)
        for row in range(box_px.y_px // BLOCK_PX, -(-(box_px.y_px + box_px.height_px) // BLOCK_PX)):
            for column in range(
                box_px.x_px // BLOCK_PX, -(-(box_px.x_px + box_px.width_px) // BLOCK_PX)
            ):
                self._copy(row, column, box_px, labels, probability)
        return ClassCrop(labels, probability)

    def _copy(
        self, row: int, column: int, box_px: BoxPx, labels: Labels, probability: NDArray[np.float32]
    ) -> None:
        block = self._blocks.get((row, column))
        if block is None:
            return
        top, left = row * BLOCK_PX - box_px.y_px, column * BLOCK_PX - box_px.x_px
        first_row, first_column = max(-top, 0), max(-left, 0)
        rows = slice(max(top, 0), min(top + BLOCK_PX, box_px.height_px))
        columns = slice(max(left, 0), min(left + BLOCK_PX, box_px.width_px))
        source = (
            slice(first_row, first_row + rows.stop - rows.start),
            slice(first_column, first_column + columns.stop - columns.start),
        )
        labels[rows, columns] = block[0][source]
        probability[rows, columns] = block[1][source] / np.float32(_PROBABILITY_STEPS)

    def boxes(self) -> tuple[BoxPx, ...]:
        """Disjoint boxes that hold all tissue; no connected piece of it is cut.

        Blocks that touch, corners included, share a box; boxes that overlap become one.
        """
        if not self._blocks:
            return ()
        grid = self._occupied()
        component, _ = ndimage.label(grid, structure=np.ones((3, 3)))
        found = [
            (rows.start, columns.start, rows.stop, columns.stop)
            for rows, columns in ndimage.find_objects(component)
        ]
        return tuple(_box(corners) for corners in sorted(_merged(found)))

    def _occupied(self) -> NDArray[np.bool_]:
        rows, columns = np.array(list(self._blocks)).T
        grid = np.zeros((rows.max() + 1, columns.max() + 1), bool)
        grid[rows, columns] = True
        return grid


Corners = tuple[int, int, int, int]


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
