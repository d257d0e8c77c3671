"""The class map: blocks where tissue is, nothing for glass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon

from glisson.classes import BACKGROUND, LOBULE, PORTAL
from glisson.frames import BoxPx, Frame, Size
from glisson.masks.blocks import BLOCK_PX, BlockIndex, assemble_crop, find_boxes
from glisson.masks.fill import fill_areas

_PROBABILITY_STEPS = 255

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class ClassCrop:
    """A rectangle of a class map.

    Attributes:
        labels: (H, W) uint8 class indices.
        portal_steps: (H, W) uint8 portal probability in steps of 1/255.
    """

    labels: Labels
    portal_steps: NDArray[np.uint8]

    @property
    def portal_probability(self) -> NDArray[np.float32]:
        """Return the (H, W) float32 probabilities, 0 to 1."""
        return self.portal_steps.astype(np.float32) / np.float32(_PROBABILITY_STEPS)


class ClassMap:
    """Classes and portal probabilities of a slide, in blocks of 512 x 512 px.

    Attributes:
        frame: the grid.
        size_px: the slide on that grid.
        unreadable_um2: area of unreadable tissue, which is background here.
        windows: number of predicted windows.
    """

    def __init__(self, frame: Frame, size_px: Size) -> None:
        self.frame = frame
        self.size_px = size_px
        self.unreadable_um2 = 0.0
        self.windows = 0
        self._blocks: dict[BlockIndex, tuple[Labels, Labels]] = {}

    def put(
        self, row: int, column: int, labels: Labels, portal_probability: NDArray[np.float32]
    ) -> None:
        """Store a finished block, unless it is all background."""
        if (labels != BACKGROUND.index).any():
            scaled = np.rint(portal_probability * _PROBABILITY_STEPS).astype(np.uint8)
            self._blocks[row, column] = (labels, scaled)

    def clear_outside(self, inside: Callable[[BoxPx], NDArray[np.bool_]]) -> None:
        """Make every pixel background for which `inside`, (H, W) for a box, is False."""
        for (row, column), (labels, portal) in list(self._blocks.items()):
            mask = inside(BoxPx(column * BLOCK_PX, row * BLOCK_PX, BLOCK_PX, BLOCK_PX))
            labels[~mask] = BACKGROUND.index
            portal[~mask] = 0
            if not labels.any():
                del self._blocks[row, column]

    def relabel_portal(self, areas_px: Iterable[Polygon]) -> None:
        """Relabel portal pixels inside these areas as lobule; their probabilities stay."""
        for area in areas_px:
            left, top, right, bottom = (int(side) // BLOCK_PX for side in area.bounds)
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    self._relabel_block(row, column, area)

    def _relabel_block(self, row: int, column: int, area_px: Polygon) -> None:
        if (row, column) not in self._blocks:
            return
        left, top, right, bottom = (int(side) for side in area_px.bounds)
        left, top = max(left - column * BLOCK_PX, 0), max(top - row * BLOCK_PX, 0)
        labels, _ = self._blocks[row, column]
        labels = labels[top : bottom - row * BLOCK_PX, left : right - column * BLOCK_PX]
        if labels.size:
            rows, columns = labels.shape
            place = column * BLOCK_PX + left, row * BLOCK_PX + top
            inside = fill_areas([area_px], (rows, columns), *place)
            labels[inside & (labels == PORTAL.index)] = LOBULE.index

    @property
    def blocks(self) -> tuple[BlockIndex, ...]:
        """Return (row, column) of every stored block, in reading order."""
        return tuple(sorted(self._blocks))

    def crop(self, box_px: BoxPx) -> ClassCrop:
        """Crop the map to a box, which may reach beyond the slide."""
        labels = assemble_crop(box_px, lambda index: self._layer(index, 0), np.uint8)
        steps = assemble_crop(box_px, lambda index: self._layer(index, 1), np.uint8)
        return ClassCrop(labels, steps)

    def _layer(self, index: BlockIndex, layer: int) -> Labels | None:
        block = self._blocks.get(index)
        return None if block is None else block[layer]

    def boxes(self) -> tuple[BoxPx, ...]:
        """Return disjoint boxes that hold all tissue and cut no connected piece of it."""
        return find_boxes(self._blocks)
