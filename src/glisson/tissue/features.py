"""Flags of every grid pixel: cheap flags everywhere, costly flags on request."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
"""Removes single-pixel noise, moves no border."""
TEXTURE_PX = 5
"""20 µm: a hepatocyte with its nucleus."""
SAMPLE_PX = 2_000_000
"""Pixels that are enough for medians."""
LEAST_DIRECTION = 0.12
"""Evidence over mean OD: grey 0, the bluest haematoxylin 0.4, eosin 0.9."""
TILE_PX = (128, 1024)
"""Rows and columns of a tile: a channel in OD is half a megabyte and fits the cache."""
SMALL_TILE_PX = (64, 128)
"""Rows and columns of a tile where few pixels are requested."""
HALO_PX = 12
"""Reach of the texture: 2.5 px of sd, cut off at four."""


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
        pen: (H, W) bool, the colours of ink.
    """

    mean: Floats
    evidence: Floats
    pen: Mask


@dataclass(frozen=True)
class Looks:
    """The slide's flags, and the values that costly flags are computed from.

    Attributes:
        flags: (H, W) uint8 of `Look`. WEAK, GREY and PEN hold everywhere, SEED and STRONG
            within pieces of WEAK.
        grid: the pixels.
        glass: the local glass.
        mean_od: (H, W) float32 mean OD of the three channels.
        thresholds: those of this slide.
        settings: those of every slide.
    """

    flags: NDArray[np.uint8]
    grid: Grid
    glass: Glass
    mean_od: Floats
    thresholds: Thresholds
    settings: TissueSettings

    def has(self, look: Look) -> Mask:
        """Return the (H, W) pixels with a flag."""
        return np.asarray((self.flags & np.uint8(look)) != 0)

    def find_textured(self, where: Mask) -> Mask:
        """Find the (H, W) pixels of `where` that are textured, or too faint to decide."""

        def look(window: Window) -> Mask:
            ratio, is_known = _measure_texture(self.mean_od[window], self.thresholds)
            return np.asarray((ratio >= self.settings.texture_ratio) | ~is_known)

        return self._look_at(where, look)

    def find_rough(self, where: Mask) -> Mask:
        """Find the (H, W) pixels of `where` that are too rough for ink."""

        def look(window: Window) -> Mask:
            ratio, _ = _measure_texture(self.mean_od[window], self.thresholds)
            return np.asarray(ratio >= self.settings.rough_ratio)

        return self._look_at(where, look)

    def find_pen_rim(self, where: Mask) -> Mask:
        """Find the (H, W) pixels of `where` with the colour of ink, however faint."""
        return self._look_at(
            where, lambda window: _is_pen_rim(_soften(local_od(self.grid, self.glass, window)))
        )

    def _look_at(self, where: Mask, look: Callable[[Window], Mask]) -> Mask:
        found = np.zeros(where.shape, np.bool_)
        for tile in tiles(where.shape, SMALL_TILE_PX, HALO_PX):
            if where[tile.window].any():
                found[tile.window] = look(tile.outer)[tile.inner]
        return found & where & self.grid.readable


def find_looks(grid: Grid, glass: Glass, settings: TissueSettings) -> Looks:
    """Compute the flags of a slide whose glass is known."""
    stain = measure_stain(grid, glass, settings)
    thresholds = fit_thresholds(stain, grid, glass, settings)
    flags = flag_map(stain, grid.frame.mpp, thresholds, settings)
    if not grid.is_complete:
        flags[~grid.readable] = 0
    return Looks(flags, grid, glass, stain.mean, thresholds, settings)


def measure_stain(grid: Grid, glass: Glass, settings: TissueSettings) -> Stain:
    """Measure mean OD, evidence and ink of every pixel."""
    shape = grid.causes.shape
    stain = Stain(np.empty(shape, np.float32), np.empty(shape, np.float32), np.zeros(shape, bool))

    def measure(tile: Tile) -> None:
        planes = local_od(grid, glass, tile.outer)
        stain.mean[tile.window] = mean_of([plane[tile.inner] for plane in planes])
        stain.evidence[tile.window] = blur(evidence_of(planes), LIGHT_BLUR_PX)[tile.inner]
        if max(plane.max() for plane in planes) >= min(settings.pen_od, _LEAST_PEN_OD):
            stain.pen[tile.window] = _is_pen(_soften(planes), settings)[tile.inner]

    map_in_threads(measure, tiles(shape, TILE_PX, halo=4), settings.workers)
    return stain


def local_od(grid: Grid, glass: Glass, window: Window) -> list[Floats]:
    """Return red, green and blue OD of a window against the local glass, (h, w) each."""
    channels = cv2.split(grid.rgb[window])
    clear = glass.local(window)
    return [density(np.asarray(c)) - g for c, g in zip(channels, clear, strict=True)]


def fit_thresholds(stain: Stain, grid: Grid, glass: Glass, settings: TissueSettings) -> Thresholds:
    """Fit thresholds to the glass's noise and the stain's strength, within bounds."""
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
    """Return the glass's noise in evidence and mean OD, and a sample of the slide's evidence."""
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
        readable = slice(None) if grid.is_complete else grid.readable[rows].reshape(-1)
        everywhere.append(evidence[readable][::stride])
    quiet, quiet_od = np.concatenate(noise), np.concatenate(noise_od)
    return robust_sd(quiet), robust_sd(quiet_od), np.concatenate(everywhere)


def flag_map(
    stain: Stain, mpp: float, thresholds: Thresholds, settings: TissueSettings
) -> NDArray[np.uint8]:
    """Compute the (H, W) uint8 of `Look`; skip tiles of plain glass."""
    flags = stain.pen.view(np.uint8) * np.uint8(Look.PEN)
    least = min(thresholds.weak, thresholds.seed)
    sigma = max(LIGHT_BLUR_PX, settings.seed_um / 2 / mpp)

    def flag(tile: Tile) -> None:
        mean, evidence = stain.mean[tile.window], stain.evidence[tile.window]
        around = stain.evidence[tile.outer]
        if around.max() < least and mean.max() < settings.neutral_od:
            return
        stained = evidence >= LEAST_DIRECTION * mean
        averaged = blur(around, sigma)[tile.inner]
        found = {
            Look.WEAK: stained & (evidence >= thresholds.weak),
            Look.SEED: stained & (averaged >= thresholds.seed),
            Look.STRONG: evidence >= settings.max_flat_evidence,
            Look.GREY: (mean >= settings.neutral_od) & ~stained,
        }
        for look, where in found.items():
            flags[tile.window] |= where.view(np.uint8) * np.uint8(look)

    map_in_threads(flag, tiles(flags.shape, TILE_PX, math.ceil(4 * sigma) + 1), settings.workers)
    return flags


def _measure_texture(mean_od: Floats, thresholds: Thresholds) -> tuple[Floats, Mask]:
    """Return the relative sd of OD without noise, and the pixels with little enough noise."""
    mean = np.maximum(blur(mean_od, TEXTURE_PX / 2), 0.01)
    # A grey level of noise weighs more in OD where the pixel is darker.
    noise = thresholds.noise_od * 10**mean
    spread = np.sqrt(np.maximum(local_sd(mean_od, TEXTURE_PX) ** 2 - noise**2, 0))
    return np.asarray(spread / mean, dtype=np.float32), np.asarray(noise < 0.25 * mean)


def _soften(planes: Sequence[Floats]) -> list[Floats]:
    """Average every plane over 3 x 3 pixels: ink has no grain."""
    return [np.asarray(cv2.blur(plane, (3, 3)), dtype=np.float32) for plane in planes]


_LEAST_PEN_OD = 0.45
"""Least OD of black or red ink in its strongest channel."""


def _is_pen(planes: Sequence[Floats], settings: TissueSettings) -> Mask:
    """Decide which pixels have the colour of ink.

    Blue and green ink absorb red most, which H&E never does. Red ink absorbs blue like green, at
    twice the OD of blood. Black ink absorbs all channels alike.
    """
    red, green, blue_ = planes
    most = np.maximum(np.maximum(red, green), blue_)
    least = np.minimum(np.minimum(red, green), blue_)
    cool = (red > 1.05 * green) & (most >= settings.pen_od)
    warm = (green >= 0.6) & (blue_ > 0.75 * green) & (red < 0.35 * green)
    black = (least > 0.72 * most) & (least >= _LEAST_PEN_OD)
    return np.asarray(cool | warm | black)


def _is_pen_rim(planes: Sequence[Floats]) -> Mask:
    """Decide which pixels beside a pen's core have the colour of ink, however faint."""
    red, green, blue_ = planes
    most = np.maximum(np.maximum(red, green), blue_)
    least = np.minimum(np.minimum(red, green), blue_)
    cool = red > green
    warm = (blue_ > 0.70 * green) & (red < 0.35 * green)
    return np.asarray((most >= 0.015) & (cool | warm | (least > 0.6 * most)))
