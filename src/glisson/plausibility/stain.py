"""Measure the tissue's hue: the share that H&E could not have stained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.plausibility.settings import PlausibilitySettings
from glisson.tissue import TissueMap
from glisson.tissue.density import density

_MOST_PIXELS = 1_000_000
"""Sampled tissue pixels: more change no share by a thousandth."""


@dataclass(frozen=True)
class StainHue:
    """Optical density of a slide's stained tissue, at the tissue finder's µm/px.

    Attributes:
        foreign_share: share of the tissue that absorbs red or blue more than green, 0 to 1.
        red_over_green: median of red over green OD.
    """

    foreign_share: float
    red_over_green: float


def measure_stain(tissue: TissueMap, settings: PlausibilitySettings) -> StainHue | None:
    """Measure the hue of the tissue; return None without a picture or stained pixels.

    Both dyes of H&E absorb green most. So a tissue pixel that absorbs red or blue more holds
    another dye or a pigment, or emits light.
    """
    od = density(_sample_tissue(tissue)) - density(np.array(tissue.background_rgb, np.uint8))
    od = od[od.max(axis=1, initial=0.0) > settings.stained_od]
    red, green, blue = od[:, 0], od[:, 1], od[:, 2]
    if not green.size:
        return None
    least_green = np.maximum(green, np.float32(0.02))
    red_ratio, blue_ratio = red / least_green, blue / least_green
    foreign = (red_ratio > settings.foreign_red) | (blue_ratio > settings.foreign_blue)
    return StainHue(float(foreign.mean()), float(np.median(red_ratio)))


def _sample_tissue(tissue: TissueMap) -> NDArray[np.uint8]:
    """Sample (N, 3) tissue pixels evenly from the picture."""
    picture = tissue.picture
    if picture is None:
        return np.zeros((0, 3), np.uint8)
    height, width = picture.rgb.shape[:2]
    mask = tissue.mask[picture.y_px : picture.y_px + height, picture.x_px : picture.x_px + width]
    rows, columns = np.nonzero(mask)
    stride = max(1, len(rows) // _MOST_PIXELS)
    return np.ascontiguousarray(picture.rgb[rows[::stride], columns[::stride]])
