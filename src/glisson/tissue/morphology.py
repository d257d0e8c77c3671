"""Shape operations on masks, with lengths in µm."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.masks.pieces import Pieces, find_pieces
from glisson.tissue.tissue_map import Mask


def dilate(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """Grow by a disc; only the surroundings of set pixels are computed."""
    kernel = disc(radius_um, mpp)
    reach = len(kernel) // 2
    left, top, width, height = cv2.boundingRect(_bytes(mask))
    rows = slice(max(0, top - reach), top + height + reach)
    columns = slice(max(0, left - reach), left + width + reach)
    grown = np.zeros(mask.shape, np.bool_)
    if width:
        grown[rows, columns] = _bools(cv2.dilate(_bytes(mask[rows, columns]), kernel))
    return grown


def erode(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """Shrink by a disc, but not at the grid's border."""
    return _bools(cv2.erode(_bytes(mask), disc(radius_um, mpp)))


def close(mask: Mask, gap_um: float, mpp: float) -> Mask:
    """Close gaps up to `gap_um` wide."""
    return _bools(cv2.morphologyEx(_bytes(mask), cv2.MORPH_CLOSE, disc(gap_um / 2, mpp)))


def drop_specks(mask: Mask, area_um2: float, mpp: float) -> Mask:
    """Drop connected pieces smaller than an area."""
    if np.count_nonzero(mask) * mpp**2 < area_um2:
        return np.zeros(mask.shape, np.bool_)
    found = find_pieces(mask)
    return found.select(found.area_px * mpp**2 >= area_um2)


def are_narrow(found: Pieces, mask: Mask, width_um: float, mpp: float) -> NDArray[np.bool_]:
    """Decide which of (N,) pieces of a mask are nowhere wider than `width_um`."""
    return np.asarray(found.count(erode(mask, width_um / 2, mpp)) == 0)


def fill_narrow_holes(mask: Mask, width_um: float, mpp: float) -> Mask:
    """Fill holes nowhere wider than `width_um`; at the grid's border only small ones."""
    gaps = ~mask
    holes = find_pieces(gaps, connectivity=4)
    fill = are_narrow(holes, gaps, width_um, mpp)
    disc_px = np.pi / 4 * (width_um / mpp) ** 2
    left, top, width, height = holes.boxes_px.T
    open_ = (left == 0) | (top == 0)
    open_ |= (left + width == mask.shape[1]) | (top + height == mask.shape[0])
    fill &= ~open_ | (holes.area_px <= disc_px)
    return np.asarray(mask | holes.select(fill))


def disc(radius_um: float, mpp: float) -> NDArray[np.uint8]:
    """Return a disc as kernel, at least 3 pixels wide."""
    radius = max(1, round(radius_um / mpp))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(x**2 + y**2 <= (radius + 0.3) ** 2, dtype=np.uint8)


def _bytes(mask: Mask) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask).view(np.uint8)


def _bools(mask: NDArray[np.uint8]) -> Mask:
    return mask.view(np.bool_)
