"""A class map read block by block: its classes as spans, and the probabilities of tracts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, PORTAL
from glisson.frames import BoxPx
from glisson.masks.blocks import BLOCK_PX
from glisson.masks.runs import expand_ranges
from glisson.regions.clean import Labels
from glisson.regions.label_map import LabelMap
from glisson.regions.spans import Flags, Grid, Integers, Spans, joined, spans_of


def read_labels(label_map: LabelMap, box_px: BoxPx) -> Labels:
    """The classes inside a box."""
    grid = Grid(box_px.width_px, box_px.height_px)
    tissue, portal = _Ends(grid), _Ends(grid)
    for block in _blocks(box_px):
        labels = label_map.crop(block).labels
        if labels.any():
            corner = block.x_px - box_px.x_px, block.y_px - box_px.y_px
            tissue.add(labels != BACKGROUND.index, corner)
            portal.add(labels == PORTAL.index, corner)
    return Labels(grid, tissue.joined(), portal.joined())


class _Ends:
    """Spans of a mask that is put together from blocks."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._start, self._stop = [np.empty(0, np.int64)], [np.empty(0, np.int64)]

    def add(self, mask: Flags, corner: tuple[int, int]) -> None:
        row, start, stop = spans_of(mask)
        left, top = corner
        self._start.append(self._grid.at(start + left, row + top))
        self._stop.append(self._grid.at(stop + left, row + top))

    def joined(self) -> Spans:
        return joined(np.concatenate(self._start), np.concatenate(self._stop))


def tract_probabilities(
    label_map: LabelMap, box_px: BoxPx, portal: Spans, tract: Integers
) -> list[NDArray[np.float32]]:
    """Read the portal probabilities of each tract's pixels.

    Args:
        label_map: the class map.
        box_px: the box that the masks are of.
        portal: all tracts.
        tract: (N,) index of the tract that each span is part of; every index occurs.
    """
    order = np.argsort(tract, kind="stable")
    grid, portal = Grid(box_px.width_px, box_px.height_px), portal.only(order)
    values = _values(label_map, box_px, portal, grid)
    sizes = np.bincount(tract[order], weights=portal.length).astype(np.int64)
    return np.split(values, np.cumsum(sizes)[:-1]) if len(sizes) else []


def _values(label_map: LabelMap, box_px: BoxPx, spans: Spans, grid: Grid) -> NDArray[np.float32]:
    """The probabilities under all spans, span after span, each block read once."""
    x, y = grid.xy(spans.start)
    first, last = x // BLOCK_PX, (x + spans.length - 1) // BLOCK_PX
    span = np.repeat(np.arange(len(spans)), last - first + 1)
    column, row = expand_ranges(first, last - first + 1), y[span] // BLOCK_PX
    start = np.maximum(x[span], column * BLOCK_PX)
    stop = np.minimum((x + spans.length)[span], (column + 1) * BLOCK_PX)
    target = (np.cumsum(spans.length) - spans.length)[span] + start - x[span]
    values = np.empty(int(spans.length.sum()), np.float32)
    for own in _by_block(row, column):
        top, left = int(row[own[0]]) * BLOCK_PX, int(column[own[0]]) * BLOCK_PX
        seen = label_map.crop(_block(box_px, left, top)).portal_probability
        source = (y[span[own]] - top) * seen.shape[1] + start[own] - left
        count = (stop - start)[own]
        values[expand_ranges(target[own], count)] = seen.ravel()[expand_ranges(source, count)]
    return values


def _by_block(row: Integers, column: Integers) -> list[Integers]:
    """Indices of the pieces of spans in each block that has any."""
    order = np.lexsort((column, row))
    changed = (np.diff(row[order]) != 0) | (np.diff(column[order]) != 0)
    return [own for own in np.split(order, np.flatnonzero(changed) + 1) if len(own)]


def _blocks(box_px: BoxPx) -> Iterator[BoxPx]:
    for top in range(0, box_px.height_px, BLOCK_PX):
        for left in range(0, box_px.width_px, BLOCK_PX):
            yield _block(box_px, left, top)


def _block(box_px: BoxPx, left: int, top: int) -> BoxPx:
    """The part of a box from one of its own pixels on, at most a block large."""
    width, height = min(BLOCK_PX, box_px.width_px - left), min(BLOCK_PX, box_px.height_px - top)
    return BoxPx(box_px.x_px + left, box_px.y_px + top, width, height)
