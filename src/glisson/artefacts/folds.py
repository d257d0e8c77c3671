"""Folds: bands in which the section lies double, so that every stain is twice as dense."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.boxes import Window, by_cells
from glisson.artefacts.settings import ArtefactSettings
from glisson.artefacts.sparse import erode
from glisson.masks.pieces import Pieces, find_pieces
from glisson.tissue.density import Floats
from glisson.tissue.morphology import disc
from glisson.tissue.tissue_map import Mask

_DIRECTIONS = 8
"""Between two of them the end of an 80 µm line strays 8 µm: half the width of the line."""
_COARSER = 4
"""The neighbourhood is averaged on pixels this many times larger."""
_STAINED = 0.4
"""Of the median OD; below it a pixel is lumen or fat, which a fold is not compared with."""
_CELL_PX = 64
"""Lines are laid through the tissue's pixels in cells of this side, cut to their boxes."""


def fold_ratio(
    od: list[Floats], mask: Mask, core: Window, mpp: float, settings: ArtefactSettings
) -> Floats:
    """(h, w) OD along the darkest line through each pixel over that of its neighbourhood.

    The least of the three channels counts, as a fold doubles all and blood mostly green and
    blue. 0 outside the mask, and where red grows more than green: dense nuclei.

    Args:
        od: red, green and blue, (H, W) each.
        mask: (H, W) tissue.
        core: the part that is asked for, (h, w).
        mpp: µm per pixel.
        settings: thresholds.
    """
    if not mask[core].any():
        return np.zeros(mask[core].shape, np.float32)
    step = max(1, round(settings.fold_mpp / mpp))
    size = (-(-mask.shape[1] // step), -(-mask.shape[0] // step))
    small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in od]
    inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    relative = _over_neighbourhood(small, inside, mpp * step, settings)
    found = _along_lines(relative, _near(inside, core, step), mpp * step, settings)
    wide = cv2.resize(found, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.where(mask[core], wide[core], 0), dtype=np.float32)


def select_folds(seed: Mask, grown: Mask, mpp: float, settings: ArtefactSettings) -> Mask:
    """Bands that hold a heart, and are long and narrow enough."""
    if not seed.any():
        return np.zeros_like(seed)
    found = find_pieces(grown)
    long_um, wide_um = _sizes_um(found, mpp)
    fits = found.count(seed) * mpp**2 >= settings.fold_width_um**2
    fits &= long_um >= settings.fold_length_um
    fits &= long_um >= settings.fold_elongation * wide_um
    return found.select(fits & ~_broad(found, fits, mpp, settings))


def _broad(
    found: Pieces, asked: NDArray[np.bool_], mpp: float, settings: ArtefactSettings
) -> NDArray[np.bool_]:
    """(N,) whether each piece that is asked for holds a disc of a fold's greatest width."""
    radius_um = settings.fold_most_width_um / 2
    # In the grid's corner, a quarter of it.
    large = found.area_px >= np.count_nonzero(disc(radius_um, mpp)) / 4
    thick = erode(found.select(asked & large), radius_um, mpp)
    return found.count(thick) > 0


def _near(mask: Mask, core: Window, step: int) -> Mask:
    """A mask on pixels `step` times larger, no further from the core than interpolation sees."""
    part = tuple(slice(max(0, s.start // step - 2), s.stop // step + 3) for s in core)
    near = np.zeros_like(mask)
    near[part] = mask[part]
    return near


def _over_neighbourhood(
    od: list[Floats], mask: Mask, mpp: float, settings: ArtefactSettings
) -> list[Floats]:
    mean: Floats = (od[0] + od[1] + od[2]) / np.float32(3)
    stained = (mask & (mean > _STAINED * np.median(mean[mask] if mask.any() else mean))).astype(
        np.float32
    )
    sigma_px = settings.fold_reach_um / mpp / _COARSER
    weight = _smooth(stained, sigma_px) + 1e-3
    size = mask.shape[::-1]
    around = [cv2.resize(_smooth(each * stained, sigma_px) / weight, size) + 0.02 for each in od]
    return [np.asarray(each / mean_of) for each, mean_of in zip(od, around, strict=True)]


def _smooth(values: Floats, sigma_px: float) -> Floats:
    size = (max(1, values.shape[1] // _COARSER), max(1, values.shape[0] // _COARSER))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), sigma_px))


def _along_lines(
    relative: list[Floats], where: Mask, mpp: float, settings: ArtefactSettings
) -> Floats:
    """(H, W) the least channel along the darkest line through each pixel of a mask."""
    lines = [
        _line(
            settings.fold_line_um / mpp,
            settings.fold_width_um / mpp,
            number * np.pi / _DIRECTIONS,
        )
        for number in range(_DIRECTIONS)
    ]
    reach_px = max(max(line.shape) // 2 for line in lines)
    return by_cells(
        where,
        _CELL_PX,
        reach_px,
        lambda part: _darkest([each[part] for each in relative], lines, settings),
        np.float32,
    )


def _darkest(
    relative: list[Floats], lines: list[NDArray[np.float32]], settings: ArtefactSettings
) -> Floats:
    best = np.zeros(relative[0].shape, np.float32)
    for line in lines:
        red, green, blue_ = (cv2.filter2D(each, -1, line) for each in relative)
        least = np.minimum(np.minimum(red, green), blue_)
        least[red > settings.fold_most_red * green] = 0
        np.maximum(best, least, out=best)
    return best


def _line(length_px: float, width_px: float, angle: float) -> NDArray[np.float32]:
    """A bar of weight 1 in the middle of a rectangle that it fills.

    No larger: from 130 pixels on OpenCV filters by Fourier transform, seven times slower here.
    """
    half = int(np.ceil(length_px / 2)) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    along = np.abs(x * np.cos(angle) + y * np.sin(angle))
    across = np.abs(y * np.cos(angle) - x * np.sin(angle))
    bar = np.clip(length_px / 2 + 0.5 - along, 0, 1) * np.clip(width_px / 2 + 0.5 - across, 0, 1)
    filled = bar[np.ix_(bar.any(axis=1), bar.any(axis=0))]
    return np.asarray(filled / filled.sum(), dtype=np.float32)


def _sizes_um(found: Pieces, mpp: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N,) length and mean width of each piece, in µm, from the spread of its pixels."""
    rows, columns, number = found.pixels

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(number, values, len(found)) / found.area_px

    x, y = columns.astype(float), rows.astype(float)
    xx, yy = mean(x * x) - mean(x) ** 2, mean(y * y) - mean(y) ** 2
    xy = mean(x * y) - mean(x) * mean(y)
    root = np.sqrt((xx - yy) ** 2 / 4 + xy**2)
    long_px = np.sqrt(12 * np.maximum((xx + yy) / 2 + root, 0)) + 1
    return long_px * mpp, found.area_px / long_px * mpp
