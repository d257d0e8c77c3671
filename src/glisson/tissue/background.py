"""The glass: its colour everywhere on the slide, and its noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.tissue.density import Floats, blur, density, evidence, local_sd
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Mask

COARSE = 4
"""Grid pixels per coarse pixel: 16 µm, averages noise and lets tissue texture stand out."""
MODE_STEP = 0.002
"""OD, bins in which the kinds of glass are told apart."""
LEAST_GLASS = 0.005
"""Share of the scanned area that must look like glass to be believed (0.1 mm² of 20)."""


@dataclass(frozen=True)
class Glass:
    """The empty slide's optical density against 255.

    Attributes:
        od: (h, w, 3) float32 on blocks.
        block_px: grid pixels per block.
        rgb: median colour.
        seen: False where no open glass was found and the colour was taken from lumens
            or from the brightest pixels.
        candidates: (h, w) bool on the coarse grid, pixels taken for glass.
        roughness: grey levels, median local sd of those; glass 0.3 to 0.8, pale tissue 2.5.
    """

    od: Floats
    block_px: int
    rgb: tuple[int, int, int]
    seen: bool
    candidates: Mask
    roughness: float

    def local(self, rows: slice, width: int) -> Floats:
        """(rows, width, 3) OD of the glass, interpolated between blocks."""
        y = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) / self.block_px - 0.5
        x = (np.arange(width, dtype=np.float32) + 0.5) / self.block_px - 0.5
        grid_x, grid_y = np.meshgrid(x, y)
        border = cv2.BORDER_REPLICATE
        return np.asarray(cv2.remap(self.od, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=border))

    def rows(self, rows: slice, width: int) -> Mask:
        """(rows, width) bool, pixels taken for glass."""
        y = np.arange(rows.start, rows.stop) // COARSE
        return np.asarray(self.candidates[np.ix_(y, np.arange(width) // COARSE)])


def estimate_glass(
    rgb: NDArray[np.uint8], scanned: Mask, mpp: float, settings: TissueSettings
) -> Glass:
    """Find the glass: bright, nearly colourless, smooth over 80 µm, in up to three kinds.

    Where no such area exists the brightest smooth pixels (fat, lumens) stand in for it.
    """
    coarse = shrink(rgb, COARSE)
    valid = cv2.erode(shrink_all(scanned, COARSE).view(np.uint8), np.ones((5, 5))).view(np.bool_)
    od = density(coarse)
    sd = local_sd(coarse.mean(axis=2, dtype=np.float32), 5)
    likely = valid & _glass_like(coarse, od, settings) & (sd <= _smooth_limit(sd[valid]))
    if likely.sum() < max(20.0, LEAST_GLASS * valid.sum()):
        return _stand_in(rgb, scanned, settings)
    modes = _modes(evidence(od)[likely], sd[likely], settings)
    near = np.abs(evidence(od)[..., None] - modes).min(axis=-1) <= settings.glass_chroma
    return _surface(coarse, od, sd, likely & near, mpp, settings)


def _glass_like(
    rgb: NDArray[np.uint8], od: Floats, settings: TissueSettings, value: float | None = None
) -> Mask:
    tint = np.abs(od - od.mean(axis=-1, keepdims=True)).max(axis=-1)
    bright = rgb.mean(axis=-1, dtype=np.float32) >= (value or settings.min_glass_value)
    pale = (evidence(od) <= settings.max_glass_chroma) & (tint <= settings.max_glass_tint)
    return np.asarray(bright & pale)


def _smooth_limit(sd: Floats) -> float:
    """Grey levels: twice the smoothest tenth, within 1 and 3 (noise after averaging)."""
    if sd.size == 0:
        return 1.0
    return float(np.clip(2 * np.percentile(sd, 10), 1.0, 3.0))


def _modes(glass_evidence: Floats, sd: Floats, settings: TissueSettings) -> Floats:
    """Evidence of each kind of glass; a pinker kind must be as smooth as the palest."""
    bins = np.round(glass_evidence / MODE_STEP).astype(int)
    counts = np.bincount(bins - bins.min())
    left = np.convolve(counts, np.ones(5), mode="same")
    found: list[int] = []
    while len(found) < 3 and left.max() >= settings.min_mode_share * len(bins):
        peak = int(left.argmax())
        found.append(peak + int(bins.min()))
        left[max(0, peak - 5) : peak + 6] = 0
    first, *others = sorted(found) or [int(np.median(bins))]
    limit = 1.3 * max(0.6, float(np.median(sd[np.abs(bins - first) <= 2])))
    alike = [m for m in others if np.median(sd[np.abs(bins - m) <= 2]) <= limit]
    return np.array([first, *alike], dtype=np.float32) * np.float32(MODE_STEP)


def _surface(
    coarse: NDArray[np.uint8],
    od: Floats,
    sd: Floats,
    glass: Mask,
    mpp: float,
    settings: TissueSettings,
) -> Glass:
    """Average the glass in blocks and smooth; where none is near, the slide's median holds."""
    factor = max(1, round(settings.glass_block_um / (mpp * COARSE)))
    weight = glass.astype(np.float32)
    total = shrink(od * weight[..., None], factor)
    share = shrink(weight, factor)
    sigma = settings.glass_reach_um / (mpp * COARSE * factor)
    median = np.median(od[glass], axis=0)
    little = np.float32(1e-3)
    smooth_share = blur(share, sigma)[..., None] + little
    local = (blur(total, sigma) + little * median) / smooth_share
    rgb = np.median(coarse[glass], axis=0).round().astype(int)
    return Glass(local, factor * COARSE, _rgb(rgb), True, glass, float(np.median(sd[glass])))


def _stand_in(rgb: NDArray[np.uint8], scanned: Mask, settings: TissueSettings) -> Glass:
    """Lumens and fat are glass seen through the tissue; failing those, the brightest pixels."""
    od = density(rgb)
    smooth = local_sd(rgb.mean(axis=2, dtype=np.float32), 3) <= 3.0
    lumens = scanned & smooth & _glass_like(rgb, od, settings, value=200.0)
    if lumens.sum() >= max(30.0, 0.002 * scanned.sum()):
        colour = np.median(rgb[lumens], axis=0)
    else:
        seen = rgb[scanned] if scanned.any() else np.full((1, 3), 255)
        colour = np.maximum(np.percentile(seen, 99.5, axis=0), 225)
    colour = colour.round().astype(np.uint8)
    size = tuple(-(-n // COARSE) for n in scanned.shape)
    return Glass(density(colour)[None, None], 1, _rgb(colour), False, np.zeros(size, bool), 0.0)


def shrink(values: NDArray, factor: int) -> NDArray:  # type: ignore[type-arg]
    """Average over `factor` x `factor` pixels; incomplete ones repeat the last row or column."""
    if factor == 1:
        return values
    height, width = values.shape[:2]
    down, right = -height % factor, -width % factor
    padded = cv2.copyMakeBorder(values, 0, down, 0, right, cv2.BORDER_REPLICATE)
    size = (padded.shape[1] // factor, padded.shape[0] // factor)
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA))


def shrink_all(mask: Mask, factor: int) -> Mask:
    """True where all of `factor` x `factor` pixels are."""
    return np.asarray(shrink(mask.astype(np.float32), factor) > 0.999)


def _rgb(values: NDArray) -> tuple[int, int, int]:  # type: ignore[type-arg]
    red, green, blue = (int(v) for v in values)
    return red, green, blue
