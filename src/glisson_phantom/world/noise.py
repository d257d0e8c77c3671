"""Smooth random fields that are functions of the world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from glisson_phantom.world.canvas import Canvas, Field

_BSPLINE_POWER = 151 / 315
"""Mean sum of the squared weights of a cubic B-spline along one axis."""


def uniform(
    seed: int, stream: int, ix: NDArray[np.int64], iy: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Hash the arguments to uniform values in [0, 1) (splitmix64 finaliser)."""
    mixed_seed = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03) & 0xFFFFFFFFFFFFFFFF
    z = np.uint64(mixed_seed) + ix.astype(np.int64).view(np.uint64) * np.uint64(0x8CB92BA72F3D8DD7)
    z = _mix(z) + iy.astype(np.int64).view(np.uint64) * np.uint64(0xABC98388FB8FAC03)
    return (_mix(z) >> np.uint64(11)).astype(np.float64) * (1.0 / (1 << 53))


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def noise(canvas: Canvas, wavelength_um: float, stream: int) -> Field:
    """Return smooth noise, mean 0 and variance 1, with features about `wavelength_um` wide."""
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
    """Return the lattice indices that positions touch, and their cubic B-spline weights."""
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
