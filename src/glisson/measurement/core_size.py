"""Length and width of each piece of tissue, and which pieces count as cores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from shapely import Polygon

from glisson.measurement.length import LEAST_LENGTH_UM, CorePath, core_paths

_ROUNDED = 1 - 1e-6
"""A square piece that lies alone is as large as its own square, despite rounding."""


@dataclass(frozen=True)
class CoreSize:
    """Length and width of a piece of tissue.

    Attributes:
        paths: of its cores.
        area_um2: of its smoothed outline.
        counted: whether it is part of the biopsy's length.
    """

    paths: tuple[CorePath, ...]
    area_um2: float
    counted: bool

    @property
    def length_um(self) -> float:
        """Sum over its cores."""
        return math.fsum(path.length_um for path in self.paths)

    @property
    def mean_width_um(self) -> float:
        """Area over length."""
        return self.area_um2 / self.length_um

    @property
    def minimum_width_um(self) -> float:
        """The narrowest place of any core, its tips left out."""
        return min(self._narrowest(path) for path in self.paths)

    def _narrowest(self, path: CorePath) -> float:
        along = np.linspace(0, path.length_um, len(path.width_um))
        tip_um = min(self.mean_width_um, path.length_um / 3)
        inner = (along >= tip_um) & (along <= path.length_um - tip_um)
        return float(path.width_um[inner].min())


def core_sizes(outlines_um: Iterable[Polygon]) -> list[CoreSize]:
    """Measure smoothed outlines in µm.

    A piece counts if it is at least 1 mm long and as large as a square of the cores' width.
    """
    sizes = [CoreSize(core_paths(each), float(each.area), True) for each in outlines_um]
    long = [size for size in sizes if size.length_um >= LEAST_LENGTH_UM]
    least_um2 = _ROUNDED * _typical_width(long) ** 2
    return [
        replace(size, counted=size.length_um >= LEAST_LENGTH_UM and size.area_um2 >= least_um2)
        for size in sizes
    ]


def _typical_width(sizes: Sequence[CoreSize]) -> float:
    """Return the mean width that half of the length lies below; 0 without pieces."""
    if not sizes:
        return 0.0
    ordered = sorted(sizes, key=lambda size: size.mean_width_um)
    passed = np.cumsum([size.length_um for size in ordered])
    return ordered[int(np.searchsorted(passed, passed[-1] / 2))].mean_width_um
