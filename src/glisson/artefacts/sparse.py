"""Shape operations on masks that are nearly empty: their time is by what is set, not by the grid.

They give what those of `glisson.tissue.morphology` give; tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.boxes import boxes_of, by_cells, widened, window
from glisson.runs import ranges, runs
from glisson.tissue import morphology
from glisson.tissue.tissue_map import Mask

Integers = NDArray[np.int64]

_CELL_PX = 128


@dataclass(frozen=True)
class Pieces:
    """Connected pieces of a mask as runs of pixels along its rows, from the top left.

    Attributes:
        row: (R,) of each run.
        start: (R,) its first column.
        stop: (R,) the column after its last.
        number: (R,) the piece it is part of, from 0.
        shape: rows and columns of the mask.
    """

    row: Integers
    start: Integers
    stop: Integers
    number: Integers
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return int(self.number.max()) + 1 if len(self.number) else 0

    @cached_property
    def area_px(self) -> Integers:
        """(N,) pixels of each piece."""
        return np.bincount(self.number, self.stop - self.start, len(self)).astype(np.int64)

    @property
    def size_px(self) -> tuple[Integers, Integers]:
        """(N,) width and height of each piece's box."""
        return self._extent(self.start, self.stop), self._extent(self.row, self.row + 1)

    def _extent(self, low: Integers, high: Integers) -> Integers:
        first, last = np.full(len(self), max(self.shape)), np.zeros(len(self), np.int64)
        np.minimum.at(first, self.number, low)
        np.maximum.at(last, self.number, high)
        return last - first

    @cached_property
    def pixels(self) -> tuple[Integers, Integers, Integers]:
        """(P,) row and column of each pixel, and the piece it is part of."""
        length = self.stop - self.start
        row, number = np.repeat(self.row, length), np.repeat(self.number, length)
        return row, ranges(self.start, length), number

    def only(self, chosen: NDArray[np.bool_]) -> Pieces:
        """The pieces chosen by number; they keep their numbers."""
        k = chosen[self.number]
        return Pieces(self.row[k], self.start[k], self.stop[k], self.number[k], self.shape)

    def count(self, mask: Mask) -> Integers:
        """(N,) pixels of each piece inside a mask."""
        row, column, number = self.pixels
        return np.bincount(number[mask[row, column]], minlength=len(self))

    def share(self, mask: Mask) -> NDArray[np.float64]:
        """(N,) share of each piece inside a mask."""
        return self.count(mask) / self.area_px

    def select(self, chosen: NDArray[np.bool_]) -> Mask:
        """(H, W) bool, the pieces chosen by number."""
        mask = np.zeros(self.shape, bool)
        row, column, _ = self.only(chosen).pixels
        mask[row, column] = True
        return mask

    def at(self, row: int, column: int) -> int:
        """The piece that a pixel is part of."""
        width = self.shape[1]
        run = np.searchsorted(self.row * width + self.start, row * width + column, side="right")
        return int(self.number[run - 1])


def pieces(mask: Mask, connectivity: int = 8) -> Pieces:
    """Find a mask's connected pieces; they are numbered as they come from the top left."""
    found = runs(mask)
    number = found.connected(connectivity)[1].astype(np.int64)
    return Pieces(found.row, found.left, found.left + found.length, number, mask.shape)


def drop_specks(mask: Mask, area_um2: float, mpp: float) -> Mask:
    """Leave out connected pieces smaller than an area."""
    found = pieces(mask)
    return found.select(found.area_px * mpp**2 >= area_um2)


def dilate(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """Grow by a disc."""
    grown = np.zeros(mask.shape, bool)
    for box in boxes_of(mask, _CELL_PX):
        part = window(widened(box, _reach_px(radius_um, mpp), mask.shape))
        grown[part] |= morphology.dilate(mask[part], radius_um, mpp)
    return grown


def erode(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """Shrink by a disc; the grid's border does not eat."""
    reach_px = _reach_px(radius_um, mpp)
    return by_cells(
        mask,
        _CELL_PX,
        reach_px,
        lambda part: morphology.erode(mask[part], radius_um, mpp),
        np.bool_,
    )


def _reach_px(radius_um: float, mpp: float) -> int:
    return morphology.disc(radius_um, mpp).shape[0] // 2
