"""Pen: what the tissue finder left out as ink, faint ink, and ink that runs over tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.settings import ArtefactSettings
from glisson.artefacts.sparse import dilate, erode
from glisson.artefacts.survey import GREY, Sign, among, find_ink, has
from glisson.masks.pieces import find_pieces
from glisson.slides import Slide
from glisson.tissue import Cause, TissueMap
from glisson.tissue.morphology import drop_specks
from glisson.tissue.tissue_map import Mask

_TINTED_SHARE = 0.2
"""Of a wide grey thing that has to be coloured like ink; set on soiled phantoms."""


def find_pens(
    slide: Slide, tissue: TissueMap, signs: NDArray[np.uint8], settings: ArtefactSettings
) -> Mask:
    """(H, W) bool, all ink; some of it may lie in `tissue.mask`."""
    mpp = tissue.frame.mpp
    on_glass = tissue.mask_of(Cause.PEN) | _faint(tissue, signs, settings)
    on_glass |= _red(signs, mpp, settings)
    if not on_glass.any():
        return on_glass
    return on_glass | _on_tissue(slide, tissue, on_glass, settings)


def _faint(tissue: TissueMap, signs: NDArray[np.uint8], settings: ArtefactSettings) -> Mask:
    """Wide things on glass, taken for grey, that are coloured like ink."""
    mpp = tissue.frame.mpp
    grey = among(tissue.causes, GREY)
    radius_um = settings.faint_pen_um / 2
    wide = dilate(erode(grey, radius_um, mpp), radius_um + mpp, mpp) & grey
    found = find_pieces(wide)
    large = found.area_px * mpp**2 >= settings.faint_pen_mm2 * 1e6
    return found.select(large & (found.share(has(signs, Sign.TINTED)) >= _TINTED_SHARE))


def _red(signs: NDArray[np.uint8], mpp: float, settings: ArtefactSettings) -> Mask:
    """Red ink, which the tissue finder takes for eosin; with its rim, which is not smooth."""
    core = drop_specks(has(signs, Sign.RED_INK), settings.ink_mm2 * 1e6, mpp)
    return dilate(core, settings.ink_um, mpp)


def _on_tissue(slide: Slide, tissue: TissueMap, on_glass: Mask, settings: ArtefactSettings) -> Mask:
    """Tissue that is coloured like ink and touches a pen mark."""
    mpp = tissue.frame.mpp
    beside = dilate(on_glass, 2 * settings.ink_um, mpp)
    inked = find_ink(slide, tissue, _touching(tissue.mask, beside), settings)
    return _touching(drop_specks(inked, settings.ink_mm2 * 1e6, mpp), beside)


def _touching(mask: Mask, other: Mask) -> Mask:
    """The pieces of a mask that touch another."""
    if not (mask & other).any():
        return np.zeros_like(mask)
    found = find_pieces(mask)
    return found.select(found.count(other) > 0)
