"""The tissue's hue: what share of it H&E could have stained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glisson.plausibility.settings import PlausibilitySettings
from glisson.tissue import TissueMap
from glisson.tissue.density import Floats, density

_MOST_PIXELS = 1_000_000
"""Tissue pixels that are looked at: more change no share by a thousandth."""


@dataclass(frozen=True)
class StainHue:
    """Optical density of a slide's stained tissue, at the tissue finder's µm/px.

    Attributes:
        foreign_share: share of it that absorbs red or blue more than green, 0 to 1.
        red_over_green: median of red over green OD.
    """

    foreign_share: float
    red_over_green: float


def measure_stain(tissue: TissueMap, settings: PlausibilitySettings) -> StainHue | None:
    """Measure the hue of the tissue; None where the picture was not kept or nothing is stained.

    Both dyes of H&E absorb green most, so a tissue pixel that absorbs red or blue more holds
    another dye, a pigment, or light of its own.
    """
    red, green, blue = _stained_od(tissue, settings)
    if not green.size:
        return None
    red_ratio, blue_ratio = (each / np.maximum(green, np.float32(0.02)) for each in (red, blue))
    foreign = (red_ratio > settings.foreign_red) | (blue_ratio > settings.foreign_blue)
    return StainHue(float(foreign.mean()), float(np.median(red_ratio)))


def _stained_od(tissue: TissueMap, settings: PlausibilitySettings) -> tuple[Floats, Floats, Floats]:
    """Red, green and blue OD against the glass, (N,) each, of tissue that is stained at all."""
    rgb = _tissue_rgb(tissue)
    od = density(rgb) - density(np.array(tissue.background_rgb, np.uint8))
    od = od[od.max(axis=1, initial=0.0) > settings.stained_od]
    return od[:, 0], od[:, 1], od[:, 2]


def _tissue_rgb(tissue: TissueMap) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """(N, 3) uint8, tissue pixels of the kept picture, evenly thinned."""
    picture = tissue.picture
    if picture is None:
        return np.zeros((0, 3), np.uint8)
    height, width = picture.rgb.shape[:2]
    mask = tissue.mask[picture.y_px : picture.y_px + height, picture.x_px : picture.x_px + width]
    rows, columns = np.nonzero(mask)
    stride = max(1, len(rows) // _MOST_PIXELS)
    return np.ascontiguousarray(picture.rgb[rows[::stride], columns[::stride]])
