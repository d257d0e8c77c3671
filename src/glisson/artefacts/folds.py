"""Find folds: bands where the section lies double, so that every stain is twice as dense."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.boxes import map_cells
from glisson.artefacts.settings import ArtefactSettings
from glisson.artefacts.sparse import erode
from glisson.masks.pieces import Pieces, find_pieces
from glisson.tissue.density import Floats
from glisson.tissue.grid import Window
from glisson.tissue.morphology import disc
from glisson.tissue.tissue_map import Mask

_DIRECTIONS = 8
"""Half-way between two directions the end of an 80 µm line is 8 µm off: half its width."""
_COARSER = 4
"""The neighbourhood is averaged on pixels this many times larger."""
_STAINED = 0.4
"""Share of the median OD below which a pixel is lumen or fat, and not in the neighbourhood."""
_CELL_PX = 64
"""Side of the cells in which lines are laid through the tissue's pixels."""


def measure_fold_ratio(
    od: list[Floats], mask: Mask, core: Window, mpp: float, settings: ArtefactSettings
) -> Floats:
    """Divide the OD along the darkest line through a pixel by its neighbourhood's, (h, w).

    The least channel counts: a fold doubles all channels, blood mostly green and blue. The ratio is
    0 outside the mask, and where red grows more than green (dense nuclei).

    Args:
        od: red, green and blue, (H, W) each.
        mask: (H, W) tissue.
        core: the (h, w) part to measure.
        mpp: µm per pixel.
        settings: thresholds.
    """
    if not mask[core].any():
        return np.zeros(mask[core].shape, np.float32)
    step = max(1, round(settings.fold_mpp / mpp))
    size = (-(-mask.shape[1] // step), -(-mask.shape[0] // step))
    small = [cv2.resize(channel, size, interpolation=cv2.INTER_AREA) for channel in od]
    inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    relative = _divide_by_neighbourhood(small, inside, mpp * step, settings)
    # Interpolation reaches two pixels beyond the core.
    near = tuple(slice(max(0, s.start // step - 2), s.stop // step + 3) for s in core)
    where = np.zeros_like(inside)
    where[near] = inside[near]
    found = _find_darkest_lines(relative, where, mpp * step, settings)
    wide = cv2.resize(found, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.where(mask[core], wide[core], 0), dtype=np.float32)


def select_folds(seed: Mask, grown: Mask, mpp: float, settings: ArtefactSettings) -> Mask:
    """Select the bands that hold a seed and are long and narrow enough."""
    if not seed.any():
        return np.zeros_like(seed)
    found = find_pieces(grown)
    long_um, wide_um = _measure_sizes_um(found, mpp)
    fits = found.count(seed) * mpp**2 >= settings.fold_width_um**2
    fits &= long_um >= settings.fold_length_um
    fits &= long_um >= settings.fold_elongation * wide_um
    # A disc of a fold's greatest width fits into no fold; in the grid's corner a quarter suffices.
    radius_um = settings.fold_most_width_um / 2
    large = found.area_px >= np.count_nonzero(disc(radius_um, mpp)) / 4
    broad = found.count(erode(found.select(fits & large), radius_um, mpp)) > 0
    return found.select(fits & ~broad)


def _divide_by_neighbourhood(
    od: list[Floats], mask: Mask, mpp: float, settings: ArtefactSettings
) -> list[Floats]:
    mean: Floats = (od[0] + od[1] + od[2]) / np.float32(3)
    stained = (mask & (mean > _STAINED * np.median(mean[mask] if mask.any() else mean))).astype(
        np.float32
    )
    sigma_px = settings.fold_reach_um / mpp / _COARSER
    weight = _smooth(stained, sigma_px) + 1e-3
    size = mask.shape[::-1]
    around = [cv2.resize(_smooth(c * stained, sigma_px) / weight, size) + 0.02 for c in od]
    return [np.asarray(channel / own) for channel, own in zip(od, around, strict=True)]


def _smooth(values: Floats, sigma_px: float) -> Floats:
    size = (max(1, values.shape[1] // _COARSER), max(1, values.shape[0] // _COARSER))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), sigma_px))


def _find_darkest_lines(
    relative: list[Floats], where: Mask, mpp: float, settings: ArtefactSettings
) -> Floats:
    """Return the (H, W) least channel along the darkest line through every pixel of a mask."""
    lines = [
        _draw_line(
            settings.fold_line_um / mpp,
            settings.fold_width_um / mpp,
            number * np.pi / _DIRECTIONS,
        )
        for number in range(_DIRECTIONS)
    ]
    reach_px = max(max(line.shape) // 2 for line in lines)

    def look(part: Window) -> Floats:
        best = np.zeros(relative[0][part].shape, np.float32)
        for line in lines:
            red, green, blue_ = (cv2.filter2D(channel[part], -1, line) for channel in relative)
            least = np.minimum(np.minimum(red, green), blue_)
            least[red > settings.fold_most_red * green] = 0
            np.maximum(best, least, out=best)
        return best

    return map_cells(where, _CELL_PX, reach_px, look, np.float32)


def _draw_line(length_px: float, width_px: float, angle: float) -> NDArray[np.float32]:
    """Draw a bar of weight 1 in the smallest rectangle around it.

    From 130 pixels on OpenCV filters by Fourier transform, which is seven times slower here.
    """
    half = int(np.ceil(length_px / 2)) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    along = np.abs(x * np.cos(angle) + y * np.sin(angle))
    across = np.abs(y * np.cos(angle) - x * np.sin(angle))
    bar = np.clip(length_px / 2 + 0.5 - along, 0, 1) * np.clip(width_px / 2 + 0.5 - across, 0, 1)
    filled = bar[np.ix_(bar.any(axis=1), bar.any(axis=0))]
    return np.asarray(filled / filled.sum(), dtype=np.float32)


def _measure_sizes_um(found: Pieces, mpp: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the (N,) lengths and mean widths of pieces, in µm, from their pixels' spread."""
    rows, columns, number = found.pixels

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(number, values, len(found)) / found.area_px

    x, y = columns.astype(float), rows.astype(float)
    xx, yy = mean(x * x) - mean(x) ** 2, mean(y * y) - mean(y) ** 2
    xy = mean(x * y) - mean(x) * mean(y)
    root = np.sqrt((xx - yy) ** 2 / 4 + xy**2)
    long_px = np.sqrt(12 * np.maximum((xx + yy) / 2 + root, 0)) + 1
    return long_px * mpp, found.area_px / long_px * mpp
