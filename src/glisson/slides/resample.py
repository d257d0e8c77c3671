"""Area averaging with exact fractional edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_SNAP_PX = 1e-6


@dataclass(frozen=True)
class Axis:
    """One axis of a resampling: the source pixels to read, and their weights.

    Attributes:
        first: index of the first source pixel to read; may be negative.
        count: source pixels to read.
        start: where the first output pixel begins, in source pixels from `first`.
        ratio: source pixels per output pixel.
        size: output pixels.
    """

    first: int
    count: int
    start: float
    ratio: float
    size: int

    @property
    def is_whole(self) -> bool:
        """True if every output pixel covers a whole number of source pixels."""
        return self.start == 0 and self.ratio == round(self.ratio) and self.ratio >= 1

    def weights(self) -> sparse.csr_array:
        """Return the (size, count) shares of source pixels in output pixels; rows sum to 1."""
        edges = self.start + self.ratio * np.arange(self.size + 1)
        low, high = edges[:-1], edges[1:]
        first = np.floor(low + _SNAP_PX).astype(np.int64)
        taps = int(np.ceil(self.ratio)) + 1
        pixel = first[:, None] + np.arange(taps)
        share = np.minimum(pixel + 1, high[:, None]) - np.maximum(pixel, low[:, None])
        share = np.clip(share, 0, None) * (pixel < self.count)
        column = np.minimum(pixel, self.count - 1).ravel()
        values = (share / share.sum(axis=1, keepdims=True)).astype(np.float32).ravel()
        row_starts = taps * np.arange(self.size + 1)
        return sparse.csr_array((values, column, row_starts), shape=(self.size, self.count))


def make_axis(start_px: float, ratio: float, size: int) -> Axis:
    """Return the axis of `size` output pixels that begin at `start_px` of a level."""
    nearest = round(start_px)
    if abs(start_px - nearest) < _SNAP_PX:
        start_px = float(nearest)
    if abs(ratio - round(ratio)) * size < _SNAP_PX * 10:
        ratio = float(round(ratio))
    first = int(np.floor(start_px))
    start = start_px - first
    count = int(np.ceil(start + ratio * size - _SNAP_PX))
    return Axis(first, max(count, 1), start, ratio, size)


def average_area(
    pixels: NDArray[np.uint8], readable: NDArray[np.bool_], x: Axis, y: Axis
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Average source pixels to the output grid; unreadable source pixels have no weight.

    An output pixel is readable if at least half of its area is readable.

    Args:
        pixels: (y.count, x.count, 3) source pixels.
        readable: (y.count, x.count) mask of readable source pixels.
        x: columns.
        y: rows.
    """
    if x.ratio == y.ratio == 1 and x.is_whole and y.is_whole:
        return pixels, readable
    if readable.all():
        if x.is_whole and y.is_whole:
            size = (x.size, y.size)  # integer arithmetic: halves are rounded up
            mean = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        else:
            mean = _round(_average(pixels, x, y))
        return mean, np.ones((y.size, x.size), bool)
    weight = _average(readable.astype(np.float32)[..., None], x, y)
    total = _average(pixels * readable[..., None].astype(np.float32), x, y)
    known = weight[..., 0] >= 0.5
    averaged = _round(total / np.maximum(weight, 1e-6))
    return np.where(known[..., None], averaged, 0).astype(np.uint8), known


def _round(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    return np.asarray(cv2.convertScaleAbs(values), np.uint8).reshape(values.shape)


def _average(values: NDArray[np.generic], x: Axis, y: Axis) -> NDArray[np.float32]:
    if x.is_whole and y.is_whole:
        resized = cv2.resize(
            values.astype(np.float32), (x.size, y.size), interpolation=cv2.INTER_AREA
        )
        return np.asarray(resized, dtype=np.float32).reshape(y.size, x.size, values.shape[2])
    low = _average_lines(values.astype(np.float32), y)
    return _transpose(_average_lines(_transpose(low), x))


def _average_lines(values: NDArray[np.float32], lines: Axis) -> NDArray[np.float32]:
    """Average (count, W, C) to (size, W, C)."""
    flat = np.asarray(lines.weights() @ values.reshape(lines.count, -1))
    return flat.reshape(lines.size, *values.shape[1:])


def _transpose(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Transpose (H, W, C) to (W, H, C), in a third of numpy's time."""
    height, width, channels = values.shape
    return np.asarray(cv2.transpose(values), np.float32).reshape(width, height, channels)
