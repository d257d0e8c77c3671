"""Distances between predicted and true borders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BoundaryScores:
    """Distances between the borders of two masks.

    Attributes:
        surface_dice: part of both borders that lies within the tolerance of the other
            (normalised surface distance, Nikolov et al. 2018).
        hd95_um: 95th percentile of the distances of both borders, in µm; infinite where one of
            the masks has no border to measure to.
        one_sided: whether one of the masks has no area at all.
    """

    surface_dice: float
    hd95_um: float
    one_sided: bool = False


def boundary_scores(
    truth: Mask, found: Mask, mpp: float, tolerance_um: float = 10.0, known: Mask | None = None
) -> BoundaryScores | None:
    """Compare the borders of two (H, W) masks where the truth is known.

    A mask's border is its pixels that touch, by a side, a pixel outside it. Neither the image's
    edge nor the edge of an unknown area is a border. Pixels that touch an unknown pixel belong to
    neither border: both masks end there along the same line and would agree. Where the counterpart
    of a border is unknown, the distance to the nearest known border counts, which can only lower
    the scores.

    The masks' areas decide first, then their borders:

    - Neither has area, or both have but no border (portal all over the tile): None.
    - Only one has area: 0, infinite and `one_sided`, with or without a border.
    - Both have area, but only one has a border: 0 and infinite.

    Args:
        truth: the true area.
        found: the predicted area.
        mpp: µm/px of both.
        tolerance_um: distance up to which borders agree.
        known: where the truth is known; None for everywhere.
    """
    known = np.ones(truth.shape, bool) if known is None else known
    areas = int((truth & known).any()) + int((found & known).any())
    if areas == 1:
        return BoundaryScores(0.0, float("inf"), one_sided=True)
    borders = _border(truth, known), _border(found, known)
    with_border = sum(bool(border.any()) for border in borders)
    if not areas or not with_border:
        return None
    if with_border == 1:
        return BoundaryScores(0.0, float("inf"))
    true_border, found_border = borders
    to_true = distance_transform_edt(~true_border)[found_border] * mpp
    to_found = distance_transform_edt(~found_border)[true_border] * mpp
    distances = np.concatenate([to_true, to_found])
    hd95 = max(np.percentile(to_true, 95), np.percentile(to_found, 95))
    return BoundaryScores(float(np.mean(distances <= tolerance_um)), float(hd95))


def _border(mask: Mask, known: Mask) -> Mask:
    inner = binary_erosion(mask, border_value=1)
    return np.asarray(mask & ~inner & ~binary_dilation(~known))
