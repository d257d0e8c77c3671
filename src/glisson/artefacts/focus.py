"""Measure focus: fine contrast in small fields on a lattice over the tissue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.settings import ArtefactSettings
from glisson.frames import RegionUm
from glisson.slides import Slide
from glisson.tissue import TissueMap
from glisson.tissue.density import Floats, blur, density
from glisson.tissue.morphology import drop_specks
from glisson.tissue.tissue_map import Mask

_LEAST_TISSUE = 0.4
"""Least share of tissue in a lattice cell whose field, a quarter of the cell, is read."""
_AT_ONCE = 32
"""Cells that are read before the next check whether more are needed."""
_COARSEST_MPP = 1.1
"""µm per level-0 pixel beyond which contrast finer than 1 µm is lost in any case."""


@dataclass(frozen=True)
class _Cell:
    """A cell of the lattice, in grid pixels of the tissue."""

    rows: slice
    columns: slice


def can_measure_focus(slide: Slide) -> bool:
    """Decide whether the slide's pixels are small enough."""
    pixel = slide.info.pixel_size
    return max(pixel.x_um, pixel.y_um) <= _COARSEST_MPP


def find_blurred(slide: Slide, tissue: TissueMap, settings: ArtefactSettings) -> Mask:
    """Find tissue out of focus, an (H, W) mask in cells of the lattice."""
    cells = list(find_lattice_cells(tissue, settings))
    blurred = np.zeros(tissue.mask.shape, bool)
    if not cells:
        return blurred
    values = _measure_cells(slide, tissue, cells, settings)
    is_blurred = values < _limit(values[~np.isnan(values)], settings)
    for cell in (cells[k] for k in np.flatnonzero(is_blurred)):
        blurred[cell.rows, cell.columns] = True
    mpp = tissue.frame.mpp
    return drop_specks(blurred & tissue.mask, settings.focus_mm2 * 1e6, mpp)


def _measure_cells(
    slide: Slide, tissue: TissueMap, cells: list[_Cell], settings: ArtefactSettings
) -> NDArray[np.float64]:
    """Measure the (N,) sharpness of cells; NaN where it is unknown or changes nothing.

    A single blurred cell is too small to count. So a quarter of the cells, no two of them
    neighbours, are read in two cases alone: beside blurred cells, or while the slide's limit
    depends on them.
    """
    values = np.full(len(cells), np.nan)

    def measure(chosen: NDArray[np.int64]) -> None:
        for k in chosen:
            values[k] = _measure_sharpness(slide, tissue, cells[k], settings)

    apart = _choose_apart(cells, tissue.frame.mpp, settings)
    measure(np.flatnonzero(~apart))
    _, most = _limits(values, int(apart.sum()), settings)
    rows, columns = _places(cells)
    lattice = np.zeros((rows.max() + 1, columns.max() + 1), np.uint8)
    lattice[rows, columns] = values < most
    near = cv2.dilate(lattice, np.ones((3, 3), np.uint8))[rows, columns] > 0
    measure(np.flatnonzero(apart & near))
    rest = np.flatnonzero(apart & ~near)
    while len(rest):
        low, high = _limits(values, len(rest), settings)
        if not slide.damaged_l0 and not ((low <= values) & (values < high)).any():
            break  # no further value changes which known cells are blurred
        measure(rest[:_AT_ONCE])
        rest = rest[_AT_ONCE:]
    return values


def _choose_apart(cells: list[_Cell], mpp: float, settings: ArtefactSettings) -> NDArray[np.bool_]:
    """Choose the largest set of every other cell in every other row; none if one cell counts."""
    rows, columns = _places(cells)
    parity = 2 * (rows % 2) + columns % 2
    side_um = (cells[0].rows.stop - cells[0].rows.start) * mpp
    small = side_um**2 < settings.focus_mm2 * 1e6
    return np.asarray(small & (parity == np.bincount(parity).argmax()))


def _places(cells: list[_Cell]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows and columns of the cells on the lattice."""
    step = cells[0].rows.stop - cells[0].rows.start
    rows, columns = np.array([(c.rows.start // step, c.columns.start // step) for c in cells]).T
    return rows, columns


def fine_contrast(rgb: NDArray[np.uint8], settings: ArtefactSettings) -> float:
    """Divide the variance of OD below 1 µm by that from 1 to 4 µm; NaN for too little contrast.

    A ratio makes pale and strong stains comparable. H&E absorbs green most.
    """
    od = density(cv2.extractChannel(rgb, 1))
    one_um, four_um = (blur(od, um / settings.focus_mpp) for um in (1.0, 4.0))
    coarse = _sd(one_um - four_um)
    return (_sd(od - one_um) / coarse) ** 2 if coarse >= settings.least_contrast else float("nan")


def _sd(values: Floats) -> float:
    return float(cv2.meanStdDev(values)[1].item())


def find_lattice_cells(tissue: TissueMap, settings: ArtefactSettings) -> Iterator[_Cell]:
    """Yield the cells of the lattice with enough tissue."""
    step = max(1, round(settings.focus_step_um / tissue.frame.mpp))
    row_starts, column_starts = (np.arange(0, length, step) for length in tissue.mask.shape)
    bands = (tissue.mask[row : row + step].view(np.uint8) for row in row_starts)
    in_rows = [cv2.reduce(band, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0] for band in bands]
    share = np.add.reduceat(in_rows, column_starts, axis=1) / step**2
    for row, column in np.argwhere(share >= _LEAST_TISSUE):
        yield _Cell(
            slice(int(row) * step, (int(row) + 1) * step),
            slice(int(column) * step, (int(column) + 1) * step),
        )


def _measure_sharpness(
    slide: Slide, tissue: TissueMap, cell: _Cell, settings: ArtefactSettings
) -> float:
    mpp, side_um = tissue.frame.mpp, settings.focus_field_um
    x_um = (cell.columns.start + cell.columns.stop) / 2 * mpp - side_um / 2
    y_um = (cell.rows.start + cell.rows.stop) / 2 * mpp - side_um / 2
    patch = slide.read(RegionUm(x_um, y_um, side_um, side_um), settings.focus_mpp)
    return fine_contrast(patch.rgb, settings) if patch.readable.all() else float("nan")


def _limits(
    values: NDArray[np.float64], more: int, settings: ArtefactSettings
) -> tuple[float, float]:
    """Return the least and the greatest limit with up to `more` further values."""
    known = values[~np.isnan(values)]
    blunt, sharp = (np.append(known, np.full(more, value)) for value in (0.0, 1e3))
    return _limit(blunt, settings), _limit(sharp, settings)


def _limit(known: NDArray[np.float64], settings: ArtefactSettings) -> float:
    """Return the absolute limit, or a share of the slide's sharpest quarter.

    The share is at most 1.5 times the absolute limit (0.24): sharp liver gives 0.33 and more.
    """
    own = float(np.percentile(known, 75)) if known.size else 0.0
    return max(settings.blurred, min(settings.blurred_of_own * own, 1.5 * settings.blurred))
