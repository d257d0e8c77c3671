"""Nuclei and other small bodies: a bank of pictures of each kind, stamped onto a field."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson_phantom.world import Canvas, Field, Scatter

_VARIANTS = 24
_SUPERSAMPLING = 6
_SCALE_STEP = 0.06


@dataclass(frozen=True)
class Kind:
    """One kind of nucleus.

    Attributes:
        length_um: mean long diameter.
        width_um: mean short diameter.
        spread: relative standard deviation of both.
        rim: darkness of the centre against the rim; 1 is solid.
        grain: contrast of the chromatin.
        nucleoli: mean number of nucleoli.
    """

    length_um: float
    width_um: float
    spread: float
    rim: float
    grain: float
    nucleoli: float


HEPATOCYTE = Kind(7.0, 6.6, 0.08, 0.60, 0.20, 1.3)
LARGE_HEPATOCYTE = Kind(8.8, 8.4, 0.10, 0.55, 0.20, 1.6)
GLYCOGEN = Kind(8.4, 8.0, 0.08, 0.12, 0.10, 0.3)
PUSHED = Kind(8.6, 3.4, 0.15, 0.9, 0.1, 0.0)
LYMPHOCYTE = Kind(5.9, 5.4, 0.12, 0.92, 0.16, 0.0)
EOSINOPHIL = Kind(5.6, 3.6, 0.12, 0.95, 0.1, 0.0)
SPINDLE = Kind(11.0, 2.9, 0.22, 0.9, 0.1, 0.0)
EPITHELIOID = Kind(10.5, 4.6, 0.18, 0.55, 0.12, 0.8)
SINUSOIDAL = Kind(7.6, 2.7, 0.3, 0.95, 0.14, 0.0)
EPITHELIAL = Kind(5.8, 4.9, 0.1, 0.72, 0.12, 0.2)
RED_CELL = Kind(6.6, 5.4, 0.16, 0.93, 0.03, 0.0)
CYTOPLASM = Kind(12.5, 10.0, 0.15, 1.0, 0.12, 0.0)
"""A plasma cell's body."""
RED_CYTOPLASM = Kind(9.6, 8.4, 0.12, 1.0, 0.1, 0.0)
"""An eosinophil's body."""
ACIDOPHIL = Kind(12.0, 10.5, 0.2, 1.0, 0.06, 0.0)
GRANULE = Kind(1.6, 1.3, 0.3, 1.0, 0.0, 0.0)
PLUG = Kind(5.0, 3.4, 0.35, 1.0, 0.1, 0.0)


@lru_cache(maxsize=512)
def _draw_bank(kind: Kind, mpp: float, scale: float) -> tuple[Field, ...]:
    """Draw pictures of a kind at `_VARIANTS` angles and shapes, values 0 to 1."""
    rng = np.random.default_rng(int(kind.length_um * 1000 + kind.width_um * 100))
    return tuple(
        _draw_picture(rng, kind, mpp, scale, np.pi * variant / _VARIANTS)
        for variant in range(_VARIANTS)
    )


def _draw_picture(
    rng: np.random.Generator, kind: Kind, mpp: float, scale: float, angle: float
) -> Field:
    length, width = np.array([kind.length_um, kind.width_um]) * scale * rng.normal(1, kind.spread)
    reach_px = int(np.ceil(length / 2 / mpp)) + 1
    size = 2 * reach_px + 1
    axis = (np.arange(size * _SUPERSAMPLING) + 0.5) / _SUPERSAMPLING * mpp - size * mpp / 2
    x, y = np.meshgrid(axis, axis)
    u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    bumps = sum(rng.normal(0, 0.09 / k) * np.cos(k * np.arctan2(v, u) + k) for k in (2, 3, 4))
    radius = np.hypot(u / (length / 2), v / (width / 2)) / (1 + bumps)
    body = np.clip((1.06 - radius) / 0.12, 0, 1)
    body *= kind.rim + (1 - kind.rim) * np.clip((radius - 0.45) / 0.4, 0, 1)
    body *= 1 + kind.grain * _grain(rng, body.shape)
    for _ in range(rng.poisson(kind.nucleoli)):
        cx, cy = rng.uniform(-0.3, 0.3, 2) * length
        body = np.maximum(body, 1.05 * np.exp(-((u - cx) ** 2 + (v - cy) ** 2) / 0.55))
    shape = (size, _SUPERSAMPLING, size, _SUPERSAMPLING)
    return np.asarray(body.reshape(shape).mean(axis=(1, 3)), dtype=np.float32)


def _grain(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    grain = cv2.GaussianBlur(rng.normal(0, 1, shape), (0, 0), _SUPERSAMPLING * 0.9)
    return np.asarray(grain / (grain.std() + 1e-9))


def stamp(
    field: Field,
    canvas: Canvas,
    kind: Kind,
    points: Scatter,
    darkness: NDArray[np.float64],
    variant: NDArray[np.float64] | None = None,
    scale: float = 1.0,
) -> None:
    """Draw pictures of a kind into `field` in place, keeping the darker value at overlaps.

    Args:
        field: (H, W) concentration.
        canvas: grid of the field.
        kind: kind of nucleus.
        points: (N,) centres.
        darkness: (N,) concentration at full density.
        variant: (N,) 0 to 1; chooses the picture and so the angle (in half turns).
        scale: factor on the diameters.
    """
    bank = _draw_bank(kind, canvas.mpp, _SCALE_STEP * round(scale / _SCALE_STEP))
    corners = np.floor(canvas.px_from_um(points.points_um)).astype(np.int64)
    chosen = points.draw(62) if variant is None else variant
    choices = np.minimum((chosen * _VARIANTS).astype(np.int64), _VARIANTS - 1)
    size_px = bank[0].shape[0]
    limit = np.array([canvas.width_px, canvas.height_px]) + size_px
    inside = ((corners > -size_px) & (corners < limit)).all(axis=1)
    for (x, y), value, choice in zip(
        corners[inside].tolist(), darkness[inside].tolist(), choices[inside].tolist(), strict=True
    ):
        _stamp_one(field, bank[choice], x, y, value)


def _stamp_one(field: Field, picture: Field, x: int, y: int, value: float) -> None:
    reach = picture.shape[0] // 2
    top, left = y - reach, x - reach
    bottom, right = top + picture.shape[0], left + picture.shape[1]
    height, width = field.shape
    if bottom <= 0 or right <= 0 or top >= height or left >= width:
        return
    inner = picture[max(-top, 0) : height - top, max(-left, 0) : width - left]
    target = field[max(top, 0) : bottom, max(left, 0) : right]
    np.maximum(target, inner * value, out=target)
