"""The tissue of a slide, and the causes of excluded pixels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from glisson.frames import Frame
from glisson.tissue.picture import Picture

Mask = NDArray[np.bool_]


class Cause(IntEnum):
    """Why a pixel is excluded; NONE for tissue and clean glass.

    DEBRIS: tissue-like but too small. EDGE: lines and bands of the slide's or cover slip's
    edge, bubbles' rims. FLAT: coloured like tissue without any texture (gel, tinted glass).
    PADDING: never scanned.
    """

    NONE = 0
    PEN = 1
    DUST = 2
    DEBRIS = 3
    EDGE = 4
    FLAT = 5
    PADDING = 6
    UNREADABLE = 7


@dataclass(frozen=True)
class TissueMap:
    """Tissue on a grid that covers the slide from its level-0 corner.

    Attributes:
        mask: (H, W) bool, tissue with its enclosed fat. `frame.size_px(size_l0)` in size.
        frame: the grid: µm/px and the slide's pixel size.
        causes: (H, W) uint8 of `Cause`.
        background_rgb: colour of the glass (the median over its pixels).
        warnings: sentences for the user, in the order they were noticed.
        picture: the slide on the grid; None if it was not kept.
    """

    mask: Mask
    frame: Frame
    causes: NDArray[np.uint8]
    background_rgb: tuple[int, int, int]
    warnings: tuple[str, ...] = ()
    picture: Picture | None = None

    def mask_of(self, cause: Cause) -> Mask:
        """Return the (H, W) mask of pixels with a cause."""
        return np.asarray(self.causes == cause)

    @property
    def area_um2(self) -> float:
        """Return the area of the tissue in µm²."""
        return float(np.count_nonzero(self.mask)) * self.frame.mpp**2

    @property
    def is_empty(self) -> bool:
        """Return whether no tissue was found."""
        return not bool(self.mask.any())

    @property
    def fraction_of_slide(self) -> float:
        """Return tissue over scanned, readable area; 0 if nothing was scanned."""
        scanned = int(np.count_nonzero(self.causes < Cause.PADDING))
        return float(np.count_nonzero(self.mask)) / scanned if scanned else 0.0
