"""The slide on the tissue's grid, kept so that no later step decodes it again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxPx
from glisson.masks.blocks import paste

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """Pixels of the scanned area on the tissue's grid; clear glass everywhere else.

    Attributes:
        rgb: (h, w, 3) uint8; unreadable pixels show glass.
        x_px, y_px: its corner on the grid.
        glass_rgb: colour of the glass.
    """

    rgb: Pixels
    x_px: int
    y_px: int
    glass_rgb: tuple[int, int, int]

    def crop(self, box: BoxPx) -> Pixels:
        """Crop (h, w, 3) uint8 to a box of the grid, which may reach beyond the slide."""
        left, top = box.x_px - self.x_px, box.y_px - self.y_px
        height, width = self.rgb.shape[:2]
        if min(left, top) >= 0 and left + box.width_px <= width and top + box.height_px <= height:
            return self.rgb[top : top + box.height_px, left : left + box.width_px]
        found = np.empty((box.height_px, box.width_px, 3), np.uint8)
        found[:] = self.glass_rgb
        paste(self.rgb, -top, -left, found)
        return found
