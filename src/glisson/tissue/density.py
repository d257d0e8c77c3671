"""Optical density, and the evidence of H&E in it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_DENSITY = -np.log10(np.maximum(np.arange(256), 1) / 255.0).astype(np.float32)


def density(rgb: NDArray[np.uint8]) -> Floats:
    """Convert uint8 of any shape to optical density against 255; 0 counts as 1."""
    if rgb.size == 0:
        return np.zeros(rgb.shape, np.float32)
    lines = rgb.reshape(len(rgb), -1) if rgb.ndim > 1 else rgb[None]
    return np.asarray(cv2.LUT(lines, _DENSITY), dtype=np.float32).reshape(rgb.shape)


def evidence(od: Floats) -> Floats:
    """Subtract the mean of red and blue OD from green, (..., 3): H&E remains, grey cancels."""
    return np.asarray(od[..., 1] - 0.5 * (od[..., 0] + od[..., 2]))


def mean_of(planes: Sequence[Floats]) -> Floats:
    """Return the (H, W) mean of three (H, W) planes."""
    red, green, blue = planes
    return np.asarray((red + green + blue) / np.float32(3))


def evidence_of(planes: Sequence[Floats]) -> Floats:
    """Return the (H, W) `evidence` of three (H, W) planes of OD."""
    red, green, blue = planes
    return np.asarray(green - np.float32(0.5) * (red + blue))


def blur(values: Floats, sigma_px: float) -> Floats:
    """Blur with a Gaussian, mirrored at the border."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px))


def local_sd(values: Floats, size_px: int) -> Floats:
    """Return the standard deviation in a square around every pixel."""
    centred = values - values.mean()
    mean = cv2.blur(centred, (size_px, size_px))
    square = cv2.blur(centred**2, (size_px, size_px))
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)), dtype=np.float32)


def robust_sd(values: Floats) -> float:
    """Estimate the standard deviation from the median absolute deviation; 0 for no values."""
    if values.size == 0:
        return 0.0
    return float(1.4826 * median(np.abs(values - median(values))))


def median(values: Floats) -> np.float32:
    """Return `np.median` of (N,) float32; a thousand samples first narrow the range."""
    tried = np.sort(values[:: max(1, len(values) // 1000)])
    low, high = tried[int(0.45 * len(tried))], tried[min(len(tried) - 1, int(0.55 * len(tried)))]
    between = values[(values >= low) & (values <= high)]
    first = (len(values) - 1) // 2 - np.count_nonzero(values < low)
    last = first + 1 - len(values) % 2
    if first < 0 or last >= len(between):
        return np.float32(np.median(values))
    between.partition((first, last))
    return np.float32(np.mean(between[[first, last]]))
