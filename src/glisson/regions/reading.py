"""Read a class map block by block: its classes as spans, and the probabilities of tracts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, PORTAL
from glisson.frames import BoxPx
from glisson.masks.blocks import BLOCK_PX
from glisson.masks.runs import expand_ranges
from glisson.regions.clean import Labels
from glisson.regions.label_map import LabelMap
from glisson.regions.spans import Grid, Integers, Spans, find_spans, merge_spans


def read_labels(label_map: LabelMap, box_px: BoxPx) -> Labels:
    """Read the classes inside a box."""
    grid = Grid(box_px.width_px, box_px.height_px)
    tissue, portal = list[Spans](), list[Spans]()
    for top in range(0, box_px.height_px, BLOCK_PX):
        for left in range(0, box_px.width_px, BLOCK_PX):
            labels = label_map.crop(_block(box_px, left, top)).labels
            if labels.any():
                tissue.append(find_spans(labels != BACKGROUND.index, grid, left, top))
                portal.append(find_spans(labels == PORTAL.index, grid, left, top))
    return Labels(grid, merge_spans(tissue), merge_spans(portal))


def read_probabilities(
    label_map: LabelMap, box_px: BoxPx, portal: Spans, tract: Integers
) -> list[NDArray[np.float32]]:
    """Read the portal probabilities of every tract's pixels.

    Args:
        label_map: the class map.
        box_px: the box of the spans.
        portal: all tracts.
        tract: (N,) index of each span's tract; every index occurs.
    """
    order = np.argsort(tract, kind="stable")
    grid, portal = Grid(box_px.width_px, box_px.height_px), portal.take(order)
    values = _read_values(label_map, box_px, portal, grid)
    sizes = np.bincount(tract[order], weights=portal.length).astype(np.int64)
    return np.split(values, np.cumsum(sizes)[:-1]) if len(sizes) else []


def _read_values(
    label_map: LabelMap, box_px: BoxPx, spans: Spans, grid: Grid
) -> NDArray[np.float32]:
    """Read the probabilities under all spans, span after span; read every block once."""
    x, y = grid.xy(spans.start)
    first, last = x // BLOCK_PX, (x + spans.length - 1) // BLOCK_PX
    span = np.repeat(np.arange(len(spans)), last - first + 1)
    column, row = expand_ranges(first, last - first + 1), y[span] // BLOCK_PX
    start = np.maximum(x[span], column * BLOCK_PX)
    stop = np.minimum((x + spans.length)[span], (column + 1) * BLOCK_PX)
    target = (np.cumsum(spans.length) - spans.length)[span] + start - x[span]
    values = np.empty(int(spans.length.sum()), np.float32)
    for own in _group_by_block(row, column):
        top, left = int(row[own[0]]) * BLOCK_PX, int(column[own[0]]) * BLOCK_PX
        seen = label_map.crop(_block(box_px, left, top)).portal_probability
        source = (y[span[own]] - top) * seen.shape[1] + start[own] - left
        count = (stop - start)[own]
        values[expand_ranges(target[own], count)] = seen.ravel()[expand_ranges(source, count)]
    return values


def _group_by_block(row: Integers, column: Integers) -> list[Integers]:
    """Group the indices of equal (row, column) pairs."""
    order = np.lexsort((column, row))
    changed = (np.diff(row[order]) != 0) | (np.diff(column[order]) != 0)
    return [own for own in np.split(order, np.flatnonzero(changed) + 1) if len(own)]


def _block(box_px: BoxPx, left: int, top: int) -> BoxPx:
    """Return the block at (left, top) in a box, cut at the box's end."""
    width, height = min(BLOCK_PX, box_px.width_px - left), min(BLOCK_PX, box_px.height_px - top)
    return BoxPx(box_px.x_px + left, box_px.y_px + top, width, height)
