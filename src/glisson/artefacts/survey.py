"""The tissue and its surroundings looked at once, block by block, on the tissue finder's grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.folds import fold_ratio
from glisson.artefacts.settings import ArtefactSettings
from glisson.frames import BoxPx
from glisson.slides import Slide
from glisson.tissue import Cause, TissueMap
from glisson.tissue.density import Floats, blur, density, local_sd
from glisson.tissue.morphology import disc
from glisson.tissue.tissue_map import Mask

_LOOKED_AT = (Cause.PEN, Cause.DUST, Cause.EDGE, Cause.FLAT)
_TINT_PX = 2.0
"""Standard deviation that takes noise from the colour of ink."""
_GRAIN_PX = 5
"""20 µm: a hepatocyte with its nucleus."""


class Sign(IntFlag):
    """What a grid pixel may be part of."""

    FOLD_SEED = 1
    FOLD = 2
    INK = 4
    RIM = 8
    SPECK = 16
    TINTED = 32
    RED_INK = 64


@dataclass(frozen=True)
class Stain:
    """Red and blue over green OD of the slide's tissue: what ink departs from."""

    red: float
    blue: float


def survey(slide: Slide, tissue: TissueMap, settings: ArtefactSettings) -> NDArray[np.uint8]:
    """(H, W) uint8 of `Sign` on the tissue's grid; 0 where nothing is."""
    signs = np.zeros(tissue.mask.shape, np.uint8)
    stain: Stain | None = None
    for box in _boxes(tissue, settings):
        wide = _widened(box, round(settings.halo_um / tissue.frame.mpp), tissue.mask.shape)
        od = _density(slide, tissue, wide)
        mask = tissue.mask[_window(wide)]
        stain = stain or _stain(od, mask)
        found = _signs(od, mask, stain, tissue.frame.mpp, settings)
        y, x = box.y_px - wide.y_px, box.x_px - wide.x_px
        signs[_window(box)] = found[y : y + box.height_px, x : x + box.width_px]
    return signs


def has(signs: NDArray[np.uint8], sign: Sign) -> Mask:
    """(H, W) bool, pixels with a sign."""
    return np.asarray((signs & np.uint8(sign)) != 0)


def _boxes(tissue: TissueMap, settings: ArtefactSettings) -> Iterator[BoxPx]:
    """Blocks cut down to what in them is worth looking at."""
    height, width = tissue.mask.shape
    step = settings.block_px
    for top in range(0, height, step):
        for left in range(0, width, step):
            part = np.s_[top : top + step, left : left + step]
            rows, columns = np.nonzero(_interesting(tissue.mask[part], tissue.causes[part]))
            if len(rows):
                y, x = int(rows.min()), int(columns.min())
                bottom, right = int(rows.max()) + 1, int(columns.max()) + 1
                yield BoxPx(left + x, top + y, right - x, bottom - y)


def _interesting(mask: Mask, causes: NDArray[np.uint8]) -> Mask:
    return np.asarray(mask | np.isin(causes, _LOOKED_AT))


def _widened(box: BoxPx, halo_px: int, shape: tuple[int, ...]) -> BoxPx:
    left, top = max(0, box.x_px - halo_px), max(0, box.y_px - halo_px)
    right = min(shape[1], box.x_px + box.width_px + halo_px)
    bottom = min(shape[0], box.y_px + box.height_px + halo_px)
    return BoxPx(left, top, right - left, bottom - top)


def _window(box: BoxPx) -> tuple[slice, slice]:
    return np.s_[box.y_px : box.y_px + box.height_px, box.x_px : box.x_px + box.width_px]


def _density(slide: Slide, tissue: TissueMap, box: BoxPx) -> Floats:
    """(H, W, 3) OD against the glass, at least 0; what cannot be read is glass."""
    patch = slide.read(tissue.frame.region_um(box), tissue.frame.mpp)
    glass = density(np.array(tissue.background_rgb, np.uint8))
    od = np.maximum(density(patch.rgb) - glass, 0)
    od[~patch.readable] = 0
    return np.asarray(od, dtype=np.float32)


def _stain(od: Floats, mask: Mask) -> Stain | None:
    """The first block's tissue stands for the slide's: one laboratory stained it."""
    if np.count_nonzero(mask) < 500:
        return None
    red, green, blue_ = (float(np.median(od[..., k][mask])) for k in range(3))
    return Stain(red / max(green, 0.02), blue_ / max(green, 0.02))


def _signs(
    od: Floats, mask: Mask, stain: Stain | None, mpp: float, settings: ArtefactSettings
) -> NDArray[np.uint8]:
    ratio = fold_ratio(od, mask, mpp, settings)
    flags = {
        Sign.FOLD_SEED: ratio >= settings.fold_seed,
        Sign.FOLD: ratio >= settings.fold_grow,
        Sign.INK: _ink(od, stain or Stain(0.45, 0.65), mpp, settings),
        Sign.RIM: _added(od, settings.rim_um, mpp) >= settings.rim_od,
        Sign.SPECK: _grey(od, settings) & (_added(od, settings.speck_um, mpp) >= settings.speck_od),
        Sign.TINTED: _tinted(od),
        Sign.RED_INK: _red_ink(od, settings),
    }
    signs = np.zeros(mask.shape, np.uint8)
    for sign, where in flags.items():
        signs[where] |= np.uint8(sign)
    return signs


def _added(od: Floats, width_um: float, mpp: float) -> Floats:
    """OD that something dark, grey and narrower than `width_um` adds in every channel."""
    least = np.ascontiguousarray(od.min(axis=2))
    around = cv2.morphologyEx(least, cv2.MORPH_OPEN, disc(width_um / 2, mpp))
    return np.asarray(least - around)


def _grey(od: Floats, settings: ArtefactSettings) -> Mask:
    return np.asarray(od.min(axis=2) >= settings.speck_grey * od.max(axis=2))


def _ink(od: Floats, stain: Stain, mpp: float, settings: ArtefactSettings) -> Mask:
    """Red, or blue, beyond what this slide's stain gives for its green."""
    red, green, blue_ = (blur(od[..., k], settings.ink_um / mpp) for k in range(3))
    beyond = np.maximum(red - stain.red * green, blue_ - 1.15 * stain.blue * green)
    return np.asarray(beyond >= settings.ink_od)


def _tinted(od: Floats) -> Mask:
    """Coloured otherwise than H&E: green is not absorbed most, or blue with it and red hardly.

    The ratios, like those of red ink below, were set on soiled phantoms.
    """
    red, green, blue_ = (blur(od[..., k], _TINT_PX) for k in range(3))
    most = np.maximum(red, blue_)
    cool = (most >= 0.05) & (most > 1.08 * green)
    warm = (green >= 0.2) & (blue_ > 0.72 * green) & (red < 0.35 * green)
    return np.asarray(cool | warm)


def _red_ink(od: Floats, settings: ArtefactSettings) -> Mask:
    """Red and smooth: without nuclei red light passes, and without cells nothing is grainy."""
    red, green, blue_ = (blur(od[..., k], _TINT_PX) for k in range(3))
    mean = od.mean(axis=2)
    smooth = local_sd(mean, _GRAIN_PX) < settings.red_ink_grain * blur(mean, _TINT_PX)
    colour = (green >= 0.15) & (red < 0.25 * green) & (blue_ > 0.5 * green)
    return np.asarray(smooth & colour)
