"""Find the artefacts of a slide: nothing is learned, every threshold has its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon
from shapely.affinity import affine_transform

from glisson.artefacts.boxes import boxes_of, window
from glisson.artefacts.bubbles import discs_of, find_bubbles, rim_of
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
from glisson.tissue.tissue_map import Mask

_RIM_UM = 20.0
"""µm beside a bubble's circle, and beside pen, in which nothing else is sought."""


def find_artefacts(
    slide: Slide, tissue: TissueMap, settings: ArtefactSettings | None = None
) -> Artefacts:
    """Find pen, dust, bubbles, folds and tissue out of focus.

    Looks once at the tissue and at what the tissue finder left out, on its grid (4 µm/px),
    and at small fields of 1 µm/px on a lattice over the tissue. Memory: about 12 bytes a pixel
    of the whole slide's grid, and one block.

    Raises:
        SlideError: as `slide.read` raises it.
    """
    settings = settings or ArtefactSettings()
    signs = survey(slide, tissue, settings)
    pens = find_pens(slide, tissue, signs, settings)
    tissue = _without_pen(tissue, pens)
    bubbles = find_bubbles(
        has(signs, Sign.RIM) & ~pens, _looked_at(tissue, pens), tissue.frame.mpp, settings
    )
    shape, mpp = tissue.mask.shape, tissue.frame.mpp
    free = ~rim_of(bubbles, shape, _RIM_UM / mpp) & ~dilate(pens, _RIM_UM, mpp)
    measured = can_measure_focus(slide)
    masks = {
        Kind.PEN: pens,
        Kind.DUST: _dust(tissue, signs, free, settings),
        Kind.BUBBLE: discs_of(bubbles, shape),
        Kind.FOLD: _folds(tissue, signs, free, settings),
        Kind.DEFOCUS: find_blurred(slide, tissue, settings) if measured else np.zeros(shape, bool),
    }
    each = [a for kind, mask in masks.items() for a in _traced(kind, mask, tissue)]
    return Artefacts(tuple(each), tissue, measured)


def _without_pen(tissue: TissueMap, pens: Mask) -> TissueMap:
    if not pens.any():
        return tissue
    causes = np.where(pens, np.uint8(Cause.PEN), tissue.causes)
    return replace(tissue, mask=tissue.mask & ~pens, causes=causes)


def _looked_at(tissue: TissueMap, pens: Mask) -> Mask:
    return np.asarray((tissue.causes < Cause.PADDING) & ~pens)


def _folds(
    tissue: TissueMap, signs: NDArray[np.uint8], free: Mask, settings: ArtefactSettings
) -> Mask:
    where = tissue.mask & free
    return select_folds(
        has(signs, Sign.FOLD_SEED) & where,
        has(signs, Sign.FOLD) & where,
        tissue.frame.mpp,
        settings,
    )


def _dust(
    tissue: TissueMap, signs: NDArray[np.uint8], free: Mask, settings: ArtefactSettings
) -> Mask:
    """The tissue finder's specks on glass, and small dark grey things on tissue."""
    mpp = tissue.frame.mpp
    on_tissue = tissue.mask & has(signs, Sign.SPECK)
    off_tissue = tissue.mask_of(Cause.DUST)
    found = find_pieces((off_tissue | on_tissue) & free)
    chosen = np.zeros(len(found.area_px), bool)
    chosen[np.argsort(-found.area_px, kind="stable")[: settings.most_dust]] = True
    return found.select(chosen & (found.area_px * mpp**2 >= settings.speck_um2))


def _traced(kind: Kind, mask: Mask, tissue: TissueMap) -> Iterator[Artefact]:
    """One artefact a connected piece of a mask, with the tissue pixels in it."""
    for box in boxes_of(mask, max(mask.shape)):
        found = find_pieces(mask[window(box)], connectivity=4)
        tissue_px = found.count(tissue.mask[window(box)])
        for polygon_px in trace_mask(mask[window(box)], (box.x_px, box.y_px)):
            column, row = _corner_px(polygon_px)
            number = found.at(row - box.y_px, column - box.x_px)
            yield _artefact(kind, polygon_px, float(tissue_px[number]), tissue)


def _corner_px(polygon_px: Polygon) -> tuple[int, int]:
    """Column and row of the leftmost pixel of a traced polygon's top row."""
    x, y = min(polygon_px.exterior.coords, key=lambda point: (point[1], point[0]))
    return int(x), int(y)


def _artefact(kind: Kind, polygon_px: Polygon, tissue_px: float, tissue: TissueMap) -> Artefact:
    outline = affine_transform(smooth_outline(polygon_px), tissue.frame.affine_l0_from_px)
    px_um2 = tissue.frame.mpp**2
    return Artefact(kind, outline, polygon_px.area * px_um2, tissue_px * px_um2)
