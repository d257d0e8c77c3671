"""Connected pieces of a mask, kept as runs of pixels: their time is by what is set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glisson.masks.runs import Ints, Mask, Runs, ranges, runs


@dataclass(frozen=True)
class Pieces:
    """Pieces numbered from 0, in reading order of their first pixels.

    Attributes:
        runs: (R,) the mask's runs.
        number: (R,) the piece each run is part of.
        total: N, how many pieces there are.
    """

    runs: Runs
    number: NDArray[np.int32]
    total: int

    def __len__(self) -> int:
        return self.total

    @cached_property
    def area_px(self) -> Ints:
        """(N,) pixels of each piece."""
        return np.bincount(self.number, self.runs.length, len(self)).astype(np.int64)

    @cached_property
    def boxes_px(self) -> Ints:
        """(N, 4) left, top, width and height of each piece."""
        left, row = self.runs.left, self.runs.row
        low = np.full((2, len(self)), np.iinfo(np.int64).max)
        high = np.zeros((2, len(self)), np.int64)
        for axis, (first, end) in enumerate(((left, left + self.runs.length), (row, row + 1))):
            np.minimum.at(low[axis], self.number, first)
            np.maximum.at(high[axis], self.number, end)
        return np.concatenate([low, high - low]).T

    @cached_property
    def pixels(self) -> tuple[Ints, Ints, NDArray[np.int32]]:
        """(P,) row and column of each pixel, and the piece it is part of."""
        length = self.runs.length
        row, number = np.repeat(self.runs.row, length), np.repeat(self.number, length)
        return row, ranges(self.runs.left, length), number

    def only(self, chosen: NDArray[np.bool_]) -> Pieces:
        """The pieces chosen by number; they keep their numbers, the others are empty."""
        kept = chosen[self.number]
        found = Runs(self.runs.start[kept], self.runs.stop[kept], self.runs.shape)
        return Pieces(found, self.number[kept], self.total)

    def count(self, mask: Mask) -> Ints:
        """(N,) pixels of each piece inside a mask of the same shape."""
        others = runs(np.ascontiguousarray(mask, np.bool_))
        within = others.before(self.runs.stop) - others.before(self.runs.start)
        return np.bincount(self.number, within, len(self)).astype(np.int64)

    def share(self, mask: Mask) -> NDArray[np.float64]:
        """(N,) share of each piece inside a mask."""
        return np.asarray(self.count(mask) / np.maximum(self.area_px, 1))

    def select(self, chosen: NDArray[np.bool_]) -> Mask:
        """(H, W) bool, the pieces chosen by number."""
        selected = np.zeros(self.runs.shape, np.bool_)
        selected.reshape(-1)[self.runs.pixels(chosen[self.number])] = True
        return selected

    def write(self, values: NDArray[np.uint8], chosen: NDArray[np.bool_], value: int) -> None:
        """Write a value into (H, W) values where the pieces chosen by number are."""
        values.reshape(-1)[self.runs.pixels(chosen[self.number])] = value

    def at(self, row: int, column: int) -> int:
        """The piece that a pixel is part of."""
        place = row * (self.runs.shape[1] + 1) + column
        return int(self.number[np.searchsorted(self.runs.start, place, side="right") - 1])


def pieces(mask: Mask, connectivity: int = 8) -> Pieces:
    """Find a mask's connected pieces."""
    found = runs(np.ascontiguousarray(mask, np.bool_))
    total, number = found.connected(connectivity)
    return Pieces(found, number, total)
