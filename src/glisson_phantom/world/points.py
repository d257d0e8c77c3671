"""Random points that are functions of the world, and values of fields at points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glisson_phantom.world.canvas import Canvas, Points
from glisson_phantom.world.noise import uniform


@dataclass(frozen=True)
class Scatter:
    """Points of a jittered lattice.

    Attributes:
        points_um: (N, 2) positions.
        draw: function from a stream number to (N,) uniform values, fixed for each point.
    """

    points_um: Points
    draw: Callable[[int], NDArray[np.float64]]

    def keep(self, chosen: NDArray[np.bool_]) -> Scatter:
        """Return the chosen points."""
        draw = self.draw
        return Scatter(self.points_um[chosen], lambda stream: draw(stream)[chosen])

    def __len__(self) -> int:
        return len(self.points_um)


def scatter(canvas: Canvas, pitch_um: float, jitter: float, stream: int) -> Scatter:
    """Scatter points on a hexagonal lattice, each moved by up to `jitter` / 2 pitches."""
    row_um = pitch_um * np.sqrt(3) / 2
    (left, top), (right, bottom) = canvas.low_um, canvas.high_um
    rows = np.arange(int(np.floor(top / row_um)) - 1, int(np.ceil(bottom / row_um)) + 2)
    columns = np.arange(int(np.floor(left / pitch_um)) - 1, int(np.ceil(right / pitch_um)) + 2)
    iy, ix = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))

    def draw(number: int) -> NDArray[np.float64]:
        return uniform(canvas.seed, stream * 64 + number, ix, iy)

    x_um = (ix + 0.5 * (iy % 2) + jitter * (draw(0) - 0.5)) * pitch_um
    y_um = iy * row_um + jitter * (draw(1) - 0.5) * pitch_um
    return Scatter(np.stack([x_um, y_um], axis=1), draw)


def sample(field: NDArray[Any], canvas: Canvas, points_um: Points) -> NDArray[Any]:
    """Return a field's nearest values at points; points outside take the edge's value."""
    px = np.floor(canvas.px_from_um(points_um)).astype(np.int64)
    columns = np.clip(px[:, 0], 0, canvas.width_px - 1)
    rows = np.clip(px[:, 1], 0, canvas.height_px - 1)
    return np.asarray(field[rows, columns])


def normal(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn uniform into approximately normal deviates (logistic quantile)."""
    u = np.clip(u, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(u / (1 - u)) / 1.702)
