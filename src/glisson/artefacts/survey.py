"""Survey the tissue and its surroundings once, block by block, on the tissue finder's grid.

A block is mostly glass, so the search for a sign covers only pixels that could carry it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.boxes import find_cells, map_cells, widen
from glisson.artefacts.folds import measure_fold_ratio
from glisson.artefacts.settings import ArtefactSettings
from glisson.frames import BoxPx
from glisson.slides import Slide
from glisson.tissue import Cause, TissueMap
from glisson.tissue.density import Floats, blur, density, local_sd
from glisson.tissue.grid import Window, window_of
from glisson.tissue.morphology import disc
from glisson.tissue.tissue_map import Mask

GREY = (Cause.DUST, Cause.EDGE, Cause.FLAT)
"""Causes of grey pixels, which may be faint ink."""
_SURVEYED = (Cause.PEN, *GREY)
_CELL_PX = 128
_SPECK_CELL_PX = 64
"""Sides of the cells around pixels that could carry a sign: 64 to 256 take the same time, and few
specks take less in small cells."""
_TINT_PX = 2.0
"""Standard deviation of the blur that removes noise from the colour of ink."""
_TINT_REACH_PX = 8
"""Reach of OpenCV's Gaussian of that width: four standard deviations."""
_GRAIN_PX = 5
"""20 µm: a hepatocyte with its nucleus."""
_RED_OD = 0.15
"""OD in green from which red ink differs from eosin."""


class Sign(IntFlag):
    """Possible artefacts of a grid pixel; TINTED applies to GREY pixels alone."""

    FOLD_SEED = 1
    FOLD = 2
    RIM = 4
    SPECK = 8
    TINTED = 16
    RED_INK = 32


@dataclass(frozen=True)
class Stain:
    """Red and blue over green OD of the slide's tissue, from which ink differs."""

    red: float
    blue: float


@dataclass(frozen=True)
class Block:
    """A part of the grid, with a halo.

    Attributes:
        od: red, green and blue, (H, W) each, against the glass, at least 0.
        mask: (H, W) bool, tissue.
        grey: (H, W) bool, pixels that the tissue finder marked as grey.
        core: the part without the halo, for which signs are found.
    """

    od: list[Floats]
    mask: Mask
    grey: Mask
    core: Window

    def crop_to_core(self, mask: Mask) -> Mask:
        """Clear an (H, W) mask in the halo."""
        cropped = np.zeros_like(mask)
        cropped[self.core] = mask[self.core]
        return cropped


def survey(slide: Slide, tissue: TissueMap, settings: ArtefactSettings) -> NDArray[np.uint8]:
    """Find the signs of artefacts: (H, W) uint8 of `Sign` on the tissue's grid."""
    signs, mpp = np.zeros(tissue.mask.shape, np.uint8), tissue.frame.mpp
    for box in _boxes(tissue, settings):
        block = _read_block(slide, tissue, box, settings)
        ratio = measure_fold_ratio(block.od, block.mask, block.core, mpp, settings)
        least = np.minimum(np.minimum(block.od[0], block.od[1]), block.od[2])
        dark = block.crop_to_core(least >= settings.rim_od)
        rim_od = _measure_added_od(least, settings.rim_um / mpp, dark, _CELL_PX)[block.core]
        flags = {
            Sign.FOLD_SEED: ratio >= settings.fold_seed,
            Sign.FOLD: ratio >= settings.fold_grow,
            Sign.RIM: rim_od >= settings.rim_od,
            Sign.SPECK: _find_specks(block, least, mpp, settings)[block.core],
            Sign.TINTED: _find_tints(block)[block.core],
            Sign.RED_INK: _find_red_ink(block, settings)[block.core],
        }
        for sign, where in flags.items():
            signs[window_of(box)] |= where * np.uint8(sign)
    return signs


def find_ink(slide: Slide, tissue: TissueMap, where: Mask, settings: ArtefactSettings) -> Mask:
    """Find the (H, W) pixels of `where` with more red or blue OD than the stain explains.

    The blocks with such pixels are read again.
    """
    ink, mpp = np.zeros(where.shape, bool), tissue.frame.mpp
    stain: Stain | None = None
    for box in _boxes(tissue, settings) if where.any() else ():
        part = where[window_of(box)]
        if part.any() or stain is None:
            block = _read_block(slide, tissue, box, settings)
            stain = stain or _measure_stain(block)
        if part.any():
            tissue_stain = stain or Stain(0.45, 0.65)
            red, green, blue_ = (blur(c, settings.ink_um / mpp)[block.core] for c in block.od)
            more_red = red - tissue_stain.red * green
            more_blue = blue_ - 1.15 * tissue_stain.blue * green
            ink[window_of(box)] = (np.maximum(more_red, more_blue) >= settings.ink_od) & part
    return ink


def has(signs: NDArray[np.uint8], sign: Sign) -> Mask:
    """Return the (H, W) pixels with a sign."""
    return np.asarray((signs & np.uint8(sign)) != 0)


def among(causes: NDArray[np.uint8], some: tuple[Cause, ...]) -> Mask:
    """Return the (H, W) pixels excluded for any of some causes."""
    table = np.zeros(256, np.uint8)
    table[list(some)] = 1
    return np.asarray(cv2.LUT(causes, table)).view(np.bool_)


def _boxes(tissue: TissueMap, settings: ArtefactSettings) -> Iterator[BoxPx]:
    """Yield the boxes around the surveyed pixels of every block."""
    return find_cells(tissue.mask | among(tissue.causes, _SURVEYED), settings.block_px)


def _read_block(slide: Slide, tissue: TissueMap, box: BoxPx, settings: ArtefactSettings) -> Block:
    """Read a block with its halo; unreadable pixels are glass."""
    wide = widen(box, round(settings.halo_um / tissue.frame.mpp), tissue.mask.shape)
    part, core = window_of(wide), window_of(box, wide.x_px, wide.y_px)
    glass_rgb = np.array(tissue.background_rgb, np.uint8)
    if tissue.picture:
        rgb = tissue.picture.crop(wide)
    else:
        patch = slide.read(tissue.frame.region_um(wide), tissue.frame.mpp)
        rgb = np.where(patch.readable[..., None], patch.rgb, glass_rgb)
    glass, values = density(glass_rgb), density(np.arange(256, dtype=np.uint8))
    od = [
        cv2.LUT(channel, np.maximum(values - glass[k], 0))
        for k, channel in enumerate(cv2.split(rgb))
    ]
    return Block(od, tissue.mask[part], among(tissue.causes[part], GREY), core)


def _measure_stain(block: Block) -> Stain | None:
    """Measure the stain of a block's tissue, which stands for the slide's."""
    if np.count_nonzero(block.mask) < 500:
        return None
    red, green, blue_ = (float(np.median(channel[block.mask])) for channel in block.od)
    return Stain(red / max(green, 0.02), blue_ / max(green, 0.02))


def _find_specks(block: Block, least: Floats, mpp: float, settings: ArtefactSettings) -> Mask:
    """Find dust on tissue; the tissue finder has found dust on glass."""
    most = np.maximum(np.maximum(block.od[0], block.od[1]), block.od[2])
    dark = block.mask & (least >= settings.speck_od) & (least >= settings.speck_grey * most)
    dark = block.crop_to_core(dark)
    added = _measure_added_od(least, settings.speck_um / mpp, dark, _SPECK_CELL_PX)
    return added >= settings.speck_od


def _measure_added_od(least: Floats, width_px: float, where: Mask, cell_px: int) -> Floats:
    """Measure the OD that dark, grey things narrower than a width add in every channel.

    Args:
        least: (H, W) OD of the least absorbed channel.
        width_px: the width.
        where: (H, W) pixels to measure; the result is 0 elsewhere.
        cell_px: side of the cells.
    """
    kernel = disc(width_px / 2, 1.0)

    def look(part: Window) -> Floats:
        return np.asarray(least[part] - cv2.morphologyEx(least[part], cv2.MORPH_OPEN, kernel))

    return map_cells(where, cell_px, kernel.shape[0] - 1, look, np.float32)


def _find_tints(block: Block) -> Mask:
    """Find pixels that H&E cannot colour: green does not absorb most, or blue too and red hardly.

    The ratios, like those of red ink below, were set on soiled phantoms.
    """

    def look(part: Window) -> Mask:
        red, green, blue_ = (blur(channel[part], _TINT_PX) for channel in block.od)
        most = np.maximum(red, blue_)
        cool = (most >= 0.05) & (most > 1.08 * green)
        warm = (green >= 0.2) & (blue_ > 0.72 * green) & (red < 0.35 * green)
        return np.asarray(cool | warm)

    return map_cells(block.crop_to_core(block.grey), _CELL_PX, _TINT_REACH_PX, look, np.bool_)


def _find_red_ink(block: Block, settings: ArtefactSettings) -> Mask:
    """Find red and smooth pixels: without nuclei red light passes, and cells give the grain."""
    side = 2 * _TINT_REACH_PX + 1
    green = (block.od[1] >= _RED_OD).view(np.uint8)
    near = cv2.dilate(green, np.ones((side, side), np.uint8)).view(np.bool_)

    def look(part: Window) -> Mask:
        od = [channel[part] for channel in block.od]
        red, green = blur(od[0], _TINT_PX), blur(od[1], _TINT_PX)
        colour = (green >= _RED_OD) & (red < 0.25 * green)
        if not colour.any():
            return colour
        mean: Floats = (od[0] + od[1] + od[2]) / np.float32(3)
        smooth = local_sd(mean, _GRAIN_PX) < settings.red_ink_grain * blur(mean, _TINT_PX)
        return np.asarray(smooth & colour & (blur(od[2], _TINT_PX) > 0.5 * green))

    return map_cells(block.crop_to_core(near), _CELL_PX, _TINT_REACH_PX, look, np.bool_)
