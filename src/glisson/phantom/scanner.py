"""What a scanner does to light: optics, pixels, sharpening, noise, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.phantom.canvas import Field
from glisson.phantom.stain import as_bytes


@dataclass(frozen=True)
class Scanner:
    """One scanner's look.

    Attributes:
        blur_um: optics, standard deviation.
        sharpening: amount of unsharp mask.
        noise: standard deviation in grey levels.
        gamma: exponent on the share of light.
        gain_rgb: white balance.
        saturation: factor on colour differences.
        jpeg_quality: 1 to 100.
    """

    blur_um: float = 0.35
    sharpening: float = 0.0
    noise: float = 1.0
    gamma: float = 1.0
    gain_rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    jpeg_quality: int = 85


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """A random scanner."""
    red, green, blue = rng.normal(1, 0.02, 3)
    return Scanner(
        blur_um=float(rng.uniform(0.25, 0.8)),
        sharpening=float(rng.uniform(0.1, 0.7)) if rng.random() < 0.35 else 0.0,
        noise=float(rng.uniform(0.3, 2.5)),
        gamma=float(rng.uniform(0.88, 1.14)),
        gain_rgb=(float(red), float(green), float(blue)),
        saturation=float(rng.uniform(0.8, 1.2)),
        jpeg_quality=int(rng.integers(55, 95)),
    )


def scan(
    rgb: Field,
    from_mpp: float,
    size_px: tuple[int, int],
    scanner: Scanner,
    rng: np.random.Generator,
    compress: bool = True,
) -> NDArray[np.uint8]:
    """A rendered canvas as (height, width, 3) uint8 pixels of `size_px` (height, width)."""
    rgb = cv2.GaussianBlur(rgb, (0, 0), scanner.blur_um / from_mpp)
    height, width = size_px
    finer = rgb.shape[0] >= height
    interpolation = cv2.INTER_AREA if finer else cv2.INTER_CUBIC
    rgb = cv2.resize(rgb, (width, height), interpolation=interpolation)
    rgb = _toned(rgb, scanner)
    if scanner.sharpening:
        rgb = rgb + scanner.sharpening * (rgb - cv2.GaussianBlur(rgb, (0, 0), 1.0))
    rgb = rgb + rng.normal(0, scanner.noise, rgb.shape[:2]).astype(np.float32)[..., None]
    pixels = as_bytes(rgb)
    return _compressed(pixels, scanner.jpeg_quality) if compress else pixels


def _toned(rgb: Field, scanner: Scanner) -> Field:
    share = np.clip(rgb / 255, 0, 1) ** scanner.gamma
    grey = share.mean(axis=2, keepdims=True)
    share = grey + scanner.saturation * (share - grey)
    return np.asarray(255 * share * np.asarray(scanner.gain_rgb, np.float32), dtype=np.float32)


def _compressed(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), flags)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), dtype=np.uint8)
