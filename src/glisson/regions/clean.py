"""Class maps rid of what is too small to be what it was called."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, LOBULE, PORTAL
from glisson.regions.settings import RegionSettings

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def cleaned(labels: Labels, mpp: float, settings: RegionSettings) -> Labels:
    """Labels with debris, pin-holes and specks reassigned, in that order.

    The image must hold whole pieces of tissue: what touches its border counts as open to
    the glass.

    Args:
        labels: (H, W) class indices.
        mpp: µm per pixel.
        settings: the sizes.
    """
    px = mpp**2
    labels = labels.copy()
    tissue = labels != BACKGROUND.index
    tissue = tissue | _small(~tissue, settings.max_tissue_hole_um2 / px)
    labels[tissue & (labels == BACKGROUND.index)] = LOBULE.index
    debris = _small(tissue, settings.min_fragment_area_um2 / px, border_counts=False)
    labels[debris] = BACKGROUND.index
    portal = labels == PORTAL.index
    labels[_small(~portal, settings.max_portal_hole_um2 / px)] = PORTAL.index
    specks = _small(labels == PORTAL.index, settings.min_tract_area_um2 / px, border_counts=False)
    labels[specks] = LOBULE.index
    return labels


def _small(mask: Mask, most_px: float, border_counts: bool = True) -> Mask:
    """Components of a mask smaller than `most_px`; those at the border are spared if it counts.

    Regions are 4-connected, as they are traced.
    """
    _, component, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    small = stats[:, cv2.CC_STAT_AREA] < most_px
    if border_counts:
        small &= ~_touches_border(stats, mask.shape)
    small[0] = False
    return np.asarray(small[component])


def _touches_border(stats: NDArray[np.int32], shape: tuple[int, ...]) -> Mask:
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right = left + stats[:, cv2.CC_STAT_WIDTH]
    bottom = top + stats[:, cv2.CC_STAT_HEIGHT]
    return np.asarray((left == 0) | (top == 0) | (right == shape[1]) | (bottom == shape[0]))
