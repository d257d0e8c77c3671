"""A mask as runs along its rows: thousands of numbers where the mask has millions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """(R,) runs of set pixels, in reading order.

    Attributes:
        start, stop: positions counted along rows of `width` + 1 pixels, the last one empty,
            so that no run continues in the next row; `stop` is the first one after the run.
        shape: (H, W) of the mask.
    """

    start: Ints
    stop: Ints
    shape: tuple[int, int]

    @property
    def length(self) -> Ints:
        """Return the (R,) lengths in pixels."""
        return self.stop - self.start

    @property
    def row(self) -> Ints:
        """Return the (R,) rows."""
        return self.start // (self.shape[1] + 1)

    @property
    def left(self) -> Ints:
        """Return the (R,) first columns."""
        return self.start % (self.shape[1] + 1)

    def pixels(self, chosen: NDArray[np.bool_]) -> Ints:
        """Return the flat indices, in the mask, of the chosen runs' pixels; `chosen` is (R,)."""
        length = self.length[chosen]
        return expand_ranges((self.start - self.row)[chosen], length)

    def count_before(self, place: Ints) -> Ints:
        """Count the set pixels before each place; a place is counted as `start` is."""
        total = np.concatenate([[0], np.cumsum(self.length)])
        run = np.searchsorted(self.start, place)
        beyond = np.concatenate([[0], self.stop])[run] - place
        return np.asarray(total[run] - np.maximum(beyond, 0))

    def label(self, connectivity: int) -> tuple[int, NDArray[np.int32]]:
        """Count the 4- or 8-connected pieces, and return each run's (R,) piece number from 0.

        Pieces are numbered in reading order of their first pixels.
        """
        reach = 1 if connectivity == 8 else 0
        return label_runs(self.start, self.stop, self.shape[1] + 1, reach)


def find_runs(mask: Mask) -> Runs:
    """Find the runs of an (H, W) mask."""
    height, width = mask.shape
    line = np.zeros(height * (width + 1) + 1, np.bool_)
    line[1:].reshape(height, width + 1)[:, :width] = mask
    ends = np.flatnonzero(line[1:] != line[:-1])
    return Runs(ends[0::2], ends[1::2], (height, width))


def label_runs(start: Ints, stop: Ints, stride: int, reach: int) -> tuple[int, NDArray[np.int32]]:
    """Count the connected pieces of (R,) runs, and return each run's (R,) piece number from 0.

    Args:
        start: first position of each run on a line of rows, ascending.
        stop: position after the last of each run.
        stride: distance on the line from a pixel to the pixel below it.
        reach: 0 for 4-connected pieces, 1 for 8-connected pieces.
    """
    first = np.searchsorted(stop, start - stride - reach, side="right")
    count = np.searchsorted(start, stop - stride + reach, side="left") - first
    below, above = np.repeat(np.arange(len(count)), count), expand_ranges(first, count)
    ones = np.ones(len(below), np.uint8)
    graph = sparse.coo_array((ones, (below, above)), (len(start), len(start)))
    total, number = sparse.csgraph.connected_components(graph, directed=False)
    return int(total), number


def expand_ranges(first: Ints, count: Ints) -> Ints:
    """Concatenate the ranges of `count` numbers from each `first` on."""
    before = np.cumsum(count) - count
    return np.asarray(np.repeat(first - before, count) + np.arange(count.sum()))
