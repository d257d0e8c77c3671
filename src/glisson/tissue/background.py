"""Estimate the glass: its colour everywhere on the slide, and its noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.tissue.density import Floats, blur, density, evidence_of, local_sd, mean_of
from glisson.tissue.grid import Window
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Mask

COARSE = 4
"""Grid pixels per coarse pixel: 16 µm averages noise but not the texture of tissue."""
MODE_STEP = 0.002
"""OD, bins that separate the kinds of glass."""
LEAST_GLASS = 0.005
"""Least share of the scanned area that must look like glass (0.1 mm² of 20)."""


@dataclass(frozen=True)
class Glass:
    """The empty slide's optical density against 255.

    Attributes:
        od: (h, w, 3) float32 on blocks.
        block_px: grid pixels per block.
        rgb: median colour.
        is_open: False if no open glass was found, and lumens or the brightest pixels gave the
            colour.
        candidates: (h, w) bool on the coarse grid, pixels that look like glass.
        roughness: grey levels, their median local sd; glass 0.3 to 0.8, pale tissue 2.5.
    """

    od: Floats
    block_px: int
    rgb: tuple[int, int, int]
    is_open: bool
    candidates: Mask
    roughness: float

    def local(self, window: Window) -> list[Floats]:
        """Interpolate the glass's red, green and blue OD between blocks, in a window."""
        # Interpolation needs a block more on either side.
        y, x = (
            slice(max(0, cut.start // self.block_px - 1), -(-cut.stop // self.block_px) + 1)
            for cut in window
        )
        part = tuple(
            slice(cut.start - around.start * self.block_px, cut.stop - around.start * self.block_px)
            for cut, around in zip(window, (y, x), strict=True)
        )
        blocks = self.od[y, x]
        size = (blocks.shape[1] * self.block_px, blocks.shape[0] * self.block_px)
        wide = [
            cv2.resize(np.ascontiguousarray(plane), size) for plane in np.moveaxis(blocks, 2, 0)
        ]
        return [np.asarray(plane[part], np.float32) for plane in wide]

    def rows(self, rows: slice, width: int) -> Mask:
        """Return the (rows, width) pixels that look like glass."""
        first = rows.start // COARSE
        coarse = self.candidates[first : -(-rows.stop // COARSE)]
        wide = coarse.repeat(COARSE, axis=1)[:, :width]
        top = rows.start - first * COARSE
        return wide.repeat(COARSE, axis=0)[top : top + rows.stop - rows.start]


@dataclass(frozen=True)
class _Coarse:
    """The slide on the coarse grid.

    Attributes:
        rgb: (h, w, 3) uint8.
        od: red, green and blue OD against 255, (h, w) each.
        sd: (h, w) local standard deviation of grey levels.
        mpp: µm per coarse pixel.
    """

    rgb: NDArray[np.uint8]
    od: Sequence[Floats]
    sd: Floats
    mpp: float


def estimate_glass(
    rgb: NDArray[np.uint8], scanned: Mask, mpp: float, settings: TissueSettings
) -> Glass:
    """Estimate the glass: bright, nearly colourless, smooth over 80 µm, in up to three kinds.

    Without such an area the brightest smooth pixels (fat, lumens) replace it.
    """
    small = shrink(rgb, COARSE)
    valid = cv2.erode(shrink_all(scanned, COARSE).view(np.uint8), np.ones((5, 5))).view(np.bool_)
    grey = _grey(small)
    od, sd = cv2.split(density(small)), local_sd(grey, 5)
    coarse = _Coarse(small, od, sd, mpp * COARSE)
    bright = grey >= settings.min_glass_value
    # Noise after averaging has 1 to 3 grey levels.
    smooth = np.clip(2 * np.percentile(sd[valid], 10), 1.0, 3.0) if valid.any() else 1.0
    likely = valid & bright & _is_pale(od, settings) & (sd <= float(smooth))
    if np.count_nonzero(likely) < max(20.0, LEAST_GLASS * np.count_nonzero(valid)):
        return _replace_glass(rgb, scanned, settings)
    stain = evidence_of(od)
    modes = _find_modes(stain[likely], sd[likely], settings)
    near = np.logical_or.reduce([np.abs(stain - m) <= settings.glass_chroma for m in modes])
    return _average_glass(coarse, likely & near, settings)


def _grey(rgb: NDArray[np.uint8]) -> Floats:
    """Return the (H, W) mean of the three channels."""
    return mean_of([c.astype(np.float32) for c in cv2.split(rgb)])


def _is_pale(od: Sequence[Floats], settings: TissueSettings) -> Mask:
    """Decide for (H, W) pixels whether three planes of OD are nearly colourless."""
    mean = mean_of(od)
    pale = evidence_of(od) <= settings.max_glass_chroma
    for plane in od:
        pale &= np.abs(plane - mean) <= settings.max_glass_tint
    return pale


def _find_modes(glass_evidence: Floats, sd: Floats, settings: TissueSettings) -> Floats:
    """Find the evidence of every kind of glass; a pinker kind must be as smooth as the palest."""
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


def _average_glass(coarse: _Coarse, glass: Mask, settings: TissueSettings) -> Glass:
    """Average the glass in blocks and smooth; far from glass the slide's median applies."""
    factor = max(1, round(settings.glass_block_um / coarse.mpp))
    weight = glass.astype(np.float32)
    total = np.dstack([shrink(plane * weight, factor) for plane in coarse.od])
    share = shrink(weight, factor)
    sigma = settings.glass_reach_um / (coarse.mpp * factor)
    levels = _find_middle_levels(coarse.rgb, glass)
    median = density(levels).mean(axis=0)
    little = np.float32(1e-3)
    smooth_share = blur(share, sigma)[..., None] + little
    local = (blur(total, sigma) + little * median) / smooth_share
    rgb = levels.mean(axis=0).round().astype(int)
    return Glass(local, factor * COARSE, _rgb(rgb), True, glass, float(np.median(coarse.sd[glass])))


def _find_middle_levels(rgb: NDArray[np.uint8], where: Mask) -> NDArray[np.uint8]:
    """Find the (2, 3) two middle values of every channel, equal for an odd number of pixels."""
    counts = [
        cv2.calcHist([rgb], [channel], where.view(np.uint8), [256], [0, 256])
        for channel in range(3)
    ]
    total = np.cumsum(np.array(counts).reshape(3, 256), axis=1, dtype=np.int64)
    last = total[0, -1] - 1
    ranks = (last // 2, last - last // 2)
    found = [[np.searchsorted(row, rank, side="right") for row in total] for rank in ranks]
    return np.array(found, np.uint8)


def _replace_glass(rgb: NDArray[np.uint8], scanned: Mask, settings: TissueSettings) -> Glass:
    """Take the colour from lumens and fat, or else from the brightest pixels."""
    grey = _grey(rgb)
    lumens = scanned & (local_sd(grey, 3) <= 3.0) & (grey >= 200.0)
    lumens &= _is_pale(cv2.split(density(rgb)), settings)
    if np.count_nonzero(lumens) >= max(30.0, 0.002 * np.count_nonzero(scanned)):
        colour = np.median(rgb[lumens], axis=0)
    else:
        pixels = rgb[scanned] if scanned.any() else np.full((1, 3), 255)
        colour = np.maximum(np.percentile(pixels, 99.5, axis=0), 225)
    colour = colour.round().astype(np.uint8)
    size = tuple(-(-n // COARSE) for n in scanned.shape)
    od = np.broadcast_to(density(colour), (*size, 3)).copy()
    return Glass(od, COARSE, _rgb(colour), False, np.zeros(size, bool), 0.0)


def shrink(values: NDArray, factor: int) -> NDArray:  # type: ignore[type-arg]
    """Average over `factor` x `factor` pixels; repeat the last row or column to fill them."""
    if factor == 1:
        return values
    height, width = values.shape[:2]
    down, right = -height % factor, -width % factor
    padded = cv2.copyMakeBorder(values, 0, down, 0, right, cv2.BORDER_REPLICATE)
    size = (padded.shape[1] // factor, padded.shape[0] // factor)
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA))


def shrink_all(mask: Mask, factor: int) -> Mask:
    """Reduce a mask: True where all of `factor` x `factor` pixels are set."""
    if mask.all():
        return np.ones([-(-n // factor) for n in mask.shape], np.bool_)
    return np.asarray(shrink(mask.astype(np.float32), factor) > 0.999)


def _rgb(values: NDArray) -> tuple[int, int, int]:  # type: ignore[type-arg]
    red, green, blue = (int(v) for v in values)
    return red, green, blue
