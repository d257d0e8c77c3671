"""Measure the tissue's stain: its hue, its strength, and whether red and blue are swapped."""

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


@dataclass(frozen=True)
class StainStrength:
    """Optical density of all tissue, however pale, at the tissue finder's µm/px.

    Attributes:
        green_od: upper quartile of green OD; fat and sinusoids lie below it.
        red_over_blue: median red over median blue OD; None where the darkest tissue absorbs
            relatively more red than the rest, as nuclei of H&E do.
    """

    green_od: float
    red_over_blue: float | None


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


def measure_strength(tissue: TissueMap) -> StainStrength | None:
    """Measure how strong the stain is, and how red and blue relate; return None without tissue.

    Eosin absorbs more blue than red, and haematoxylin more red than blue. So the tissue absorbs
    more blue, and the darkest of it, rich in nuclei, relatively more red: swapped channels turn
    both round.
    """
    rgb = _sample_tissue(tissue)
    if not len(rgb):
        return None
    od = density(rgb) - density(np.array(tissue.background_rgb, np.uint8))
    red, green, blue = od[:, 0], od[:, 1], od[:, 2]
    sum_of_both = red + blue
    dark = sum_of_both >= np.percentile(sum_of_both, 95)
    rest_red, rest_blue = max(float(np.median(red)), 0.001), max(float(np.median(blue)), 0.001)
    dark_ratio = float(np.median(red[dark])) / max(float(np.median(blue[dark])), 0.001)
    ratio = rest_red / rest_blue
    # The more red the tissue absorbs, the less its dark parts have to say.
    is_turned = dark_ratio < ratio * (0.9 + 0.3 * (ratio - 1))
    return StainStrength(float(np.percentile(green, 75)), ratio if is_turned else None)


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
