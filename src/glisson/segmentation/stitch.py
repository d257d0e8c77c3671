"""Stitch overlapping windows: weighted sums divided by the sum of the weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glisson.classes import CLASSES, PORTAL
from glisson.frames import BoxPx
from glisson.masks.blocks import BLOCK_PX, BlockIndex
from glisson.segmentation.class_map import ClassMap

Probabilities = NDArray[np.float32]
Mask = NDArray[np.bool_]


def taper(window_px: int, stride_px: int) -> Probabilities:
    """Return (N, N) weights: 1 in the middle, falling linearly over the overlap, never 0.

    A prediction is least certain at its window's edge, where the model sees one side only.
    """
    ramp_px = max(window_px - stride_px, 1)
    position = np.arange(window_px) + 0.5
    side = np.minimum(position, window_px - position) / ramp_px
    line = np.clip(side, 1e-3, 1.0)
    return np.outer(line, line).astype(np.float32)


class Stitcher:
    """Sums of windows; a block is finished with the last window that touches it.

    Args:
        class_map: receives finished blocks.
        windows: all windows to come.
        weight: (N, N) weights of a window's pixels.
        tissue_in: returns (H, W) tissue for a box; the rest is background.
    """

    def __init__(
        self,
        class_map: ClassMap,
        windows: tuple[BoxPx, ...],
        weight: Probabilities,
        tissue_in: Callable[[BoxPx], Mask],
    ) -> None:
        self._map = class_map
        self._weight = weight
        self._tissue_in = tissue_in
        self._awaited = Counter(block for box in windows for block in _blocks_of(box))
        self._sums: dict[BlockIndex, Probabilities] = {}

    def add(self, box_px: BoxPx, probabilities: Probabilities, readable: Mask) -> None:
        """Add a window.

        Args:
            box_px: its place on the model's grid.
            probabilities: (C, H, W).
            readable: (H, W) pixels that could be read.
        """
        weight = self._weight if readable.all() else self._weight * readable
        for block in _blocks_of(box_px):
            self._add_to_block(block, box_px, probabilities, weight)
            self._awaited[block] -= 1
            if self._awaited[block] == 0:
                self._finish(block)

    def _add_to_block(
        self, block: BlockIndex, box_px: BoxPx, probabilities: Probabilities, weight: Probabilities
    ) -> None:
        sums = self._sums.get(block)
        if sums is None:
            sums = np.zeros((len(CLASSES) + 1, BLOCK_PX, BLOCK_PX), np.float32)
            self._sums[block] = sums
        top, left = box_px.y_px - block[0] * BLOCK_PX, box_px.x_px - block[1] * BLOCK_PX
        rows = slice(max(top, 0), min(top + box_px.height_px, BLOCK_PX))
        columns = slice(max(left, 0), min(left + box_px.width_px, BLOCK_PX))
        part = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        sums[-1, rows, columns] += weight[part]
        sums[:-1, rows, columns] += probabilities[:, *part] * weight[part]

    def _finish(self, block: BlockIndex) -> None:
        sums = self._sums.pop(block)
        tissue = self._tissue_in(
            BoxPx(block[1] * BLOCK_PX, block[0] * BLOCK_PX, BLOCK_PX, BLOCK_PX)
        )
        seen = sums[-1] > 0
        known = tissue & seen
        portal = sums[PORTAL.index] / np.maximum(sums[-1], 1e-9)
        self._map.put(*block, _argmax(sums) * known, portal * known)
        lost_px = int(np.count_nonzero(tissue & ~seen))
        self._map.unreadable_um2 += lost_px * self._map.frame.mpp**2


def _argmax(sums: Probabilities) -> NDArray[np.uint8]:
    """Return the (H, W) class with the largest of (C, H, W) sums; the first of equals."""
    labels = np.zeros(sums.shape[1:], np.uint8)
    largest = sums[0]
    for index in range(1, len(CLASSES)):
        larger = sums[index] > largest
        labels[larger] = index
        largest = np.maximum(largest, sums[index])
    return labels


def _blocks_of(box_px: BoxPx) -> list[BlockIndex]:
    """List the blocks that a window touches, without negative indices."""
    first_row, first_column = max(box_px.y_px, 0) // BLOCK_PX, max(box_px.x_px, 0) // BLOCK_PX
    last_row = (box_px.y_px + box_px.height_px - 1) // BLOCK_PX
    last_column = (box_px.x_px + box_px.width_px - 1) // BLOCK_PX
    return [
        (row, column)
        for row in range(first_row, last_row + 1)
        for column in range(first_column, last_column + 1)
    ]
