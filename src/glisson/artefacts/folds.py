"""Folds: bands in which the section lies double, so that every stain is twice as dense."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.settings import ArtefactSettings
from glisson.tissue.density import Floats
from glisson.tissue.morphology import erode, pieces
from glisson.tissue.tissue_map import Mask

_DIRECTIONS = 8
"""Between two of them the end of an 80 µm line strays 8 µm: half the width of the line."""
_COARSER = 4
"""The neighbourhood is averaged on pixels this many times larger."""
_STAINED = 0.4
"""Of the median OD; below it a pixel is lumen or fat, which a fold is not compared with."""


def fold_ratio(od: Floats, mask: Mask, mpp: float, settings: ArtefactSettings) -> Floats:
    """(H, W) OD along the darkest line through each pixel over that of its neighbourhood.

    The least of the three channels counts, as a fold doubles all and blood mostly green and
    blue. 0 outside the mask, and where red grows more than green: dense nuclei.
    """
    if not mask.any():
        return np.zeros(mask.shape, np.float32)
    step = max(1, round(settings.fold_mpp / mpp))
    size = (-(-mask.shape[1] // step), -(-mask.shape[0] // step))
    small = cv2.resize(od, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    relative = _over_neighbourhood(small, inside, mpp * step, settings)
    found = np.where(inside, _along_lines(relative, mpp * step, settings), 0)
    wide = cv2.resize(found, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.where(mask, wide, 0), dtype=np.float32)


def select_folds(seed: Mask, grown: Mask, mpp: float, settings: ArtefactSettings) -> Mask:
    """Bands that hold a heart, and are long and narrow enough."""
    if not seed.any():
        return np.zeros_like(seed)
    found = pieces(grown)
    long_um, wide_um = _sizes_um(found.labels, len(found.area_px), mpp)
    broad = found.count(erode(grown, settings.fold_most_width_um / 2, mpp)) > 0
    fits = (found.count(seed) * mpp**2 >= settings.fold_width_um**2) & ~broad
    fits &= long_um >= settings.fold_length_um
    fits &= long_um >= settings.fold_elongation * wide_um
    return found.select(fits)


def _over_neighbourhood(
    od: Floats, mask: Mask, mpp: float, settings: ArtefactSettings
) -> list[Floats]:
    mean = od.mean(axis=2)
    stained = (mask & (mean > _STAINED * np.median(mean[mask] if mask.any() else mean))).astype(
        np.float32
    )
    sigma_px = settings.fold_reach_um / mpp / _COARSER
    weight = _smooth(stained, sigma_px) + 1e-3
    size = mask.shape[::-1]
    around = [
        cv2.resize(_smooth(od[..., k] * stained, sigma_px) / weight, size) + 0.02 for k in range(3)
    ]
    return [np.asarray(od[..., k] / around[k]) for k in range(3)]


def _smooth(values: Floats, sigma_px: float) -> Floats:
    size = (max(1, values.shape[1] // _COARSER), max(1, values.shape[0] // _COARSER))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), sigma_px))


def _along_lines(relative: list[Floats], mpp: float, settings: ArtefactSettings) -> Floats:
    best = np.zeros(relative[0].shape, np.float32)
    for number in range(_DIRECTIONS):
        kernel = _line(
            settings.fold_line_um / mpp,
            settings.fold_width_um / mpp,
            number * np.pi / _DIRECTIONS,
        )
        red, green, blue_ = (cv2.filter2D(each, -1, kernel) for each in relative)
        least = np.minimum(np.minimum(red, green), blue_)
        least[red > settings.fold_most_red * green] = 0
        best = np.maximum(best, least)
    return best


def _line(length_px: float, width_px: float, angle: float) -> NDArray[np.float32]:
    """A bar of weight 1 in the middle of a square."""
    half = int(np.ceil(length_px / 2)) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    along = np.abs(x * np.cos(angle) + y * np.sin(angle))
    across = np.abs(y * np.cos(angle) - x * np.sin(angle))
    bar = np.clip(length_px / 2 + 0.5 - along, 0, 1) * np.clip(width_px / 2 + 0.5 - across, 0, 1)
    return np.asarray(bar / bar.sum(), dtype=np.float32)


def _sizes_um(
    labels: NDArray[np.int32], count: int, mpp: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N,) length and mean width of each piece, in µm, from the spread of its pixels."""
    rows, columns = np.nonzero(labels)
    number = labels[rows, columns]
    area = np.maximum(np.bincount(number, minlength=count), 1)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(number, values, count) / area

    x, y = columns.astype(float), rows.astype(float)
    xx, yy = mean(x * x) - mean(x) ** 2, mean(y * y) - mean(y) ** 2
    xy = mean(x * y) - mean(x) * mean(y)
    root = np.sqrt((xx - yy) ** 2 / 4 + xy**2)
    long_px = np.sqrt(12 * np.maximum((xx + yy) / 2 + root, 0)) + 1
    return long_px * mpp, area / long_px * mpp
