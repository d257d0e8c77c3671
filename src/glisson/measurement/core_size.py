"""Length and width of each piece of tissue, and how far it is part of the biopsy's length.

No limit moves a whole piece: below each limit a share of the piece counts, which grows evenly
from 0 to 1. So one pixel more or less changes a length by a few pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from shapely import Polygon

from glisson.measurement.length import CorePath, core_paths, share_of_core

_SMALLEST = 0.6
"""Area over the square of the cores' width from which a piece begins to count; from 1 it does."""
_STRETCH_UM = 300.0
"""Stretch of the axis over which the least width is averaged: three portal tracts."""


@dataclass(frozen=True)
class CoreSize:
    """Length and width of a piece of tissue.

    Attributes:
        paths: axes of its cores.
        area_um2: area of its smoothed outline.
        share: share of it that is part of the biopsy's length, 0 to 1.
    """

    paths: tuple[CorePath, ...]
    area_um2: float
    share: float = 1.0

    @property
    def is_core(self) -> bool:
        """Return whether more than half of it counts."""
        return self.share >= 0.5

    @property
    def core_count(self) -> int:
        """Return the number of its cores, without branches that count by less than half."""
        return sum(path.share >= 0.5 for path in self.paths)

    @property
    def length_um(self) -> float:
        """Return the sum over its cores."""
        return math.fsum(path.counted_um for path in self.paths)

    @property
    def mean_width_um(self) -> float:
        """Return area over length."""
        return self.area_um2 / self.length_um

    @property
    def minimum_width_um(self) -> float:
        """Return the width of the narrowest 0.3 mm of any core, without tips."""
        mean = self.mean_width_um
        return min(_blend(path.share, self._narrowest(path), mean) for path in self.paths)

    def _narrowest(self, path: CorePath) -> float:
        along = np.linspace(0, path.length_um, len(path.width_um))
        tip_um = min(self.mean_width_um, path.length_um / 3)
        inner = path.width_um[(along >= tip_um) & (along <= path.length_um - tip_um)]
        count = round(_STRETCH_UM / (along[1] - along[0]))
        return float(_average(inner, min(count, len(inner))).min())


def core_sizes(outlines_um: Iterable[Polygon]) -> list[CoreSize]:
    """Measure smoothed outlines in µm.

    A piece counts from 1 mm of length and from the area of a square of the cores' width. Under 0.8
    mm or 0.6 of that area it does not; in between a share of it counts.
    """
    sizes = [CoreSize(core_paths(each), float(each.area)) for each in outlines_um]
    lengths = np.array([size.length_um for size in sizes])
    shares = np.array([share_of_core(length) for length in lengths])
    square_um2 = _find_typical_width(sizes, shares * lengths) ** 2
    return [
        replace(size, share=float(share) * _share_of_square(size.area_um2, square_um2))
        for size, share in zip(sizes, shares, strict=True)
    ]


def minimum_width_um(cores: Sequence[CoreSize], mean_width_um: float) -> float:
    """Return the narrowest place of all cores; a piece that hardly counts hardly moves it."""
    return min(_blend(core.share, core.minimum_width_um, mean_width_um) for core in cores)


def _share_of_square(area_um2: float, square_um2: float) -> float:
    if not square_um2:
        return 1.0
    return min(1.0, max(0.0, (area_um2 / square_um2 - _SMALLEST) / (1 - _SMALLEST)))


def _find_typical_width(sizes: Sequence[CoreSize], weights: NDArray[np.float64]) -> float:
    """Return the mean width that half of the length lies below, between pieces interpolated."""
    chosen = sorted(
        (size.mean_width_um, weight) for size, weight in zip(sizes, weights, strict=True) if weight
    )
    if not chosen:
        return 0.0
    widths, weight = np.array(chosen).T
    passed = np.cumsum(weight)
    return float(np.interp(passed[-1] / 2, passed - weight / 2, widths))


def _blend(share: float, value: float, otherwise: float) -> float:
    return share * value + (1 - share) * otherwise


def _average(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Average each `count` neighbouring values; the ends are repeated."""
    return np.asarray(uniform_filter1d(values, max(1, count), mode="nearest"))
