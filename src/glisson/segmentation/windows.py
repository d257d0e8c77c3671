"""Which windows to predict: all that tissue needs, and no others."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxPx, Frame, Size
from glisson.tissue import TissueMap

Mask = NDArray[np.bool_]


def windows_over(
    tissue: TissueMap, frame: Frame, size_px: Size, window_px: int, stride_px: int
) -> tuple[BoxPx, ...]:
    """Windows that together cover every tissue pixel, row by row.

    Windows lie on a fixed lattice and may reach beyond the slide; those without tissue are
    left out. Each lattice cell is decided by the tissue it alone is sure to cover, so no
    margin is lost.

    Args:
        tissue: where tissue is, on a coarser grid.
        frame: the model's grid.
        size_px: slide in model pixels.
        window_px: side of a window.
        stride_px: distance between windows.
    """
    boxes = []
    half_overlap = (window_px - stride_px) // 2
    for y in range(-half_overlap, size_px.height - half_overlap, stride_px):
        for x in range(-half_overlap, size_px.width - half_overlap, stride_px):
            own = BoxPx(x + half_overlap, y + half_overlap, stride_px, stride_px)
            if has_tissue(tissue, frame, own):
                boxes.append(BoxPx(x, y, window_px, window_px))
    return tuple(boxes)


def has_tissue(tissue: TissueMap, frame: Frame, box_px: BoxPx) -> bool:
    """Whether any tissue pixel touches a box of the model's grid."""
    ratio = frame.mpp / tissue.frame.mpp
    top, left = int(box_px.y_px * ratio), int(box_px.x_px * ratio)
    bottom = int(np.ceil((box_px.y_px + box_px.height_px) * ratio))
    right = int(np.ceil((box_px.x_px + box_px.width_px) * ratio))
    return bool(tissue.mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)].any())


def tissue_in(tissue: TissueMap, frame: Frame, box_px: BoxPx) -> Mask:
    """The tissue mask on the model's grid inside a box, (H, W); outside the slide False."""
    ratio = frame.mpp / tissue.frame.mpp
    rows = _source(box_px.y_px, box_px.height_px, ratio)
    columns = _source(box_px.x_px, box_px.width_px, ratio)
    height, width = tissue.mask.shape
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    picked = tissue.mask[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)]
    return np.asarray(picked & inside)


def _source(start_px: int, count: int, ratio: float) -> NDArray[np.int64]:
    """Index on the tissue grid of each model pixel's centre."""
    return np.floor((np.arange(start_px, start_px + count) + 0.5) * ratio).astype(np.int64)


def grown(tissue: TissueMap, reach_um: float) -> TissueMap:
    """A tissue map grown by `reach_um`."""
    reach = max(1, round(reach_um / tissue.frame.mpp))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    mask = cv2.dilate(tissue.mask.astype(np.uint8), kernel).astype(bool)
    return replace(tissue, mask=mask)
