"""What is on the slide and is not tissue: padding, pens, dust, edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.masks.pieces import Pieces, find_pieces
from glisson.tissue.features import Look, Looks
from glisson.tissue.grid import Grid
from glisson.tissue.morphology import dilate, drop_specks, narrow
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Cause, Mask

BLACK = 10
"""8-bit value up to which unscanned black is looked for (JPEG lifts it above 0)."""


def find_black_padding(grid: Grid, settings: TissueSettings) -> Mask:
    """Large flat black areas: never scanned."""
    return _large(grid, 0, BLACK, 3, settings)


def find_white_padding(grid: Grid, settings: TissueSettings) -> Mask:
    """Large areas of exactly 255; padding only if the glass turns out darker."""
    return _large(grid, 255, 255, 255, settings)


def find_pen(looks: Looks, mpp: float, settings: TissueSettings) -> Mask:
    """Ink: large, smooth, of a colour H&E does not give; with its feathered rim."""
    core = _pen_core(looks, mpp, settings)
    if not core.any():
        return core
    near = dilate(core, settings.pen_reach_um, mpp)
    return dilate(core | looks.pen_rim(near), mpp, mpp)


def _pen_core(looks: Looks, mpp: float, settings: TissueSettings) -> Mask:
    ink = drop_specks(looks.has(Look.PEN), settings.pen_mm2 * 1e6, mpp)
    if not ink.any():
        return ink
    found = find_pieces(ink)
    return found.select(found.share(looks.rough(ink)) < 0.35)


def line_pieces(
    found: Pieces, mask: Mask, mpp: float, settings: TissueSettings
) -> NDArray[np.bool_]:
    """(N,) pieces that are nowhere wide and long: edges, rims, fibres."""
    length_um = np.hypot(found.boxes_px[:, 2], found.boxes_px[:, 3]) * mpp
    long = length_um >= settings.line_um
    return np.asarray(long & narrow(found, mask, settings.thin_um, mpp))


def mark_grey(causes: NDArray[np.uint8], grey: Mask, mpp: float, settings: TissueSettings) -> None:
    """Name grey things that nothing else explains: small ones dust, others edges."""
    found = find_pieces(grey & (causes == Cause.NONE))
    area_um2 = found.area_px * mpp**2
    length_um = np.hypot(found.boxes_px[:, 2], found.boxes_px[:, 3]) * mpp
    dust = (area_um2 <= settings.dust_mm2 * 1e6) & (length_um < settings.line_um)
    found.write(causes, dust & (area_um2 >= settings.speck_um2), Cause.DUST)
    found.write(causes, ~dust, Cause.EDGE)


def _large(grid: Grid, least: int, most: int, spread: int, settings: TissueSettings) -> Mask:
    """(H, W) bool, large areas with all channels between two levels, flat to a spread."""
    within = cv2.inRange(grid.rgb, (least,) * 3, (most,) * 3).view(np.bool_) & grid.readable
    least_px = settings.padding_mm2 * 1e6 / grid.frame.mpp**2
    if np.count_nonzero(within) < least_px:
        return np.zeros(within.shape, np.bool_)
    if spread < most - least:
        within &= _flat(grid.rgb, spread)
    return drop_specks(within, settings.padding_mm2 * 1e6, grid.frame.mpp)


def _flat(rgb: NDArray[np.uint8], levels: int) -> Mask:
    around = np.ones((3, 3), np.uint8)
    spread = cv2.subtract(cv2.dilate(rgb, around), cv2.erode(rgb, around))
    return np.asarray(cv2.inRange(spread, (0,) * 3, (levels,) * 3).view(np.bool_))
