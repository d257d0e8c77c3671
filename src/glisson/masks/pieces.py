"""Connected pieces of a mask, stored as runs: the time depends on the set pixels alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glisson.masks.runs import Ints, Mask, Runs, expand_ranges, find_runs


@dataclass(frozen=True)
class Pieces:
    """Pieces numbered from 0, in reading order of their first pixels.

    Attributes:
        runs: (R,) the mask's runs.
        number: (R,) number of the piece that holds each run.
        total: N, number of pieces.
    """

    runs: Runs
    number: NDArray[np.int32]
    total: int

    def __len__(self) -> int:
        return self.total

    @cached_property
    def area_px(self) -> Ints:
        """Return the (N,) areas of the pieces in pixels."""
        return np.bincount(self.number, self.runs.length, len(self)).astype(np.int64)

    @cached_property
    def boxes_px(self) -> Ints:
        """Return the (N, 4) boxes of the pieces: left, top, width, height."""
        left, row = self.runs.left, self.runs.row
        low = np.full((2, len(self)), np.iinfo(np.int64).max)
        high = np.zeros((2, len(self)), np.int64)
        for axis, (first, end) in enumerate(((left, left + self.runs.length), (row, row + 1))):
            np.minimum.at(low[axis], self.number, first)
            np.maximum.at(high[axis], self.number, end)
        return np.concatenate([low, high - low]).T

    @cached_property
    def pixels(self) -> tuple[Ints, Ints, NDArray[np.int32]]:
        """Return the (P,) rows, columns and piece numbers of all pixels."""
        length = self.runs.length
        row, number = np.repeat(self.runs.row, length), np.repeat(self.number, length)
        return row, expand_ranges(self.runs.left, length), number

    def filter(self, chosen: NDArray[np.bool_]) -> Pieces:
        """Empty the pieces that are not chosen; `chosen` is (N,), and numbers stay."""
        rows = chosen[self.number]
        runs = Runs(self.runs.start[rows], self.runs.stop[rows], self.runs.shape)
        return Pieces(runs, self.number[rows], self.total)

    def count(self, mask: Mask) -> Ints:
        """Count each piece's (N,) pixels inside a mask of the same shape."""
        others = find_runs(np.ascontiguousarray(mask, np.bool_))
        within = others.count_before(self.runs.stop) - others.count_before(self.runs.start)
        return np.bincount(self.number, within, len(self)).astype(np.int64)

    def share(self, mask: Mask) -> NDArray[np.float64]:
        """Return each piece's (N,) share inside a mask, 0 to 1."""
        return np.asarray(self.count(mask) / np.maximum(self.area_px, 1))

    def select(self, chosen: NDArray[np.bool_]) -> Mask:
        """Draw the chosen pieces as an (H, W) mask; `chosen` is (N,)."""
        selected = np.zeros(self.runs.shape, np.bool_)
        selected.reshape(-1)[self.runs.pixels(chosen[self.number])] = True
        return selected

    def write(self, values: NDArray[np.uint8], chosen: NDArray[np.bool_], value: int) -> None:
        """Write a value into (H, W) `values` where the chosen pieces lie; `chosen` is (N,)."""
        values.reshape(-1)[self.runs.pixels(chosen[self.number])] = value

    def at(self, row: int, column: int) -> int:
        """Return the number of the piece that holds a set pixel."""
        place = row * (self.runs.shape[1] + 1) + column
        return int(self.number[np.searchsorted(self.runs.start, place, side="right") - 1])


def find_pieces(mask: Mask, connectivity: int = 8) -> Pieces:
    """Find a mask's pieces, 4- or 8-connected."""
    runs = find_runs(np.ascontiguousarray(mask, np.bool_))
    total, number = runs.label(connectivity)
    return Pieces(runs, number, total)
