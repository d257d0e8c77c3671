"""Find the artefacts of a slide with fixed thresholds, without learning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from shapely.affinity import affine_transform

from glisson.artefacts.boxes import find_cells
from glisson.artefacts.bubbles import draw_discs, draw_rims, find_bubbles
from glisson.artefacts.focus import can_measure_focus, find_blurred
from glisson.artefacts.folds import select_folds
from glisson.artefacts.found import Artefact, Artefacts
from glisson.artefacts.kinds import Kind
from glisson.artefacts.pens import find_pens
from glisson.artefacts.settings import ArtefactSettings
from glisson.artefacts.sparse import dilate
from glisson.artefacts.survey import Sign, has, survey
from glisson.masks.pieces import find_pieces
from glisson.regions import smooth_outline, trace_mask
from glisson.slides import Slide
from glisson.tissue import Cause, TissueMap
from glisson.tissue.grid import window_of
from glisson.tissue.tissue_map import Mask

_RIM_UM = 20.0
"""µm around a bubble's circle, and around pen, without other artefacts."""


def find_artefacts(
    slide: Slide, tissue: TissueMap, settings: ArtefactSettings | None = None
) -> Artefacts:
    """Find pen, dust, bubbles, folds and tissue out of focus.

    The search covers the tissue and the excluded pixels on the tissue finder's grid (4 µm/px).
    Focus is measured in fields of 1 µm/px on a lattice over the tissue. Memory: about 12 bytes for
    a pixel of the whole slide's grid, and a block.

    Raises:
        SlideError: as `slide.read` raises it.
    """
    settings = settings or ArtefactSettings()
    signs = survey(slide, tissue, settings)
    pens = find_pens(slide, tissue, signs, settings)
    if pens.any():
        causes = np.where(pens, np.uint8(Cause.PEN), tissue.causes)
        tissue = replace(tissue, mask=tissue.mask & ~pens, causes=causes)
    shape, mpp = tissue.mask.shape, tissue.frame.mpp
    visible = np.asarray((tissue.causes < Cause.PADDING) & ~pens)
    bubbles = find_bubbles(has(signs, Sign.RIM) & ~pens, visible, mpp, settings)
    free = ~draw_rims(bubbles, shape, _RIM_UM / mpp) & ~dilate(pens, _RIM_UM, mpp)
    on_tissue = tissue.mask & free
    folds = has(signs, Sign.FOLD) & on_tissue
    fold_seeds = has(signs, Sign.FOLD_SEED) & on_tissue
    can_focus = can_measure_focus(slide)
    masks = {
        Kind.PEN: pens,
        Kind.DUST: find_dust(tissue, signs, free, settings),
        Kind.BUBBLE: draw_discs(bubbles, shape),
        Kind.FOLD: select_folds(fold_seeds, folds, mpp, settings),
        Kind.DEFOCUS: find_blurred(slide, tissue, settings) if can_focus else np.zeros(shape, bool),
    }
    found = [item for kind, mask in masks.items() for item in _trace(kind, mask, tissue)]
    return Artefacts(tuple(found), tissue, can_focus)


def find_dust(
    tissue: TissueMap, signs: NDArray[np.uint8], free: Mask, settings: ArtefactSettings
) -> Mask:
    """Find dust: the tissue finder's specks on glass, and small dark grey specks on tissue."""
    mpp = tissue.frame.mpp
    on_tissue = tissue.mask & has(signs, Sign.SPECK)
    off_tissue = tissue.mask_of(Cause.DUST)
    found = find_pieces((off_tissue | on_tissue) & free)
    chosen = np.zeros(len(found.area_px), bool)
    chosen[np.argsort(-found.area_px, kind="stable")[: settings.most_dust]] = True
    return found.select(chosen & (found.area_px * mpp**2 >= settings.speck_um2))


def _trace(kind: Kind, mask: Mask, tissue: TissueMap) -> Iterator[Artefact]:
    """Yield an artefact for every connected piece of a mask."""
    for box in find_cells(mask, max(mask.shape)):
        part = mask[window_of(box)]
        found = find_pieces(part, connectivity=4)
        tissue_px = found.count(tissue.mask[window_of(box)])
        for polygon_px in trace_mask(part, (box.x_px, box.y_px)):
            # The leftmost pixel in the polygon's top row belongs to its piece.
            y, x = min((int(y), int(x)) for x, y in polygon_px.exterior.coords)
            number = found.at(y - box.y_px, x - box.x_px)
            px_um2, to_l0 = tissue.frame.mpp**2, tissue.frame.affine_l0_from_px
            yield Artefact(
                kind,
                affine_transform(smooth_outline(polygon_px), to_l0),
                polygon_px.area * px_um2,
                float(tissue_px[number]) * px_um2,
            )
