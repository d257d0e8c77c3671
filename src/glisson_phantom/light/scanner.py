"""The effect of a scanner on light: optics, pixels, tone, sharpening, noise, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson_phantom.world import Field

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Scanner:
    """The look of one scanner.

    Attributes:
        blur_um: optics, standard deviation.
        sharpening: amount of unsharp mask.
        noise: standard deviation in grey levels.
        gamma: exponent on the share of light.
        gain_rgb: white balance.
        saturation: factor on colour differences.
        white_clip: grey level from which everything is white, or None.
        stripes: standard deviation of row brightness, in grey levels.
        jpeg_quality: 1 to 100.
    """

    blur_um: float = 0.35
    sharpening: float = 0.0
    noise: float = 1.0
    gamma: float = 1.0
    gain_rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    white_clip: float | None = None
    stripes: float = 0.0
    jpeg_quality: int = 85


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """Draw the look of a random scanner."""
    red, green, blue = rng.normal(1, 0.02, 3)
    return Scanner(
        blur_um=float(rng.uniform(0.08, 0.36)),
        sharpening=float(rng.uniform(0.1, 0.7)) if rng.random() < 0.5 else 0.0,
        noise=float(rng.uniform(0.3, 2.5)),
        gamma=float(rng.uniform(0.88, 1.14)),
        gain_rgb=(float(red), float(green), float(blue)),
        saturation=float(rng.uniform(0.85, 1.2)),
        white_clip=float(rng.uniform(232, 244)) if rng.random() < 0.15 else None,
        stripes=float(rng.uniform(0.3, 1.5)) if rng.random() < 0.05 else 0.0,
        jpeg_quality=int(rng.integers(55, 95)),
    )


def scan(
    rgb: Field,
    from_mpp: float,
    size_px: tuple[int, int],
    scanner: Scanner,
    rng: np.random.Generator,
) -> Pixels:
    """Scan a rendered canvas, without compression.

    Args:
        rgb: (H, W, 3) float32, 0 to 255.
        from_mpp: µm per pixel of the canvas.
        size_px: (height, width) of the result.
        scanner: the scanner.
        rng: source of the noise.
    """
    rgb = cv2.GaussianBlur(rgb, (0, 0), max(scanner.blur_um / from_mpp, 0.2))
    height, width = size_px
    if rgb.shape[:2] != size_px:
        kind = cv2.INTER_AREA if rgb.shape[0] > height else cv2.INTER_CUBIC
        rgb = cv2.resize(rgb, (width, height), interpolation=kind)
    rgb = _apply_tone(rgb, scanner)
    if scanner.sharpening:
        soft = cv2.GaussianBlur(rgb, (0, 0), 1.0)
        rgb = cv2.addWeighted(rgb, 1 + scanner.sharpening, soft, -scanner.sharpening, 0)
    return add_noise(rgb, scanner, rng)


def add_noise(rgb: Field, scanner: Scanner, rng: np.random.Generator) -> Pixels:
    """Add electronic noise and row stripes, and round to bytes."""
    grain = np.float32(scanner.noise) * rng.standard_normal(rgb.shape[:2], dtype=np.float32)
    if scanner.stripes:
        grain += np.float32(scanner.stripes) * rng.standard_normal(
            (rgb.shape[0], 1), dtype=np.float32
        )
    return cv2.convertScaleAbs(np.clip(rgb + grain[..., None], 0, 255))


def glass_colour(background: NDArray[np.float32], scanner: Scanner) -> NDArray[np.float32]:
    """Return the (3,) colour of bare glass as the scanner shows it."""
    return np.asarray(_apply_tone(background.reshape(1, 1, 3), scanner)[0, 0])


def _apply_tone(rgb: Field, scanner: Scanner) -> Field:
    share = cv2.pow(np.clip(rgb * np.float32(1 / 255), 0, 1), scanner.gamma)
    share = cv2.transform(share.reshape(rgb.shape), _colour_matrix(scanner)).reshape(rgb.shape)
    if scanner.white_clip is not None:
        share = np.minimum(share * np.float32(255 / scanner.white_clip), 1) * np.float32(0.95)
    return share * np.float32(255)


def _colour_matrix(scanner: Scanner) -> NDArray[np.float32]:
    """Return the matrix of saturation about grey, then white balance."""
    grey = np.full((3, 3), 1 / 3)
    saturated = grey + scanner.saturation * (np.eye(3) - grey)
    return (np.diag(scanner.gain_rgb) @ saturated).astype(np.float32)


def compress_jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Encode pixels as JPEG and decode them again."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), flags)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
