"""Find pen: the ink that the tissue finder excluded, faint ink, and ink on tissue."""

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
"""Least share of a wide grey piece with the colour of ink; set on soiled phantoms."""


def find_pens(
    slide: Slide, tissue: TissueMap, signs: NDArray[np.uint8], settings: ArtefactSettings
) -> Mask:
    """Find all ink as an (H, W) mask, which may overlap `tissue.mask`."""
    mpp = tissue.frame.mpp
    on_glass = tissue.mask_of(Cause.PEN) | _find_faint(tissue, signs, settings)
    on_glass |= _find_red(signs, mpp, settings)
    if not on_glass.any():
        return on_glass
    return on_glass | _find_on_tissue(slide, tissue, on_glass, settings)


def _find_faint(tissue: TissueMap, signs: NDArray[np.uint8], settings: ArtefactSettings) -> Mask:
    """Find wide pieces on glass, marked as grey, with the colour of ink."""
    mpp = tissue.frame.mpp
    grey = among(tissue.causes, GREY)
    radius_um = settings.faint_pen_um / 2
    wide = dilate(erode(grey, radius_um, mpp), radius_um + mpp, mpp) & grey
    found = find_pieces(wide)
    large = found.area_px * mpp**2 >= settings.faint_pen_mm2 * 1e6
    return found.select(large & (found.share(has(signs, Sign.TINTED)) >= _TINTED_SHARE))


def _find_red(signs: NDArray[np.uint8], mpp: float, settings: ArtefactSettings) -> Mask:
    """Find red ink, which looks like eosin to the tissue finder, with its rough rim."""
    core = drop_specks(has(signs, Sign.RED_INK), settings.ink_mm2 * 1e6, mpp)
    return dilate(core, settings.ink_um, mpp)


def _find_on_tissue(
    slide: Slide, tissue: TissueMap, on_glass: Mask, settings: ArtefactSettings
) -> Mask:
    """Find tissue with the colour of ink that touches a pen mark."""
    mpp = tissue.frame.mpp
    beside = dilate(on_glass, 2 * settings.ink_um, mpp)
    inked = find_ink(slide, tissue, _select_touching(tissue.mask, beside), settings)
    return _select_touching(drop_specks(inked, settings.ink_mm2 * 1e6, mpp), beside)


def _select_touching(mask: Mask, other: Mask) -> Mask:
    """Select the pieces of a mask that touch another mask."""
    if not (mask & other).any():
        return np.zeros_like(mask)
    found = find_pieces(mask)
    return found.select(found.count(other) > 0)
