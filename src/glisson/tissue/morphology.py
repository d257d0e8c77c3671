"""Shape operations on masks, with lengths in µm."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.tissue.tissue_map import Mask


@dataclass(frozen=True)
class Pieces:
    """Connected pieces of a mask; number 0 is everything else.

    Attributes:
        labels: (H, W) int32.
        area_px: (N,) pixels of each piece.
        boxes_px: (N, 4) left, top, width, height.
    """

    labels: NDArray[np.int32]
    area_px: NDArray[np.int64]
    boxes_px: NDArray[np.int32]

    def count(self, mask: Mask) -> NDArray[np.int64]:
        """(N,) pixels of each piece inside a mask."""
        return np.bincount(self.labels[mask], minlength=len(self.area_px))

    def share(self, mask: Mask) -> NDArray[np.float64]:
        """(N,) share of each piece inside a mask."""
        return self.count(mask) / np.maximum(self.area_px, 1)

    def select(self, chosen: NDArray[np.bool_]) -> Mask:
        """(H, W) bool, the pieces chosen by number."""
        keep = chosen.copy()
        keep[0] = False
        return np.asarray(keep[self.labels])


def pieces(mask: Mask, connectivity: int = 8) -> Pieces:
    """Label a mask's connected pieces."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(_bytes(mask), connectivity=connectivity)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    area[0] = 0
    return Pieces(labels, area, stats[:, :4])


def dilate(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """Grow by a disc."""
    return _bools(cv2.dilate(_bytes(mask), disc(radius_um, mpp)))


def erode(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """Shrink by a disc; the grid's border does not eat."""
    return _bools(cv2.erode(_bytes(mask), disc(radius_um, mpp)))


def close(mask: Mask, gap_um: float, mpp: float) -> Mask:
    """Close gaps up to `gap_um` wide."""
    return _bools(cv2.morphologyEx(_bytes(mask), cv2.MORPH_CLOSE, disc(gap_um / 2, mpp)))


def drop_specks(mask: Mask, area_um2: float, mpp: float) -> Mask:
    """Leave out connected pieces smaller than an area."""
    found = pieces(mask)
    return found.select(found.area_px * mpp**2 >= area_um2)


def narrow(found: Pieces, mask: Mask, width_um: float, mpp: float) -> NDArray[np.bool_]:
    """(N,) whether each piece of a mask is nowhere wider than `width_um`."""
    return np.asarray(found.count(erode(mask, width_um / 2, mpp)) == 0)


def fill_narrow_holes(mask: Mask, width_um: float, mpp: float) -> Mask:
    """Fill holes nowhere wider than `width_um`; at the grid's border only small ones."""
    holes = pieces(~mask, connectivity=4)
    fill = narrow(holes, ~mask, width_um, mpp)
    disc_px = np.pi / 4 * (width_um / mpp) ** 2
    fill &= ~_touches_border(holes, mask.shape) | (holes.area_px <= disc_px)
    return np.asarray(mask | holes.select(fill))


def _touches_border(found: Pieces, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    left, top, width, height = found.boxes_px.T
    outside = (left == 0) | (top == 0) | (left + width == shape[1]) | (top + height == shape[0])
    return np.asarray(outside)


def disc(radius_um: float, mpp: float) -> NDArray[np.uint8]:
    """A disc as kernel, at least 3 pixels wide."""
    radius = max(1, round(radius_um / mpp))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(x**2 + y**2 <= (radius + 0.3) ** 2, dtype=np.uint8)


def _bytes(mask: Mask) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask).view(np.uint8)


def _bools(mask: NDArray[np.uint8]) -> Mask:
    return mask.view(np.bool_)
