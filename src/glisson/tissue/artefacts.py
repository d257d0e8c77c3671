"""What is on the slide and is not tissue: padding, pens, dust, edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.tissue.features import Look, has
from glisson.tissue.grid import Grid
from glisson.tissue.morphology import Pieces, dilate, narrow, pieces
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Cause, Mask

BLACK = 10
"""8-bit value up to which unscanned black is looked for (JPEG lifts it above 0)."""


def find_black_padding(grid: Grid, settings: TissueSettings) -> Mask:
    """Large flat black areas: never scanned."""
    black = grid.readable & (grid.rgb.max(axis=2) <= BLACK) & _flat(grid.rgb, 3)
    return _large(black, grid, settings)


def find_white_padding(grid: Grid, settings: TissueSettings) -> Mask:
    """Large areas of exactly 255; padding only if the glass turns out darker."""
    white = grid.readable & (grid.rgb.min(axis=2) == 255)
    return _large(white, grid, settings)


def find_pen(looks: NDArray[np.uint8], mpp: float, settings: TissueSettings) -> Mask:
    """Ink: large, smooth, of a colour H&E does not give; with its feathered rim."""
    found = pieces(has(looks, Look.PEN))
    large = found.area_px * mpp**2 >= settings.pen_mm2 * 1e6
    smooth = found.share(has(looks, Look.ROUGH)) < 0.35
    core = found.select(large & smooth)
    if not core.any():
        return core
    near = dilate(core, settings.pen_reach_um, mpp)
    rim = near & has(looks, Look.PEN_RIM)
    return dilate(core | rim, mpp, mpp)


def line_pieces(
    found: Pieces, mask: Mask, mpp: float, settings: TissueSettings
) -> NDArray[np.bool_]:
    """(N,) pieces that are nowhere wide and long: edges, rims, fibres."""
    length_um = np.hypot(found.boxes_px[:, 2], found.boxes_px[:, 3]) * mpp
    long = length_um >= settings.line_um
    return np.asarray(long & narrow(found, mask, settings.thin_um, mpp))


def mark_grey(
    causes: NDArray[np.uint8], looks: NDArray[np.uint8], mpp: float, settings: TissueSettings
) -> None:
    """Name grey things that nothing else explains: small ones dust, others edges."""
    found = pieces(has(looks, Look.GREY) & (causes == Cause.NONE))
    area_um2 = found.area_px * mpp**2
    length_um = np.hypot(found.boxes_px[:, 2], found.boxes_px[:, 3]) * mpp
    dust = (area_um2 <= settings.dust_mm2 * 1e6) & (length_um < settings.line_um)
    causes[found.select(dust & (area_um2 >= settings.speck_um2))] = Cause.DUST
    causes[found.select(~dust)] = Cause.EDGE


def _large(mask: Mask, grid: Grid, settings: TissueSettings) -> Mask:
    found = pieces(mask)
    return found.select(found.area_px * grid.frame.mpp**2 >= settings.padding_mm2 * 1e6)


def _flat(rgb: NDArray[np.uint8], levels: int) -> Mask:
    around = np.ones((3, 3), np.uint8)
    spread = cv2.subtract(cv2.dilate(rgb, around), cv2.erode(rgb, around))
    return np.asarray(spread.max(axis=2) <= levels)
