"""Doubts that withhold no verdict: a pale stain, and a pixel size that cannot be right."""

from __future__ import annotations

from glisson.frames import PixelSize
from glisson.plausibility.plausibility import Measure
from glisson.plausibility.settings import PlausibilitySettings
from glisson.slides import SlideInfo

_LEAST_SCAN_UM = 2_000.0
_MOST_SCAN_UM = 80_000.0
"""A slide of glass is 76 mm long; no scanner's picture of a biopsy is narrower than 2 mm."""
_PHOTOGRAPHS = ("image", "memory")
"""Formats whose pictures may show any part of a slide."""


def doubt_strength(green_od: Measure) -> str:
    """Return the warning for a stain fainter than what the model was trained on."""
    return (
        f"The stain is very pale: the tissue's green optical density is {green_od.value:.2f} "
        f"(upper quartile), and the model knows {green_od.limit:.2f} and more. Tissue, portal "
        "areas and counts may be wrong. Check every outline, or scan a stronger stain."
    )


def doubt_nuclei(
    nucleus_um2: float | None, pixel_size: PixelSize, settings: PlausibilitySettings
) -> str | None:
    """Return a warning where round nuclei have a size that hepatocytes' cannot have, or None."""
    least, most = settings.plausible_nucleus_um2
    if nucleus_um2 is None or least <= nucleus_um2 <= most:
        return None
    size, change = ("small", "larger") if nucleus_um2 < least else ("large", "smaller")
    return (
        f"The nuclei are too {size} for hepatocytes: {nucleus_um2:.0f} µm², and {least:g} to "
        f"{most:g} are usual. The pixel size, {pixel_size.x_um:.4g} µm, may be wrong (the true one "
        f"{change}): every length and area then is too. Give the right one with --mpp."
    )


def doubt_slide_size(info: SlideInfo, is_part: bool) -> str | None:
    """Return a warning where a scanner's file has a size that no glass slide has, or None.

    Args:
        info: facts about the slide.
        is_part: whether the picture's sides cut the tissue; a crop may be small.
    """
    sides_um = (
        info.size_l0.width * info.pixel_size.x_um,
        info.size_l0.height * info.pixel_size.y_um,
    )
    is_small = min(sides_um) < _LEAST_SCAN_UM and not is_part
    if info.format in _PHOTOGRAPHS or not (is_small or max(sides_um) > _MOST_SCAN_UM):
        return None
    width_mm, height_mm = (side / 1000 for side in sides_um)
    return (
        f"With pixels of {info.pixel_size.x_um:.4g} µm the picture would show {width_mm:.2g} x "
        f"{height_mm:.2g} mm, and scans of slides are {_LEAST_SCAN_UM / 1000:g} to "
        f"{_MOST_SCAN_UM / 1000:g} mm wide and high. The pixel size may be wrong: every length and "
        "area then is too. Give the right one with --mpp."
    )
