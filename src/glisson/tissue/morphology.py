"""Shape operations on masks, with lengths in µm."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.runs import Ints, Runs, runs
from glisson.tissue.tissue_map import Mask


@dataclass(frozen=True)
class Pieces:
    """Connected pieces of a mask; number 0 is everything else.

    Attributes:
        mask: (H, W) bool.
        runs: (R,) the mask's runs.
        number: (R,) piece of each run, from 1.
        area_px: (N,) pixels of each piece.
        boxes_px: (N, 4) left, top, width, height.
    """

    mask: Mask
    runs: Runs
    number: NDArray[np.int32]
    area_px: Ints
    boxes_px: NDArray[np.int32]

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        """(H, W) int32, the number of each pixel's piece."""
        labels = np.zeros(self.mask.shape, np.int32)
        everything = np.ones(len(self.number), np.bool_)
        labels.reshape(-1)[self.runs.pixels(everything)] = np.repeat(self.number, self.runs.length)
        return labels

    def count(self, mask: Mask) -> Ints:
        """(N,) pixels of each piece inside a mask."""
        inside = runs(self.mask & mask)
        return _sums(self.number[self.runs.holding(inside)], inside, len(self.area_px))

    def share(self, mask: Mask) -> NDArray[np.float64]:
        """(N,) share of each piece inside a mask."""
        return np.asarray(self.count(mask) / np.maximum(self.area_px, 1))

    def select(self, chosen: NDArray[np.bool_]) -> Mask:
        """(H, W) bool, the pieces chosen by number."""
        keep = chosen[self.number]
        few = 2 * self.runs.length[keep].sum() <= self.area_px.sum()
        selected = np.zeros(self.mask.shape, np.bool_) if few else self.mask.copy()
        selected.reshape(-1)[self.runs.pixels(keep if few else ~keep)] = few
        return selected

    def write(self, values: NDArray[np.uint8], chosen: NDArray[np.bool_], value: int) -> None:
        """Write a value into (H, W) values where the pieces chosen by number are."""
        values.reshape(-1)[self.runs.pixels(chosen[self.number])] = value


def pieces(mask: Mask, connectivity: int = 8) -> Pieces:
    """Label a mask's connected pieces, in reading order of their first pixels."""
    mask = np.ascontiguousarray(mask, np.bool_)
    found = runs(mask)
    count, number = found.connected(connectivity)
    number = number + np.int32(1)
    area = _sums(number, found, count + 1)
    return Pieces(mask, found, number, area, _boxes(number, found, count + 1))


def _sums(number: NDArray[np.int32], found: Runs, count: int) -> Ints:
    """(count,) pixels of the runs of each number."""
    return np.bincount(number, weights=found.length, minlength=count).astype(np.int64)


def _boxes(number: NDArray[np.int32], found: Runs, count: int) -> NDArray[np.int32]:
    """(count, 4) left, top, width, height of the runs of each number; zeros for none."""
    low = np.full((2, count), np.iinfo(np.int32).max, np.int32)
    high = np.zeros((2, count), np.int32)
    np.minimum.at(low[0], number, found.left)
    np.minimum.at(low[1], number, found.row)
    np.maximum.at(high[0], number, found.left + found.length)
    np.maximum.at(high[1], number, found.row + 1)
    low = np.minimum(low, high)
    return np.concatenate([low, high - low]).T


def dilate(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """Grow by a disc; computed only around what is set."""
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
    """Shrink by a disc; the grid's border does not eat."""
    return _bools(cv2.erode(_bytes(mask), disc(radius_um, mpp)))


def close(mask: Mask, gap_um: float, mpp: float) -> Mask:
    """Close gaps up to `gap_um` wide."""
    return _bools(cv2.morphologyEx(_bytes(mask), cv2.MORPH_CLOSE, disc(gap_um / 2, mpp)))


def drop_specks(mask: Mask, area_um2: float, mpp: float) -> Mask:
    """Leave out connected pieces smaller than an area."""
    if np.count_nonzero(mask) * mpp**2 < area_um2:
        return np.zeros(mask.shape, np.bool_)
    found = pieces(mask)
    return found.select(found.area_px * mpp**2 >= area_um2)


def narrow(found: Pieces, mask: Mask, width_um: float, mpp: float) -> NDArray[np.bool_]:
    """(N,) whether each piece of a mask is nowhere wider than `width_um`."""
    return np.asarray(found.count(erode(mask, width_um / 2, mpp)) == 0)


def fill_narrow_holes(mask: Mask, width_um: float, mpp: float) -> Mask:
    """Fill holes nowhere wider than `width_um`; at the grid's border only small ones."""
    holes = pieces(~mask, connectivity=4)
    fill = narrow(holes, holes.mask, width_um, mpp)
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
