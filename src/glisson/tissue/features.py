"""What each grid pixel looks like: the cheap flags everywhere, the costly where asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.threads import map_in_threads
from glisson.tissue.background import Glass
from glisson.tissue.density import (
    Floats,
    blur,
    density,
    evidence_of,
    local_sd,
    mean_of,
    median,
    robust_sd,
)
from glisson.tissue.grid import Grid, Tile, Window, tiles
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
TILE_PX = (128, 1024)
"""Rows and columns computed at once: a channel in OD is half a megabyte, and stays in cache."""
SMALL_TILE_PX = (64, 128)
"""The same for what is asked of few places."""
HALO_PX = 12
"""As far as the texture reaches: 2.5 px of sd, cut off at four."""


class Look(IntFlag):
    """Bits of the flag map."""

    WEAK = 1
    SEED = 2
    STRONG = 4
    GREY = 8
    PEN = 16


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
class Stain:
    """The slide in OD against the local glass.

    Attributes:
        mean: (H, W) float32 mean OD of the three channels.
        evidence: (H, W) float32 evidence, lightly blurred.
        pen: (H, W) bool, the colours of ink; here, where the channels are at hand.
    """

    mean: Floats
    evidence: Floats
    pen: Mask


@dataclass(frozen=True)
class Looks:
    """The slide's flags, and what the costly ones are computed from where asked.

    Attributes:
        flags: (H, W) uint8 of `Look`. WEAK, GREY and PEN hold everywhere; SEED and STRONG
            are only asked within pieces of WEAK.
        mean_od: (H, W) float32 mean OD of the three channels.
    """

    flags: NDArray[np.uint8]
    grid: Grid
    glass: Glass
    mean_od: Floats
    thresholds: Thresholds
    settings: TissueSettings

    def has(self, look: Look) -> Mask:
        """(H, W) bool, pixels with a flag."""
        return np.asarray((self.flags & np.uint8(look)) != 0)

    def textured(self, where: Mask) -> Mask:
        """(H, W) bool, textured pixels of `where`, or too faint to tell."""
        found = np.zeros(where.shape, np.bool_)
        for tile in _tiles_with(where):
            ratio, known = _texture(self.mean_od[tile.outer], self.thresholds)
            found[tile.window] = ((ratio >= self.settings.texture_ratio) | ~known)[tile.inner]
        return found & where & self.grid.readable

    def rough(self, where: Mask) -> Mask:
        """(H, W) bool, pixels of `where` too rough for ink."""
        found = np.zeros(where.shape, np.bool_)
        for tile in _tiles_with(where):
            ratio, _ = _texture(self.mean_od[tile.outer], self.thresholds)
            found[tile.window] = (ratio >= self.settings.rough_ratio)[tile.inner]
        return found & where & self.grid.readable

    def pen_rim(self, where: Mask) -> Mask:
        """(H, W) bool, pixels of `where` with an ink's colour, however faint."""
        found = np.zeros(where.shape, np.bool_)
        for tile in _tiles_with(where):
            planes = local_od(self.grid, self.glass, tile.outer)
            found[tile.window] = _pen_rim(_softened(planes))[tile.inner]
        return found & where & self.grid.readable


def find_looks(grid: Grid, glass: Glass, settings: TissueSettings) -> Looks:
    """The flags of a slide whose glass is known."""
    stain = measure_stain(grid, glass, settings)
    thresholds = fit_thresholds(stain, grid, glass, settings)
    flags = flag_map(stain, grid.frame.mpp, thresholds, settings)
    if not grid.all_readable:
        flags[~grid.readable] = 0
    return Looks(flags, grid, glass, stain.mean, thresholds, settings)


def measure_stain(grid: Grid, glass: Glass, settings: TissueSettings) -> Stain:
    """Mean OD, evidence and ink of every pixel."""
    shape = grid.causes.shape
    stain = Stain(np.empty(shape, np.float32), np.empty(shape, np.float32), np.zeros(shape, bool))

    def measure(tile: Tile) -> None:
        planes = local_od(grid, glass, tile.outer)
        stain.mean[tile.window] = mean_of([plane[tile.inner] for plane in planes])
        stain.evidence[tile.window] = blur(evidence_of(planes), LIGHT_BLUR_PX)[tile.inner]
        if max(plane.max() for plane in planes) >= min(settings.pen_od, _LEAST_PEN_OD):
            stain.pen[tile.window] = _pen(_softened(planes), settings)[tile.inner]

    map_in_threads(measure, tiles(shape, TILE_PX, halo=4), settings.workers)
    return stain


def local_od(grid: Grid, glass: Glass, window: Window) -> list[Floats]:
    """Red, green and blue OD of a window against the local glass, three (h, w) planes."""
    channels = cv2.split(grid.rgb[window])
    clear = glass.local(window)
    return [density(np.asarray(c)) - g for c, g in zip(channels, clear, strict=True)]


def fit_thresholds(stain: Stain, grid: Grid, glass: Glass, settings: TissueSettings) -> Thresholds:
    """Thresholds from the noise of the glass and the strength of the stain, within bounds."""
    noise, noise_od, values = _sample(stain, grid, glass, settings)
    stained = values[values > max(settings.weak_evidence[0], 4 * noise)]
    strength = float(median(stained)) if stained.size else 0.0
    weak = max(settings.noise_sds * noise, settings.tissue_share * strength)
    seed = max(settings.noise_sds * noise, 1.4 * settings.tissue_share * strength)
    return Thresholds(
        float(np.clip(weak, *settings.weak_evidence)),
        float(np.clip(seed, *settings.seed_evidence)),
        noise_od,
    )


def _sample(
    stain: Stain, grid: Grid, glass: Glass, settings: TissueSettings
) -> tuple[float, float, Floats]:
    """Noise of evidence and of mean OD on the glass, and a sample of the slide's evidence."""
    noise: list[Floats] = []
    noise_od: list[Floats] = []
    everywhere: list[Floats] = []
    height, width = grid.causes.shape
    stride = max(1, grid.causes.size // SAMPLE_PX)
    for top in range(0, height, settings.band_rows):
        rows = slice(top, min(height, top + settings.band_rows))
        evidence, mean = stain.evidence[rows].reshape(-1), stain.mean[rows].reshape(-1)
        on_glass = np.flatnonzero(glass.rows(rows, width))[::stride]
        noise.append(evidence[on_glass])
        noise_od.append(mean[on_glass])
        seen = slice(None) if grid.all_readable else grid.readable[rows].reshape(-1)
        everywhere.append(evidence[seen][::stride])
    quiet, quiet_od = np.concatenate(noise), np.concatenate(noise_od)
    return robust_sd(quiet), robust_sd(quiet_od), np.concatenate(everywhere)


def flag_map(
    stain: Stain, mpp: float, thresholds: Thresholds, settings: TissueSettings
) -> NDArray[np.uint8]:
    """(H, W) uint8 of `Look` flags; tiles of plain glass are passed over."""
    flags = stain.pen.view(np.uint8) * np.uint8(Look.PEN)
    least = min(thresholds.weak, thresholds.seed)
    sigma = max(LIGHT_BLUR_PX, settings.seed_um / 2 / mpp)

    def flag(tile: Tile) -> None:
        mean = stain.mean[tile.window]
        stained = stain.evidence[tile.outer].max() >= least
        if stained or mean.max() >= settings.neutral_od:
            flags[tile.window] |= _flags(stain, tile, sigma, thresholds, settings)

    map_in_threads(flag, tiles(flags.shape, TILE_PX, math.ceil(4 * sigma) + 1), settings.workers)
    return flags


def _flags(
    stain: Stain, tile: Tile, sigma: float, thresholds: Thresholds, settings: TissueSettings
) -> NDArray[np.uint8]:
    mean, evidence = stain.mean[tile.window], stain.evidence[tile.window]
    stained = evidence >= LEAST_DIRECTION * mean
    averaged = blur(stain.evidence[tile.outer], sigma)[tile.inner]
    found = {
        Look.WEAK: stained & (evidence >= thresholds.weak),
        Look.SEED: stained & (averaged >= thresholds.seed),
        Look.STRONG: evidence >= settings.max_flat_evidence,
        Look.GREY: (mean >= settings.neutral_od) & ~stained,
    }
    flags = np.zeros(mean.shape, np.uint8)
    for look, where in found.items():
        flags |= where.view(np.uint8) * np.uint8(look)
    return flags


def _tiles_with(where: Mask) -> list[Tile]:
    parts = tiles(where.shape, SMALL_TILE_PX, HALO_PX)
    return [tile for tile in parts if where[tile.window].any()]


def _texture(mean_od: Floats, thresholds: Thresholds) -> tuple[Floats, Mask]:
    """Relative sd of OD without noise, and where noise leaves it measurable."""
    mean = np.maximum(blur(mean_od, TEXTURE_PX / 2), 0.01)
    # A grey level of noise weighs more in OD where the pixel is darker.
    noise = thresholds.noise_od * 10**mean
    spread = np.sqrt(np.maximum(local_sd(mean_od, TEXTURE_PX) ** 2 - noise**2, 0))
    return np.asarray(spread / mean, dtype=np.float32), np.asarray(noise < 0.25 * mean)


def _softened(planes: Sequence[Floats]) -> list[Floats]:
    """Each plane averaged over 3 x 3 pixels: ink has no grain."""
    return [np.asarray(cv2.blur(plane, (3, 3)), dtype=np.float32) for plane in planes]


_LEAST_PEN_OD = 0.45
"""OD that black or red ink has at least in its strongest channel."""


def _pen(planes: Sequence[Floats], settings: TissueSettings) -> Mask:
    """Blue and green ink absorb red most, which H&E never does; red ink absorbs blue like
    green and at twice the OD of blood; black absorbs all alike.
    """
    red, green, blue_ = planes
    most = np.maximum(np.maximum(red, green), blue_)
    least = np.minimum(np.minimum(red, green), blue_)
    cool = (red > 1.05 * green) & (most >= settings.pen_od)
    warm = (green >= 0.6) & (blue_ > 0.75 * green) & (red < 0.35 * green)
    black = (least > 0.72 * most) & (least >= _LEAST_PEN_OD)
    return np.asarray(cool | warm | black)


def _pen_rim(planes: Sequence[Floats]) -> Mask:
    """The same directions, however faint; only asked beside a pen's core."""
    red, green, blue_ = planes
    most = np.maximum(np.maximum(red, green), blue_)
    least = np.minimum(np.minimum(red, green), blue_)
    cool = red > green
    warm = (blue_ > 0.70 * green) & (red < 0.35 * green)
    return np.asarray((most >= 0.015) & (cool | warm | (least > 0.6 * most)))
