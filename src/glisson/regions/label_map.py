"""What a class map must offer to be traced."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxPx, Frame


class MapCrop(Protocol):
    """A rectangle of a class map."""

    @property
    def labels(self) -> NDArray[np.uint8]:
        """(H, W) class indices."""
        ...

    @property
    def portal_probability(self) -> NDArray[np.float32]:
        """(H, W) probability of portal, 0 to 1."""
        ...


class LabelMap(Protocol):
    """A class map, predicted or true."""

    @property
    def frame(self) -> Frame:
        """Its grid."""
        ...

    def boxes(self) -> tuple[BoxPx, ...]:
        """Disjoint boxes that hold all tissue; none cuts a piece of it."""
        ...

    def crop(self, box_px: BoxPx) -> MapCrop:
        """The map inside a box. Called block by block: it should cost no more than the box."""
        ...
