"""The tissue and its surroundings looked at once, block by block, on the tissue finder's grid.

A block is mostly glass, so each sign is sought near the pixels alone that could carry it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.boxes import Window, boxes_of, by_cells, widened, window, within
from glisson.artefacts.folds import fold_ratio
from glisson.artefacts.settings import ArtefactSettings
from glisson.frames import BoxPx
from glisson.slides import Slide
from glisson.tissue import Cause, TissueMap
from glisson.tissue.density import Floats, blur, density, local_sd
from glisson.tissue.morphology import disc
from glisson.tissue.tissue_map import Mask

GREY = (Cause.DUST, Cause.EDGE, Cause.FLAT)
"""What the tissue finder took for grey, and may be faint ink."""
_LOOKED_AT = (Cause.PEN, *GREY)
_CELL_PX = 128
_SPECK_CELL_PX = 64
"""Pixels that could carry a sign are looked at in cells, cut to their boxes: 64 to 256 are
alike, and specks, that are few, want small ones."""
_TINT_PX = 2.0
"""Standard deviation that takes noise from the colour of ink."""
_TINT_REACH_PX = 8
"""As far as OpenCV's Gaussian of that width sees: four standard deviations."""
_GRAIN_PX = 5
"""20 µm: a hepatocyte with its nucleus."""
_RED_OD = 0.15
"""OD in green from which red ink is told from eosin."""


class Sign(IntFlag):
    """What a grid pixel may be part of; TINTED is told of GREY pixels alone."""

    FOLD_SEED = 1
    FOLD = 2
    RIM = 4
    SPECK = 8
    TINTED = 16
    RED_INK = 32


@dataclass(frozen=True)
class Stain:
    """Red and blue over green OD of the slide's tissue: what ink departs from."""

    red: float
    blue: float


@dataclass(frozen=True)
class Block:
    """A part of the grid, with a halo.

    Attributes:
        od: red, green and blue, (H, W) each, against the glass, at least 0.
        mask: (H, W) bool, tissue.
        grey: (H, W) bool, what the tissue finder took for grey.
        core: the part without the halo. What is asked of a block is asked of its core.
    """

    od: list[Floats]
    mask: Mask
    grey: Mask
    core: Window

    def in_core(self, mask: Mask) -> Mask:
        """(H, W) bool, a mask without the halo."""
        left = np.zeros_like(mask)
        left[self.core] = mask[self.core]
        return left


def survey(slide: Slide, tissue: TissueMap, settings: ArtefactSettings) -> NDArray[np.uint8]:
    """(H, W) uint8 of `Sign` on the tissue's grid; 0 where nothing is."""
    signs = np.zeros(tissue.mask.shape, np.uint8)
    for box in _boxes(tissue, settings):
        block = _look(slide, tissue, box, settings)
        signs[window(box)] = _signs(block, tissue.frame.mpp, settings)
    return signs


def find_ink(slide: Slide, tissue: TissueMap, where: Mask, settings: ArtefactSettings) -> Mask:
    """(H, W) bool, pixels of some tissue that are coloured like ink. It is looked at again."""
    ink = np.zeros(where.shape, bool)
    stain: Stain | None = None
    for box in _boxes(tissue, settings) if where.any() else ():
        asked = where[window(box)].any()
        if asked or stain is None:
            block = _look(slide, tissue, box, settings)
            stain = stain or _stain(block)
        if asked:
            found = _ink(block, stain or Stain(0.45, 0.65), tissue.frame.mpp, settings)
            ink[window(box)] = found & where[window(box)]
    return ink


def has(signs: NDArray[np.uint8], sign: Sign) -> Mask:
    """(H, W) bool, pixels with a sign."""
    return np.asarray((signs & np.uint8(sign)) != 0)


def among(causes: NDArray[np.uint8], some: tuple[Cause, ...]) -> Mask:
    """(H, W) bool, pixels left out for one of some causes."""
    table = np.zeros(256, np.uint8)
    table[list(some)] = 1
    return np.asarray(cv2.LUT(causes, table)).view(np.bool_)


def _boxes(tissue: TissueMap, settings: ArtefactSettings) -> Iterator[BoxPx]:
    """Blocks cut down to what in them is worth looking at."""
    return boxes_of(tissue.mask | among(tissue.causes, _LOOKED_AT), settings.block_px)


def _look(slide: Slide, tissue: TissueMap, box: BoxPx, settings: ArtefactSettings) -> Block:
    wide = widened(box, round(settings.halo_um / tissue.frame.mpp), tissue.mask.shape)
    part = window(wide)
    od = _density(slide, tissue, wide)
    return Block(od, tissue.mask[part], among(tissue.causes[part], GREY), within(box, wide))


def _density(slide: Slide, tissue: TissueMap, box: BoxPx) -> list[Floats]:
    """Red, green and blue OD against the glass, at least 0; what cannot be read is glass."""
    rgb = tissue.picture.crop(box) if tissue.picture else _read(slide, tissue, box)
    glass = density(np.array(tissue.background_rgb, np.uint8))
    values = density(np.arange(256, dtype=np.uint8))
    return [
        cv2.LUT(channel, np.maximum(values - glass[k], 0))
        for k, channel in enumerate(cv2.split(rgb))
    ]


def _read(slide: Slide, tissue: TissueMap, box: BoxPx) -> NDArray[np.uint8]:
    """What the picture would show, of a tissue map that kept none."""
    patch = slide.read(tissue.frame.region_um(box), tissue.frame.mpp)
    glass = np.array(tissue.background_rgb, np.uint8)
    return np.where(patch.readable[..., None], patch.rgb, glass)


def _stain(block: Block) -> Stain | None:
    """The first block's tissue stands for the slide's: one laboratory stained it."""
    if np.count_nonzero(block.mask) < 500:
        return None
    red, green, blue_ = (float(np.median(each[block.mask])) for each in block.od)
    return Stain(red / max(green, 0.02), blue_ / max(green, 0.02))


def _signs(block: Block, mpp: float, settings: ArtefactSettings) -> NDArray[np.uint8]:
    """(h, w) uint8 of `Sign`, of a block's core."""
    ratio = fold_ratio(block.od, block.mask, block.core, mpp, settings)
    least = np.minimum(np.minimum(block.od[0], block.od[1]), block.od[2])
    flags = {
        Sign.FOLD_SEED: ratio >= settings.fold_seed,
        Sign.FOLD: ratio >= settings.fold_grow,
        Sign.RIM: _rim(block, least, mpp, settings)[block.core],
        Sign.SPECK: _speck(block, least, mpp, settings)[block.core],
        Sign.TINTED: _tinted(block)[block.core],
        Sign.RED_INK: _red_ink(block, settings)[block.core],
    }
    signs = np.zeros(ratio.shape, np.uint8)
    for sign, where in flags.items():
        signs |= where * np.uint8(sign)
    return signs


def _rim(block: Block, least: Floats, mpp: float, settings: ArtefactSettings) -> Mask:
    dark = block.in_core(least >= settings.rim_od)
    return _added(least, settings.rim_um / mpp, dark, _CELL_PX) >= settings.rim_od


def _speck(block: Block, least: Floats, mpp: float, settings: ArtefactSettings) -> Mask:
    """Dust is sought on tissue alone; on glass the tissue finder has found it."""
    most = np.maximum(np.maximum(block.od[0], block.od[1]), block.od[2])
    dark = block.mask & (least >= settings.speck_od) & (least >= settings.speck_grey * most)
    added = _added(least, settings.speck_um / mpp, block.in_core(dark), _SPECK_CELL_PX)
    return added >= settings.speck_od


def _added(least: Floats, width_px: float, where: Mask, cell_px: int) -> Floats:
    """OD that something dark, grey and narrower than a width adds in every channel.

    Args:
        least: (H, W) OD of the channel that is absorbed least.
        width_px: the width.
        where: (H, W) pixels asked for; elsewhere the answer is 0.
        cell_px: side of the cells in which they are looked at.
    """
    kernel = disc(width_px / 2, 1.0)

    def look(part: Window) -> Floats:
        return np.asarray(least[part] - cv2.morphologyEx(least[part], cv2.MORPH_OPEN, kernel))

    return by_cells(where, cell_px, kernel.shape[0] - 1, look, np.float32)


def _ink(block: Block, stain: Stain, mpp: float, settings: ArtefactSettings) -> Mask:
    """(h, w) red, or blue, beyond what this slide's stain gives for its green."""
    red, green, blue_ = (blur(each, settings.ink_um / mpp)[block.core] for each in block.od)
    beyond = np.maximum(red - stain.red * green, blue_ - 1.15 * stain.blue * green)
    return np.asarray(beyond >= settings.ink_od)


def _tinted(block: Block) -> Mask:
    """Coloured otherwise than H&E: green is not absorbed most, or blue with it and red hardly.

    The ratios, like those of red ink below, were set on soiled phantoms.
    """

    def look(part: Window) -> Mask:
        red, green, blue_ = (blur(each[part], _TINT_PX) for each in block.od)
        most = np.maximum(red, blue_)
        cool = (most >= 0.05) & (most > 1.08 * green)
        warm = (green >= 0.2) & (blue_ > 0.72 * green) & (red < 0.35 * green)
        return np.asarray(cool | warm)

    return by_cells(block.in_core(block.grey), _CELL_PX, _TINT_REACH_PX, look, np.bool_)


def _red_ink(block: Block, settings: ArtefactSettings) -> Mask:
    """Red and smooth: without nuclei red light passes, and without cells nothing is grainy."""
    side = 2 * _TINT_REACH_PX + 1
    green = (block.od[1] >= _RED_OD).view(np.uint8)
    near = cv2.dilate(green, np.ones((side, side), np.uint8)).view(np.bool_)
    return by_cells(
        block.in_core(near),
        _CELL_PX,
        _TINT_REACH_PX,
        lambda part: _red_and_smooth([each[part] for each in block.od], settings),
        np.bool_,
    )


def _red_and_smooth(od: list[Floats], settings: ArtefactSettings) -> Mask:
    red, green = blur(od[0], _TINT_PX), blur(od[1], _TINT_PX)
    colour = (green >= _RED_OD) & (red < 0.25 * green)
    if not colour.any():
        return colour
    mean: Floats = (od[0] + od[1] + od[2]) / np.float32(3)
    smooth = local_sd(mean, _GRAIN_PX) < settings.red_ink_grain * blur(mean, _TINT_PX)
    return np.asarray(smooth & colour & (blur(od[2], _TINT_PX) > 0.5 * green))
