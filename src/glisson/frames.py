"""Coordinate frames, and the type that converts between them.

Three frames, all with the origin at the outer corner of the whole file's
top-left pixel, x to the right and y down:

* `_l0`: level-0 pixels of the whole file. The frame of every stored geometry.
* `_px`: pixels of a model (or mask) grid of a given µm/px.
* `_um`: micrometres.

Positions are pixel edges, not centres: the first pixel covers 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Size:
    """Width and height in whole pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class PixelSize:
    """Micrometres per level-0 pixel, along x and y."""

    x_um: float
    y_um: float

    @property
    def area_um2(self) -> float:
        """Return the area of a level-0 pixel in µm²."""
        return self.x_um * self.y_um


@dataclass(frozen=True)
class BoxL0:
    """A rectangle in level-0 pixels."""

    x_l0: float
    y_l0: float
    width_l0: float
    height_l0: float


@dataclass(frozen=True)
class BoxPx:
    """A rectangle of whole pixels of one model grid."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True)
class RegionUm:
    """A rectangle in micrometres."""

    x_um: float
    y_um: float
    width_um: float
    height_um: float


@dataclass(frozen=True)
class Frame:
    """A pixel grid of `mpp` µm/px laid over a slide from its level-0 corner.

    Attributes:
        pixel_size: µm per level-0 pixel of the slide.
        mpp: µm per pixel of this grid, the same along x and y.
    """

    pixel_size: PixelSize
    mpp: float

    def l0_from_px(self, points_px: Points) -> Points:
        """Convert (N, 2) grid pixels to level-0 pixels."""
        return np.asarray(points_px, dtype=np.float64) * self._l0_per_px

    def px_from_l0(self, points_l0: Points) -> Points:
        """Convert (N, 2) level-0 pixels to grid pixels."""
        return np.asarray(points_l0, dtype=np.float64) / self._l0_per_px

    def size_px(self, size_l0: Size) -> Size:
        """Return the grid pixels that cover a slide of `size_l0`; the last may reach beyond it."""
        width = size_l0.width * self.pixel_size.x_um / self.mpp
        height = size_l0.height * self.pixel_size.y_um / self.mpp
        return Size(_cover(width), _cover(height))

    def region_um(self, box_px: BoxPx) -> RegionUm:
        """Return the region that a box of grid pixels covers."""
        return RegionUm(
            box_px.x_px * self.mpp,
            box_px.y_px * self.mpp,
            box_px.width_px * self.mpp,
            box_px.height_px * self.mpp,
        )

    @property
    def affine_l0_from_px(self) -> tuple[float, float, float, float, float, float]:
        """Return the conversion as shapely's affine (a, b, d, e, xoff, yoff)."""
        x_scale, y_scale = self._l0_per_px
        return (float(x_scale), 0.0, 0.0, float(y_scale), 0.0, 0.0)

    @property
    def _l0_per_px(self) -> Points:
        return self.mpp / np.array([self.pixel_size.x_um, self.pixel_size.y_um])


def _cover(length_px: float) -> int:
    """Count the whole pixels that cover a length; 1e-6 px of rounding is not a pixel."""
    return max(1, math.ceil(length_px - 1e-6))
