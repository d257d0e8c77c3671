"""Masks as spans: rows laid end to end on one line, and the pieces of the line that are set.

A mask of a biopsy is a few spans a row, so what is done to spans costs what the tissue's edge
is long, not what the slide is large; a mask of the whole map never exists as pixels. One pixel
that is not set follows every row, and one such row lies above and below (`Grid`): neighbours
are then a pixel, or a row's length, apart on the line, and nothing is at a border.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from glisson.masks.runs import expand_ranges

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Spans:
    """A mask on a line.

    Attributes:
        start: (N,) first position of each span, ascending.
        stop: (N,) the position after its last; less than the next start.
    """

    start: Integers
    stop: Integers

    def __len__(self) -> int:
        return len(self.start)

    @property
    def length(self) -> Integers:
        """(N,) pixels of each span."""
        return self.stop - self.start

    def only(self, kept: Flags | Integers) -> Spans:
        """Some of the spans, or all in another order."""
        return Spans(self.start[kept], self.stop[kept])

    def gaps(self, line_length: int) -> Spans:
        """What is not set of the line from 0 to `line_length`, whose ends are not set."""
        return Spans(np.concatenate([[0], self.stop]), np.concatenate([self.start, [line_length]]))

    def index_of(self, position: Integers) -> Integers:
        """The span that holds each position; -1 where it is not set."""
        index = np.searchsorted(self.start, position, side="right") - 1
        inside = index >= 0
        inside[inside] = position[inside] < self.stop[index[inside]]
        return np.where(inside, index, -1)


def joined(start: Integers, stop: Integers) -> Spans:
    """The union of spans in any order, which may touch and overlap."""
    start, stop = np.sort(start), np.sort(stop)
    apart = np.ones(len(start) + 1, bool)
    # As many stops lie before a start as spans do: here nothing is open.
    apart[1:-1] = stop[:-1] < start[1:]
    return Spans(start[apart[:-1]], stop[apart[1:]])


def united(one: Spans, other: Spans) -> Spans:
    """What is set in either."""
    return joined(np.concatenate([one.start, other.start]), np.concatenate([one.stop, other.stop]))


def overlapping(one: Spans, other: Spans) -> tuple[Integers, Integers]:
    """Indices of all pairs of spans that share a position, in order of the first."""
    low = np.searchsorted(other.stop, one.start, side="right")
    count = np.searchsorted(other.start, one.stop, side="left") - low
    return np.repeat(np.arange(len(one)), count), expand_ranges(low, count)


def shifted(spans: Spans, by: int) -> Spans:
    """All spans moved along the line."""
    return Spans(spans.start + by, spans.stop + by)


def components(spans: Spans, stride: int) -> Integers:
    """(N,) the 4-connected region that each span is part of, from 0, in order of appearance.

    Args:
        spans: a mask.
        stride: from a pixel to the one below it.
    """
    above, below = overlapping(shifted(spans, stride), spans)
    links = coo_array((np.ones(len(above), np.int8), (above, below)), (len(spans),) * 2)
    _, component = connected_components(links, directed=False)
    return np.asarray(component, np.int64)


def areas(spans: Spans, component: Integers) -> Integers:
    """Pixels of each region."""
    return np.bincount(component, weights=spans.length).astype(np.int64)


@dataclass(frozen=True)
class Grid:
    """How a rectangle of pixels lies on the line.

    Attributes:
        width: pixels a row.
        height: rows.
    """

    width: int
    height: int

    @property
    def stride(self) -> int:
        """From a pixel to the one below it."""
        return self.width + 1

    @property
    def line_length(self) -> int:
        """Of all rows, with the one above and the one below."""
        return self.stride * (self.height + 2)

    def at(self, x: Integers, y: Integers) -> Integers:
        """Positions of pixels."""
        return (y + 1) * self.stride + x

    def xy(self, position: Integers) -> tuple[Integers, Integers]:
        """Column and row of positions."""
        row, x = np.divmod(position, self.stride)
        return x, row - 1


def spans_of(mask: Flags) -> tuple[Integers, Integers, Integers]:
    """Row, first column and column after the last of the spans of a mask (H, W)."""
    found = find_runs(mask)
    return found.row, found.left, found.left + found.length
