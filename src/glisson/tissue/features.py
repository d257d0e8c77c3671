"""What each grid pixel looks like, as bit flags, computed band by band."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.tissue.background import Glass
from glisson.tissue.density import Floats, blur, density, evidence, local_sd, robust_sd
from glisson.tissue.grid import Grid, bands
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Mask

LIGHT_BLUR_PX = 0.8
"""Takes single-pixel noise, moves no border."""
TEXTURE_PX = 5
"""20 µm: a hepatocyte with its nucleus."""
SAMPLE_PX = 2_000_000
"""Pixels that are enough for medians."""
LEAST_DIRECTION = 0.12
"""Evidence over mean OD: grey 0, the bluest haematoxylin 0.4, eosin 0.9."""


class Look(IntFlag):
    """Bits of the flag map."""

    WEAK = 1
    SEED = 2
    STRONG = 4
    TEXTURED = 8
    ROUGH = 16
    GREY = 32
    PEN = 64
    PEN_RIM = 128


@dataclass(frozen=True)
class Thresholds:
    """Thresholds fitted to one slide.

    Attributes:
        weak: evidence (OD) of the mask.
        seed: averaged evidence (OD) of the seeds.
        noise_od: sd of mean OD on the glass.
    """

    weak: float
    seed: float
    noise_od: float


@dataclass(frozen=True)
class _View:
    """One band in OD against the local glass."""

    od: Floats
    mean: Floats
    evidence: Floats


def fit_thresholds(grid: Grid, glass: Glass, settings: TissueSettings) -> Thresholds:
    """Thresholds from the noise of the glass and the strength of the stain, within bounds."""
    noise, noise_od, values = _sample(grid, glass, settings)
    stained = values[values > max(settings.weak_evidence[0], 4 * noise)]
    strength = float(np.median(stained)) if stained.size else 0.0
    weak = max(settings.noise_sds * noise, settings.tissue_share * strength)
    seed = max(settings.noise_sds * noise, 1.4 * settings.tissue_share * strength)
    return Thresholds(
        float(np.clip(weak, *settings.weak_evidence)),
        float(np.clip(seed, *settings.seed_evidence)),
        noise_od,
    )


def _sample(grid: Grid, glass: Glass, settings: TissueSettings) -> tuple[float, float, Floats]:
    """Noise of evidence and of mean OD on the glass, and a sample of the slide's evidence."""
    on_glass: list[Floats] = []
    everywhere: list[Floats] = []
    stride = max(1, grid.causes.size // SAMPLE_PX)
    for band in bands(len(grid.rgb), settings.band_rows, halo=0):
        view = _view(grid, glass, band.rows)
        both = np.stack([view.evidence, view.mean], axis=-1)
        on_glass.append(both[glass.rows(band.rows, both.shape[1])][::stride])
        everywhere.append(view.evidence[grid.readable[band.rows]][::stride])
    quiet = np.concatenate(on_glass)
    return robust_sd(quiet[:, 0]), robust_sd(quiet[:, 1]), np.concatenate(everywhere)


def look_map(
    grid: Grid, glass: Glass, thresholds: Thresholds, settings: TissueSettings
) -> NDArray[np.uint8]:
    """(H, W) uint8 of `Look` flags."""
    looks = np.zeros(grid.causes.shape, np.uint8)
    for band in bands(len(looks), settings.band_rows, halo=16):
        view = _view(grid, glass, band.outer)
        looks[band.rows] = _looks(view, grid.frame.mpp, thresholds, settings)[band.inner]
    looks[~grid.readable] = 0
    return looks


def has(looks: NDArray[np.uint8], look: Look) -> Mask:
    """(H, W) bool, pixels with a flag."""
    return np.asarray((looks & np.uint8(look)) != 0)


def _view(grid: Grid, glass: Glass, rows: slice) -> _View:
    od = density(grid.rgb[rows]) - glass.local(rows, grid.rgb.shape[1])
    return _View(od, od.mean(axis=2), blur(evidence(od), LIGHT_BLUR_PX))


def _looks(
    view: _View, mpp: float, thresholds: Thresholds, settings: TissueSettings
) -> NDArray[np.uint8]:
    stained = view.evidence >= LEAST_DIRECTION * view.mean
    averaged = blur(view.evidence, max(LIGHT_BLUR_PX, settings.seed_um / 2 / mpp))
    ratio, known = _texture(view, thresholds)
    red, green, blue_ = np.moveaxis(cv2.blur(view.od, (3, 3)), 2, 0)
    flags = {
        Look.WEAK: stained & (view.evidence >= thresholds.weak),
        Look.SEED: stained & (averaged >= thresholds.seed),
        Look.STRONG: view.evidence >= settings.max_flat_evidence,
        Look.TEXTURED: (ratio >= settings.texture_ratio) | ~known,
        Look.ROUGH: ratio >= settings.rough_ratio,
        Look.GREY: (view.mean >= settings.neutral_od) & ~stained,
        Look.PEN: _pen(red, green, blue_, settings),
        Look.PEN_RIM: _pen_rim(red, green, blue_),
    }
    looks = np.zeros(view.mean.shape, np.uint8)
    for look, where in flags.items():
        looks[where] |= np.uint8(look)
    return looks


def _texture(view: _View, thresholds: Thresholds) -> tuple[Floats, Mask]:
    """Relative sd of OD without noise, and where noise leaves it measurable."""
    mean = np.maximum(blur(view.mean, TEXTURE_PX / 2), 0.01)
    # A grey level of noise weighs more in OD where the pixel is darker.
    noise = thresholds.noise_od * 10**mean
    spread = np.sqrt(np.maximum(local_sd(view.mean, TEXTURE_PX) ** 2 - noise**2, 0))
    return np.asarray(spread / mean, dtype=np.float32), np.asarray(noise < 0.25 * mean)


def _pen(red: Floats, green: Floats, blue_: Floats, settings: TissueSettings) -> Mask:
    """Blue and green ink absorb red most, which H&E never does; red ink absorbs blue like
    green and at twice the OD of blood; black absorbs all alike.
    """
    most = np.maximum(np.maximum(red, green), blue_)
    least = np.minimum(np.minimum(red, green), blue_)
    cool = (red > 1.05 * green) & (most >= settings.pen_od)
    warm = (green >= 0.6) & (blue_ > 0.75 * green) & (red < 0.35 * green)
    black = (least > 0.72 * most) & (least >= 0.45)
    return np.asarray(cool | warm | black)


def _pen_rim(red: Floats, green: Floats, blue_: Floats) -> Mask:
    """The same directions, however faint; only asked beside a pen's core."""
    most = np.maximum(np.maximum(red, green), blue_)
    least = np.minimum(np.minimum(red, green), blue_)
    cool = red > green
    warm = (blue_ > 0.70 * green) & (red < 0.35 * green)
    return np.asarray((most >= 0.015) & (cool | warm | (least > 0.6 * most)))
