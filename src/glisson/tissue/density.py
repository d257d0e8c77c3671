"""Optical density, and the evidence of H&E in it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_DENSITY = -np.log10(np.maximum(np.arange(256), 1) / 255.0).astype(np.float32)


def density(rgb: NDArray[np.uint8]) -> Floats:
    """(..., 3) uint8 to optical density against 255; 0 counts as 1."""
    return np.asarray(_DENSITY[rgb])


def evidence(od: Floats) -> Floats:
    """(..., 3) OD to green above the mean of red and blue: H&E, whatever is grey cancels."""
    return np.asarray(od[..., 1] - 0.5 * (od[..., 0] + od[..., 2]))


def blur(values: Floats, sigma_px: float) -> Floats:
    """Gaussian average, mirrored at the border."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px))


def local_sd(values: Floats, size_px: int) -> Floats:
    """Standard deviation in a square around each pixel."""
    centred = values - values.mean()
    mean = cv2.blur(centred, (size_px, size_px))
    square = cv2.blur(centred**2, (size_px, size_px))
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)), dtype=np.float32)


def robust_sd(values: Floats) -> float:
    """Standard deviation from the median absolute deviation; 0 for no values."""
    if values.size == 0:
        return 0.0
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
