"""Interface of a class map that can be traced."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxPx, Frame


class MapCrop(Protocol):
    """A rectangle of a class map."""

    @property
    def labels(self) -> NDArray[np.uint8]:
        """Return the (H, W) class indices."""
        ...

    @property
    def portal_probability(self) -> NDArray[np.float32]:
        """Return the (H, W) probabilities of portal, 0 to 1."""
        ...


class LabelMap(Protocol):
    """A class map, predicted or true."""

    @property
    def frame(self) -> Frame:
        """Return the map's grid."""
        ...

    def boxes(self) -> tuple[BoxPx, ...]:
        """Return disjoint boxes that hold all tissue and cut no piece of it."""
        ...

    def crop(self, box_px: BoxPx) -> MapCrop:
        """Crop the map to a box; the cost should follow the box, as callers go block by block."""
        ...
