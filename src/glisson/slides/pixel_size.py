"""The pixel size of a slide: from the file or the user, never guessed."""

from __future__ import annotations

import math

from glisson.errors import AbsurdPixelSize, MissingPixelSize
from glisson.frames import PixelSize
from glisson.slides.slide import PixelSizeSource

LEAST_UM = 0.05
MOST_UM = 5.0
_MOST_ANISOTROPY = 1.1


def choose_pixel_size(
    in_file: tuple[float, float] | None,
    override: float | tuple[float, float] | None,
    name: str,
) -> tuple[PixelSize, PixelSizeSource]:
    """Return the pixel size to use and its source; an override wins.

    Raises:
        MissingPixelSize: neither the file nor the caller gives a pixel size.
        AbsurdPixelSize: outside 0.05 to 5 µm/px, or x and y more than 10 % apart.
    """
    if override is not None:
        x_um, y_um = (override, override) if isinstance(override, int | float) else override
        return _check(x_um, y_um, f"The given pixel size (--mpp) for {name}"), "override"
    if in_file is None:
        raise MissingPixelSize(
            f"{name} does not say how large its pixels are. Give the µm per level-0 pixel "
            "with --mpp, such as --mpp 0.25 (a guess from the magnification would be wrong)."
        )
    return _check(*in_file, f"The pixel size in {name}"), "file"


def _check(x_um: float, y_um: float, subject: str) -> PixelSize:
    if not all(math.isfinite(um) and LEAST_UM <= um <= MOST_UM for um in (x_um, y_um)):
        raise AbsurdPixelSize(
            f"{subject} is {x_um:g} x {y_um:g} µm, outside {LEAST_UM:g} to {MOST_UM:g} µm. "
            "Give the true µm per level-0 pixel with --mpp."
        )
    if max(x_um, y_um) > _MOST_ANISOTROPY * min(x_um, y_um):
        raise AbsurdPixelSize(
            f"{subject} is {x_um:g} x {y_um:g} µm: x and y differ by more than 10 %. "
            "Give the true µm per level-0 pixel with --mpp."
        )
    return PixelSize(float(x_um), float(y_um))
