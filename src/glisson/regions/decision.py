"""Tract or candidate, and the range of the portal area that follows from that decision.

The sure area of a portal area is the weighted area of its pixels. The weight is 0 at
`sure_probability` and 1 at certainty. The sum grows with the area, so only small areas lie near the
limit. A large tract does not come and go with its mean probability.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glisson.regions.settings import RegionSettings
from glisson.regions.spans import Flags

Probabilities = NDArray[np.float32]

_NEAR = 0.05
"""Probability by which the same pixels differ when they lie elsewhere (docs/measure.md)."""


def are_certain(
    areas: Sequence[Probabilities], mpp: float, settings: RegionSettings, shift: float = 0.0
) -> Flags:
    """Decide which portal areas are tracts; the others are candidates.

    Args:
        areas: portal probabilities of every area's pixels.
        mpp: µm per pixel.
        settings: the model's limits.
        shift: probability to add to every pixel first.
    """
    certain = np.zeros(len(areas), bool)
    for k, values in enumerate(areas):
        shifted = np.clip(values + np.float32(shift), 0, 1) if shift else values
        certain[k] = (
            float(shifted.mean()) >= settings.min_tract_probability
            and sure_area_um2(shifted, mpp, settings) >= settings.min_sure_area_um2
        )
    return certain


def are_near_limit(areas: Sequence[Probabilities], mpp: float, settings: RegionSettings) -> Flags:
    """Return which areas change sides when every probability is 0.05 higher or lower.

    Args:
        areas: portal probabilities of every area's pixels.
        mpp: µm per pixel.
        settings: the model's limits.
    """
    lower, higher = (are_certain(areas, mpp, settings, by) for by in (-_NEAR, _NEAR))
    return np.asarray(lower != higher)


def sure_area_um2(values: Probabilities, mpp: float, settings: RegionSettings) -> float:
    """Sum the pixels of an area, weighted from 0 at `sure_probability` to 1 at certainty."""
    above = np.maximum(values - settings.sure_probability, 0)
    return float(above.sum(dtype=np.float64)) / (1 - settings.sure_probability) * mpp**2


def portal_area_range_um2(
    areas: Sequence[Probabilities], mpp: float, settings: RegionSettings
) -> tuple[float, float]:
    """Sum the tracts' areas with every probability lowered, and raised, by `probability_spread`.

    Each shift decides again which areas are tracts. A tract loses or gains its border: the pixels
    whose probability lies within the spread of one half.

    Args:
        areas: portal probabilities of every area's pixels.
        mpp: µm per pixel.
        settings: the model's limits, and the spread.
    """
    spread = settings.probability_spread
    size = np.array([len(values) for values in areas], float)
    border = np.array([np.count_nonzero(np.abs(v - 0.5) < spread) for v in areas], float)
    fewest = are_certain(areas, mpp, settings, -spread)
    most = are_certain(areas, mpp, settings, spread)
    low_px, high_px = (size - border)[fewest].sum(), (size + border)[most].sum()
    return float(low_px) * mpp**2, float(high_px) * mpp**2
