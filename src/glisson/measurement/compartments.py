"""Portal tracts, the interface round them, and the lobule beyond."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely import MultiPolygon, STRtree
from shapely.geometry.base import BaseGeometry

INTERFACE_WIDTH_UM = 25.0
"""One hepatocyte from the limiting plate (Cazzaniga et al. 2025 take one hepatocyte diameter;
20 to 30 µm)."""

_TOLERANCE_UM = 0.5

Polygons = NDArray[np.object_]


def interface_area_um2(
    tracts_um: Sequence[BaseGeometry], tissue_um: Sequence[BaseGeometry], width_um: float
) -> float:
    """Return the area of the interface: tissue within `width_um` of a tract, on its lobular side.

    Other tracts are no part of it, and an overlap of two bands counts once. Veins that the class
    map calls lobule are part of it.

    Args:
        tracts_um: smoothed outlines in µm.
        tissue_um: smoothed outlines of the fragments in µm.
        width_um: of the band.
    """
    if not tracts_um or width_um <= 0:
        return 0.0
    tracts = _join_near(shapely.simplify(list(tracts_um), _TOLERANCE_UM), 2 * width_um)
    bands = shapely.difference(shapely.buffer(tracts, width_um), tracts)
    tree = STRtree(bands)
    return math.fsum(_area_inside(bands[tree.query(piece)], piece) for piece in tissue_um)


def _join_near(tracts: Polygons, reach_um: float) -> Polygons:
    """Join tracts whose bands meet; bands round all at once take the square of their number."""
    pairs = STRtree(tracts).query(tracts, predicate="dwithin", distance=reach_um)
    links = coo_array((np.ones(pairs.shape[1], np.int8), tuple(pairs)), (len(tracts),) * 2)
    _, group = connected_components(links, directed=False)
    order = np.argsort(group, kind="stable")
    groups = np.split(tracts[order], np.cumsum(np.bincount(group))[:-1])
    return np.array([shapely.union_all(own) for own in groups], object)


def _area_inside(bands: Polygons, piece: BaseGeometry) -> float:
    """Return the area inside a piece of tissue of bands that do not meet."""
    shapely.prepare(piece)
    whole = shapely.covers(piece, bands)
    cut = MultiPolygon(list(shapely.get_parts(bands[~whole])))
    inside = shapely.intersection(_valid(cut), piece)
    return math.fsum([*shapely.area(bands[whole]), shapely.area(inside)])


def _valid(shape: BaseGeometry) -> BaseGeometry:
    return shape if shape.is_valid else shapely.make_valid(shape)
