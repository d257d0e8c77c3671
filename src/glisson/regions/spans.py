"""Masks as spans: rows end to end on a line, and the set parts of that line.

A mask of a biopsy has a few spans a row. So the cost of an operation follows the length of the
tissue's edge and not the slide's area. The whole map never exists as pixels. An unset pixel follows
every row, and an unset row lies above and below (`Grid`). So neighbours are a pixel, or a row's
length, apart on the line, and no pixel touches a border.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.masks.runs import find_runs, label_runs

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Spans:
    """A mask on a line.

    Attributes:
        start: (N,) first position of each span, ascending.
        stop: (N,) position after the last of each span; less than the next start.
    """

    start: Integers
    stop: Integers

    def __len__(self) -> int:
        return len(self.start)

    @property
    def length(self) -> Integers:
        """Return the (N,) lengths in pixels."""
        return self.stop - self.start

    def take(self, chosen: Flags | Integers) -> Spans:
        """Select spans by flag or by index."""
        return Spans(self.start[chosen], self.stop[chosen])

    def gaps(self, line_length: int) -> Spans:
        """Return the unset spans of the line from 0 to `line_length`, whose ends are unset."""
        return Spans(np.concatenate([[0], self.stop]), np.concatenate([self.start, [line_length]]))

    def index_of(self, position: Integers) -> Integers:
        """Return the index of the span that holds each position; -1 for an unset position."""
        index = np.searchsorted(self.start, position, side="right") - 1
        inside = index >= 0
        inside[inside] = position[inside] < self.stop[index[inside]]
        return np.where(inside, index, -1)


def merge_spans(parts: Sequence[Spans]) -> Spans:
    """Return the union of masks whose spans may touch and overlap."""
    empty = np.empty(0, np.int64)
    start = np.sort(np.concatenate([empty, *(part.start for part in parts)]))
    stop = np.sort(np.concatenate([empty, *(part.stop for part in parts)]))
    apart = np.ones(len(start) + 1, bool)
    # Where as many stops as starts lie before a start, no span is open.
    apart[1:-1] = stop[:-1] < start[1:]
    return Spans(start[apart[:-1]], stop[apart[1:]])


def label_components(spans: Spans, stride: int) -> Integers:
    """Label the (N,) spans with their 4-connected regions, from 0, in order of appearance.

    Args:
        spans: a mask.
        stride: distance on the line from a pixel to the pixel below it.
    """
    _, component = label_runs(spans.start, spans.stop, stride, reach=0)
    return component.astype(np.int64)


def count_pixels(spans: Spans, component: Integers) -> Integers:
    """Count the pixels of every region."""
    return np.bincount(component, weights=spans.length).astype(np.int64)


@dataclass(frozen=True)
class Grid:
    """Positions of a rectangle's pixels on the line.

    Attributes:
        width: pixels a row.
        height: rows.
    """

    width: int
    height: int

    @property
    def stride(self) -> int:
        """Return the distance from a pixel to the pixel below it."""
        return self.width + 1

    @property
    def line_length(self) -> int:
        """Return the length of all rows, with the unset rows above and below."""
        return self.stride * (self.height + 2)

    def at(self, x: Integers, y: Integers) -> Integers:
        """Return the positions of pixels."""
        return (y + 1) * self.stride + x

    def xy(self, position: Integers) -> tuple[Integers, Integers]:
        """Return the columns and rows of positions."""
        row, x = np.divmod(position, self.stride)
        return x, row - 1


def find_spans(mask: Flags, grid: Grid, left: int = 0, top: int = 0) -> Spans:
    """Find the spans of an (H, W) mask whose corner lies at (left, top) of the grid."""
    runs = find_runs(mask)
    start = grid.at(runs.left + left, runs.row + top)
    return Spans(start, start + runs.length)
