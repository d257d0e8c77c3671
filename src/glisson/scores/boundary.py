"""How far found borders lie from true ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BoundaryScores:
    """Distances between the borders of two masks.

    Attributes:
        surface_dice: part of both borders that lies within the tolerance of the other
            (normalised surface distance, Nikolov et al. 2018).
        hd95_um: 95th percentile of the distances of both borders, in µm; infinite where one of
            the masks is empty.
    """

    surface_dice: float
    hd95_um: float


def boundary_scores(
    truth: Mask, found: Mask, mpp: float, tolerance_um: float = 10.0
) -> BoundaryScores | None:
    """Compare the borders of two (H, W) masks; None where both are empty.

    A mask's border is its pixels that touch, by a side, a pixel outside it; the image's edge is
    no border, since what lies beyond is not known.
    """
    true_border, found_border = _border(truth), _border(found)
    if not true_border.any() and not found_border.any():
        return None
    if not true_border.any() or not found_border.any():
        return BoundaryScores(0.0, float("inf"))
    to_true = distance_transform_edt(~true_border)[found_border] * mpp
    to_found = distance_transform_edt(~found_border)[true_border] * mpp
    distances = np.concatenate([to_true, to_found])
    hd95 = max(np.percentile(to_true, 95), np.percentile(to_found, 95))
    return BoundaryScores(float(np.mean(distances <= tolerance_um)), float(hd95))


def _border(mask: Mask) -> Mask:
    inner = binary_erosion(mask, border_value=1)
    return np.asarray(mask & ~inner)
