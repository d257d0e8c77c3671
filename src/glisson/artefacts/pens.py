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
    # Wide grey pieces on glass are ink where they have its colour, however faint.
    grey = among(tissue.causes, GREY)
    radius_um = settings.faint_pen_um / 2
    found = find_pieces(dilate(erode(grey, radius_um, mpp), radius_um + mpp, mpp) & grey)
    large = found.area_px * mpp**2 >= settings.faint_pen_mm2 * 1e6
    tinted = found.share(has(signs, Sign.TINTED)) >= _TINTED_SHARE
    on_glass = tissue.mask_of(Cause.PEN) | found.select(large & tinted)
    # Red ink looks like eosin to the tissue finder; its rim is rough.
    red = drop_specks(has(signs, Sign.RED_INK), settings.ink_mm2 * 1e6, mpp)
    on_glass |= dilate(red, settings.ink_um, mpp)
    if not on_glass.any():
        return on_glass
    # Tissue with the colour of ink is inked only if it touches a pen mark.
    beside = dilate(on_glass, 2 * settings.ink_um, mpp)
    inked = find_ink(slide, tissue, _select_touching(tissue.mask, beside), settings)
    inked = drop_specks(inked, settings.ink_mm2 * 1e6, mpp)
    return on_glass | _select_touching(inked, beside)


def _select_touching(mask: Mask, other: Mask) -> Mask:
    """Select the pieces of a mask that touch another mask."""
    if not (mask & other).any():
        return np.zeros_like(mask)
    found = find_pieces(mask)
    return found.select(found.count(other) > 0)
