"""Find padding, pen, dust and edges, which are not tissue."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.masks.pieces import Pieces, find_pieces
from glisson.tissue.features import Look, Looks
from glisson.tissue.grid import Grid
from glisson.tissue.morphology import are_narrow, dilate, drop_specks
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Cause, Mask

BLACK = 10
"""8-bit value up to which a pixel may be unscanned black (JPEG lifts it above 0)."""


def find_black_padding(grid: Grid, settings: TissueSettings) -> Mask:
    """Find large flat black areas, which were never scanned."""
    return _find_large(grid, 0, BLACK, 3, settings)


def find_white_padding(grid: Grid, settings: TissueSettings) -> Mask:
    """Find large areas of exactly 255; they are padding only if the glass is darker."""
    return _find_large(grid, 255, 255, 255, settings)


def find_pen(looks: Looks, mpp: float, settings: TissueSettings) -> Mask:
    """Find ink with its feathered rim: large, smooth, of a colour that H&E does not have."""
    ink = drop_specks(looks.has(Look.PEN), settings.pen_mm2 * 1e6, mpp)
    if not ink.any():
        return ink
    found = find_pieces(ink)
    core = found.select(found.share(looks.find_rough(ink)) < 0.35)
    if not core.any():
        return core
    near = dilate(core, settings.pen_reach_um, mpp)
    return dilate(core | looks.find_pen_rim(near), mpp, mpp)


def are_lines(found: Pieces, mask: Mask, mpp: float, settings: TissueSettings) -> NDArray[np.bool_]:
    """Decide which of (N,) pieces are long and nowhere wide: edges, rims, fibres."""
    length_um = np.hypot(found.boxes_px[:, 2], found.boxes_px[:, 3]) * mpp
    long = length_um >= settings.line_um
    return np.asarray(long & are_narrow(found, mask, settings.thin_um, mpp))


def mark_grey(causes: NDArray[np.uint8], grey: Mask, mpp: float, settings: TissueSettings) -> None:
    """Mark grey pixels without a cause: small pieces as dust, the others as edges."""
    found = find_pieces(grey & (causes == Cause.NONE))
    area_um2 = found.area_px * mpp**2
    length_um = np.hypot(found.boxes_px[:, 2], found.boxes_px[:, 3]) * mpp
    dust = (area_um2 <= settings.dust_mm2 * 1e6) & (length_um < settings.line_um)
    found.write(causes, dust & (area_um2 >= settings.speck_um2), Cause.DUST)
    found.write(causes, ~dust, Cause.EDGE)


def _find_large(grid: Grid, least: int, most: int, spread: int, settings: TissueSettings) -> Mask:
    """Find (H, W) large areas with all channels between two levels and a small local spread."""
    within = cv2.inRange(grid.rgb, (least,) * 3, (most,) * 3).view(np.bool_) & grid.readable
    least_px = settings.padding_mm2 * 1e6 / grid.frame.mpp**2
    if np.count_nonzero(within) < least_px:
        return np.zeros(within.shape, np.bool_)
    if spread < most - least:
        around = np.ones((3, 3), np.uint8)
        local = cv2.subtract(cv2.dilate(grid.rgb, around), cv2.erode(grid.rgb, around))
        within &= cv2.inRange(local, (0,) * 3, (spread,) * 3).view(np.bool_)
    return drop_specks(within, settings.padding_mm2 * 1e6, grid.frame.mpp)
