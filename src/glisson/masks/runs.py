"""A mask as its runs along rows: thousands of numbers where the mask has millions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """The (R,) runs of set pixels, in reading order.

    Attributes:
        start, stop: positions counted along rows of `width` + 1 pixels, the last one empty,
            so that no run goes on in the next row; `stop` is the first one after the run.
        shape: (H, W) of the mask.
    """

    start: Ints
    stop: Ints
    shape: tuple[int, int]

    @property
    def length(self) -> Ints:
        """(R,) pixels of each run."""
        return self.stop - self.start

    @property
    def row(self) -> Ints:
        """(R,) row of each run."""
        return self.start // (self.shape[1] + 1)

    @property
    def left(self) -> Ints:
        """(R,) first column of each run."""
        return self.start % (self.shape[1] + 1)

    def pixels(self, chosen: NDArray[np.bool_]) -> Ints:
        """Places in the flattened mask of the pixels of the chosen runs."""
        length = self.length[chosen]
        return ranges((self.start - self.row)[chosen], length)

    def before(self, place: Ints) -> Ints:
        """How many set pixels come before each place, counted as `start` is."""
        total = np.concatenate([[0], np.cumsum(self.length)])
        run = np.searchsorted(self.start, place)
        beyond = np.concatenate([[0], self.stop])[run] - place
        return np.asarray(total[run] - np.maximum(beyond, 0))

    def connected(self, connectivity: int) -> tuple[int, NDArray[np.int32]]:
        """How many connected pieces there are, and (R,) the number of each run's, from 0.

        Pieces are numbered in reading order of their first pixels.
        """
        below, above = self._touching(reach=1 if connectivity == 8 else 0)
        ones = np.ones(len(below), np.uint8)
        graph = sparse.coo_array((ones, (below, above)), (len(self.start), len(self.start)))
        count, number = sparse.csgraph.connected_components(graph, directed=False)
        return int(count), number

    def _touching(self, reach: int) -> tuple[Ints, Ints]:
        """Pairs of runs in neighbouring rows that touch: the lower one and the upper one."""
        width = self.shape[1] + 1
        first = np.searchsorted(self.stop, self.start - width - reach, side="right")
        end = np.searchsorted(self.start, self.stop - width + reach, side="left")
        count = end - first
        return np.repeat(np.arange(len(count)), count), ranges(first, count)


def runs(mask: Mask) -> Runs:
    """The runs of a (H, W) mask."""
    height, width = mask.shape
    line = np.zeros(height * (width + 1) + 1, np.bool_)
    line[1:].reshape(height, width + 1)[:, :width] = mask
    ends = np.flatnonzero(line[1:] != line[:-1])
    return Runs(ends[0::2], ends[1::2], (height, width))


def ranges(first: Ints, count: Ints) -> Ints:
    """The numbers from each `first` on, `count` of them, one range after the other."""
    before = np.cumsum(count) - count
    return np.asarray(np.repeat(first - before, count) + np.arange(count.sum()))
