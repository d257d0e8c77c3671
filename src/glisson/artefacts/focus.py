"""Focus: how much fine contrast the tissue has, in small fields on a lattice over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.settings import ArtefactSettings
from glisson.frames import RegionUm
from glisson.slides import Slide
from glisson.tissue import TissueMap
from glisson.tissue.density import blur, density
from glisson.tissue.morphology import drop_specks
from glisson.tissue.tissue_map import Mask

_LEAST_TISSUE = 0.4
"""Share of a lattice cell that has to be tissue for a field, a quarter of it, to be read."""
_COARSEST_MPP = 1.1
"""µm per level-0 pixel beyond which contrast finer than 1 µm is lost in any case."""


@dataclass(frozen=True)
class _Cell:
    """One cell of the lattice, in grid pixels of the tissue."""

    rows: slice
    columns: slice


def can_measure_focus(slide: Slide) -> bool:
    """Whether the slide's pixels are small enough."""
    pixel = slide.info.pixel_size
    return max(pixel.x_um, pixel.y_um) <= _COARSEST_MPP


def find_blurred(slide: Slide, tissue: TissueMap, settings: ArtefactSettings) -> Mask:
    """(H, W) bool, tissue out of focus, in cells of the lattice."""
    cells = list(_cells(tissue, settings))
    blurred = np.zeros(tissue.mask.shape, bool)
    if not cells:
        return blurred
    values = np.array([_sharpness(slide, tissue, cell, settings) for cell in cells])
    for cell in np.array(cells, object)[_is_blurred(values, settings)]:
        blurred[cell.rows, cell.columns] = True
    mpp = tissue.frame.mpp
    return drop_specks(blurred & tissue.mask, settings.focus_mm2 * 1e6, mpp)


def fine_contrast(rgb: NDArray[np.uint8], settings: ArtefactSettings) -> float:
    """Variance of OD finer than 1 µm over that from 1 to 4 µm; NaN where there is too little.

    A ratio, so that pale and strong stains compare; green, which H&E absorbs most.
    """
    od = density(rgb[..., 1])
    one_um, four_um = (blur(od, um / settings.focus_mpp) for um in (1.0, 4.0))
    coarse = float((one_um - four_um).std())
    if coarse < settings.least_contrast:
        return float("nan")
    return float((od - one_um).var()) / coarse**2


def _cells(tissue: TissueMap, settings: ArtefactSettings) -> Iterator[_Cell]:
    step = max(1, round(settings.focus_step_um / tissue.frame.mpp))
    for row, column in np.argwhere(_tissue_share(tissue.mask, step) >= _LEAST_TISSUE):
        yield _Cell(
            slice(int(row) * step, (int(row) + 1) * step),
            slice(int(column) * step, (int(column) + 1) * step),
        )


def _tissue_share(mask: Mask, step: int) -> NDArray[np.float64]:
    """(rows, columns) share of each cell of `step` pixels; beyond the grid is no tissue."""
    rows, columns = (np.arange(0, length, step) for length in mask.shape)
    in_rows = np.add.reduceat(mask, rows, axis=0, dtype=np.int32)
    return np.asarray(np.add.reduceat(in_rows, columns, axis=1) / step**2)


def _sharpness(slide: Slide, tissue: TissueMap, cell: _Cell, settings: ArtefactSettings) -> float:
    mpp, side_um = tissue.frame.mpp, settings.focus_field_um
    x_um = (cell.columns.start + cell.columns.stop) / 2 * mpp - side_um / 2
    y_um = (cell.rows.start + cell.rows.stop) / 2 * mpp - side_um / 2
    patch = slide.read(RegionUm(x_um, y_um, side_um, side_um), settings.focus_mpp)
    return fine_contrast(patch.rgb, settings) if patch.readable.all() else float("nan")


def _is_blurred(values: NDArray[np.float64], settings: ArtefactSettings) -> NDArray[np.bool_]:
    """Below the absolute limit, or far below the slide's sharpest quarter; NaN is neither.

    The second limit ends at 1.5 times the first (0.24): sharp liver gives 0.33 and more.
    """
    known = values[~np.isnan(values)]
    own = float(np.percentile(known, 75)) if known.size else 0.0
    limit = max(settings.blurred, min(settings.blurred_of_own * own, 1.5 * settings.blurred))
    with np.errstate(invalid="ignore"):
        return np.asarray(values < limit)
