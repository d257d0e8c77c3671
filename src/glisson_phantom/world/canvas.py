"""A rectangle of the phantom world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Canvas:
    """A pixel grid in the phantom world.

    Attributes:
        x_um: left edge, a multiple of `mpp`.
        y_um: top edge, a multiple of `mpp`.
        width_px: columns.
        height_px: rows.
        mpp: µm per pixel.
        seed: the world's seed.
    """

    x_um: float
    y_um: float
    width_px: int
    height_px: int
    mpp: float
    seed: int

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        return self.height_px, self.width_px

    @property
    def low_um(self) -> Points:
        """Return the (2,) left and top edge."""
        return np.array([self.x_um, self.y_um])

    @property
    def high_um(self) -> Points:
        """Return the (2,) right and bottom edge."""
        return self.low_um + np.array([self.width_px, self.height_px]) * self.mpp

    def pad(self, margin_um: float) -> Canvas:
        """Extend the grid by a margin on every side."""
        margin_px = int(np.ceil(margin_um / self.mpp))
        shift_um = margin_px * self.mpp
        return Canvas(
            self.x_um - shift_um,
            self.y_um - shift_um,
            self.width_px + 2 * margin_px,
            self.height_px + 2 * margin_px,
            self.mpp,
            self.seed,
        )

    def coarsen(self, factor: int) -> Canvas:
        """Make pixels `factor` times as large, and the canvas at least as wide and high."""
        return Canvas(
            self.x_um,
            self.y_um,
            -(-self.width_px // factor),
            -(-self.height_px // factor),
            self.mpp * factor,
            self.seed,
        )

    def crop(self, rows: slice, columns: slice) -> Canvas:
        """Return the canvas of a crop of an array on this canvas."""
        return Canvas(
            self.x_um + columns.start * self.mpp,
            self.y_um + rows.start * self.mpp,
            columns.stop - columns.start,
            rows.stop - rows.start,
            self.mpp,
            self.seed,
        )

    def centres_um(self) -> tuple[Field, Field]:
        """Return x of every column and y of every row, at pixel centres."""
        x_um = self.x_um + (np.arange(self.width_px) + 0.5) * self.mpp
        y_um = self.y_um + (np.arange(self.height_px) + 0.5) * self.mpp
        return x_um.astype(np.float32), y_um.astype(np.float32)

    def px_from_um(self, points_um: Points) -> Points:
        """Convert (N, 2) world µm to canvas pixels."""
        return (np.asarray(points_um, dtype=np.float64) - (self.x_um, self.y_um)) / self.mpp

    def touches(self, points_um: Points, margin_um: float = 0.0) -> bool:
        """Return whether the bounding box of points, grown by a margin, meets the canvas."""
        low, high = points_um.min(axis=0) - margin_um, points_um.max(axis=0) + margin_um
        return bool((low < self.high_um).all() and (high > self.low_um).all())
