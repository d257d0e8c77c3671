"""A phantom biopsy written as a slide file, with its truth kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glisson.classes import PORTAL
from glisson.frames import BoxPx, Frame
from glisson.phantom.biopsy import PhantomBiopsy, Pixels
from glisson.slides import PyramidStyle, write_pyramid


@dataclass(frozen=True)
class TruthCrop:
    """Truth inside a box, shaped like a crop of a predicted class map.

    Attributes:
        labels: (H, W) uint8 class indices.
        portal_probability: (H, W) float32, 1 in portal tracts and 0 elsewhere.
    """

    labels: NDArray[np.uint8]
    portal_probability: NDArray[np.float32]


@dataclass(frozen=True)
class PhantomTruth:
    """The exact class map of a phantom; read like a predicted class map.

    Attributes:
        frame: the map's grid, about 1 µm/px.
        labels: (H, W) uint8 class indices of the whole slide.
    """

    frame: Frame
    labels: NDArray[np.uint8]

    def boxes(self) -> tuple[BoxPx, ...]:
        """One box: the whole slide."""
        height, width = self.labels.shape
        return (BoxPx(0, 0, width, height),)

    def crop(self, box_px: BoxPx) -> TruthCrop:
        """Truth inside a box."""
        rows = slice(box_px.y_px, box_px.y_px + box_px.height_px)
        columns = slice(box_px.x_px, box_px.x_px + box_px.width_px)
        labels = self.labels[rows, columns]
        return TruthCrop(labels, (labels == PORTAL.index).astype(np.float32))


def write_phantom(
    path: Path, biopsy: PhantomBiopsy, style: PyramidStyle = "aperio", workers: int = 1
) -> PhantomTruth:
    """Draw a biopsy, write it as a pyramidal slide and return its truth.

    Raises:
        OutputError: the slide cannot be written.
    """
    labels: list[Pixels] = []

    def bands() -> Iterator[Pixels]:
        for pixels, truth in biopsy.bands(workers):
            labels.append(truth)
            yield pixels

    write_pyramid(path, bands(), biopsy.size_l0, biopsy.pixel_size, style)
    size_px = biopsy.truth_frame.size_px(biopsy.size_l0)
    whole = np.concatenate(labels)[: size_px.height, : size_px.width]
    return PhantomTruth(biopsy.truth_frame, whole)
