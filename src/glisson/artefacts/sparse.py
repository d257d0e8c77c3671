"""Discs on masks that are nearly empty: their time is by what is set, not by the grid.

They give what those of `glisson.tissue.morphology` give; tests compare the two.
"""

from __future__ import annotations

import numpy as np

from glisson.artefacts.boxes import boxes_of, by_cells, widened, window
from glisson.tissue import morphology
from glisson.tissue.tissue_map import Mask

_CELL_PX = 128


def dilate(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """Grow by a disc."""
    grown = np.zeros(mask.shape, bool)
    for box in boxes_of(mask, _CELL_PX):
        part = window(widened(box, _reach_px(radius_um, mpp), mask.shape))
        grown[part] |= morphology.dilate(mask[part], radius_um, mpp)
    return grown


def erode(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """Shrink by a disc; the grid's border does not eat."""
    reach_px = _reach_px(radius_um, mpp)
    return by_cells(
        mask,
        _CELL_PX,
        reach_px,
        lambda part: morphology.erode(mask[part], radius_um, mpp),
        np.bool_,
    )


def _reach_px(radius_um: float, mpp: float) -> int:
    return morphology.disc(radius_um, mpp).shape[0] // 2
