"""A rectangle of the phantom world, and random fields that are functions of the world.

Every random value is a hash of (seed, stream, lattice index), never the next number of
a generator: two canvases that overlap agree where they overlap, so a slide can be
rendered band by band, on any number of workers, and give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Field = NDArray[np.floating[Any]]
_BSPLINE_POWER = 151 / 315
"""Mean of the summed squared weights of a cubic B-spline along one axis."""


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
        """(rows, columns)."""
        return self.height_px, self.width_px

    def padded(self, margin_um: float) -> Canvas:
        """The same grid with a margin on every side."""
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

    def centres_um(self) -> tuple[Field, Field]:
        """X of every column and y of every row, at pixel centres."""
        x_um = self.x_um + (np.arange(self.width_px) + 0.5) * self.mpp
        y_um = self.y_um + (np.arange(self.height_px) + 0.5) * self.mpp
        return x_um.astype(np.float32), y_um.astype(np.float32)

    def px_from_um(self, points_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 2) world µm to canvas pixels."""
        return (np.asarray(points_um, dtype=np.float64) - (self.x_um, self.y_um)) / self.mpp


def uniform(
    seed: int, stream: int, ix: NDArray[np.int64], iy: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Uniform values in [0, 1) that depend only on the arguments (splitmix64 finaliser)."""
    mixed_seed = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03) & 0xFFFFFFFFFFFFFFFF
    z = np.uint64(mixed_seed) + ix.astype(np.int64).view(np.uint64) * np.uint64(0x8CB92BA72F3D8DD7)
    z = _mix(z) + iy.astype(np.int64).view(np.uint64) * np.uint64(0xABC98388FB8FAC03)
    return (_mix(z) >> np.uint64(11)).astype(np.float64) * (1.0 / (1 << 53))


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def noise(canvas: Canvas, wavelength_um: float, stream: int) -> Field:
    """Smooth noise of zero mean and unit variance; features are about `wavelength_um` wide."""
    spacing_um = wavelength_um / 2
    x_um, y_um = canvas.centres_um()
    columns, column_weights = _spline(x_um / spacing_um)
    rows, row_weights = _spline(y_um / spacing_um)
    iy, ix = np.meshgrid(rows, columns, indexing="ij")
    lattice = (uniform(canvas.seed, stream, ix, iy) - 0.5) * np.sqrt(12) / _BSPLINE_POWER
    return _interpolate(row_weights, lattice.astype(np.float32), column_weights)


def _interpolate(rows: sparse.csr_array, lattice: Field, columns: sparse.csr_array) -> Field:
    if max(lattice.shape) < 96:
        return np.asarray(rows.toarray() @ lattice @ columns.toarray().T, dtype=np.float32)
    return np.ascontiguousarray((columns @ np.ascontiguousarray((rows @ lattice).T)).T)


def _spline(position: Field) -> tuple[NDArray[np.int64], sparse.csr_array]:
    """Lattice indices that positions touch, and their cubic B-spline weights."""
    base = np.floor(position).astype(np.int64)
    t = (position - base).astype(np.float32)
    taps = np.stack(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1
    )
    indices = np.arange(base[0] - 1, base[-1] + 3)
    columns = ((base - 1 - indices[0])[:, None] + np.arange(4)).ravel().astype(np.int32)
    starts = np.arange(0, 4 * position.size + 1, 4, dtype=np.int32)
    weights = (taps / 6).astype(np.float32).ravel()
    return indices, sparse.csr_array(
        (weights, columns, starts), shape=(position.size, indices.size), dtype=np.float32
    )


@dataclass(frozen=True)
class Scatter:
    """Points of a jittered lattice.

    Attributes:
        points_um: (N, 2) positions.
        draw: gives (N,) uniform values for a stream number, fixed for each point.
    """

    points_um: NDArray[np.float64]
    draw: Callable[[int], NDArray[np.float64]]

    def keep(self, chosen: NDArray[np.bool_]) -> Scatter:
        """Only the chosen points."""
        draw = self.draw
        return Scatter(self.points_um[chosen], lambda stream: draw(stream)[chosen])

    def __len__(self) -> int:
        return len(self.points_um)


def scatter(canvas: Canvas, pitch_um: float, jitter: float, stream: int) -> Scatter:
    """Points on a hexagonal lattice, moved by up to `jitter` / 2 pitches."""
    row_um = pitch_um * np.sqrt(3) / 2
    rows = np.arange(
        int(np.floor(canvas.y_um / row_um)) - 1,
        int(np.ceil((canvas.y_um + canvas.height_px * canvas.mpp) / row_um)) + 2,
    )
    columns = np.arange(
        int(np.floor(canvas.x_um / pitch_um)) - 1,
        int(np.ceil((canvas.x_um + canvas.width_px * canvas.mpp) / pitch_um)) + 2,
    )
    iy, ix = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))

    def draw(number: int) -> NDArray[np.float64]:
        return uniform(canvas.seed, stream * 64 + number, ix, iy)

    x_um = (ix + 0.5 * (iy % 2) + jitter * (draw(0) - 0.5)) * pitch_um
    y_um = iy * row_um + jitter * (draw(1) - 0.5) * pitch_um
    return Scatter(np.stack([x_um, y_um], axis=1), draw)


def sample(field: Field, canvas: Canvas, points_um: NDArray[np.float64]) -> Field:
    """Nearest values of a field at points; points outside take the edge's value."""
    px = np.floor(canvas.px_from_um(points_um)).astype(np.int64)
    columns = np.clip(px[:, 0], 0, canvas.width_px - 1)
    rows = np.clip(px[:, 1], 0, canvas.height_px - 1)
    return np.asarray(field[rows, columns])


def signed_distance_um(
    canvas: Canvas, polygons_um: list[NDArray[np.float64]], reach_um: float = 80.0
) -> Field:
    """Distance to the union of polygons in µm, positive inside, clipped to ±`reach_um`.

    Measured on a 1 µm grid aligned to the world, so that bands agree.
    """
    coarse = _whole_um_canvas(canvas, reach_um)
    mask = np.zeros(coarse.shape, np.uint8)
    for polygon in polygons_um:
        corners = np.round(coarse.px_from_um(polygon) * 16 - 8).astype(np.int32)
        cv2.fillPoly(mask, [corners], 1, lineType=cv2.LINE_8, shift=4)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    distance = inside - outside + np.where(mask > 0, -0.5, 0.5).astype(np.float32)
    return resampled(np.clip(distance, -reach_um, reach_um), coarse, canvas)


def resampled(field: Field, source: Canvas, target: Canvas) -> Field:
    """A field of one canvas on another's grid, linearly interpolated."""
    scale = target.mpp / source.mpp
    x_px = (target.x_um - source.x_um) / source.mpp + 0.5 * scale - 0.5
    y_px = (target.y_um - source.y_um) / source.mpp + 0.5 * scale - 0.5
    affine = np.array([[scale, 0, x_px], [0, scale, y_px]])
    return cv2.warpAffine(
        field,
        affine,
        (target.width_px, target.height_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)


def _whole_um_canvas(canvas: Canvas, margin_um: float) -> Canvas:
    x_um = np.floor(canvas.x_um - margin_um)
    y_um = np.floor(canvas.y_um - margin_um)
    right_um = canvas.x_um + canvas.width_px * canvas.mpp + margin_um
    bottom_um = canvas.y_um + canvas.height_px * canvas.mpp + margin_um
    return Canvas(
        float(x_um),
        float(y_um),
        int(np.ceil(right_um - x_um)),
        int(np.ceil(bottom_um - y_um)),
        1.0,
        canvas.seed,
    )
