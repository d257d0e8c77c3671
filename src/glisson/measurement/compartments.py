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
    """Area of the interface: what lies within `width_um` of a tract, on its lobular side.

    Cut to the tissue; other tracts are no part of it, and where two bands overlap they count
    once. Veins that the class map calls lobule are not told from it.

    Args:
        tracts_um: smoothed outlines in µm.
        tissue_um: smoothed outlines of the fragments in µm.
        width_um: of the band.
    """
    if not tracts_um or width_um <= 0:
        return 0.0
    tracts = _joined_where_near(shapely.simplify(list(tracts_um), _TOLERANCE_UM), 2 * width_um)
    bands = shapely.difference(shapely.buffer(tracts, width_um), tracts)
    tree = STRtree(bands)
    return math.fsum(_inside(bands[tree.query(piece)], piece) for piece in tissue_um)


def _joined_where_near(tracts: Polygons, reach_um: float) -> Polygons:
    """Groups of tracts whose bands meet: each has a band of its own, whatever else there is.

    A band round all of them at once takes the square of their number.
    """
    pairs = STRtree(tracts).query(tracts, predicate="dwithin", distance=reach_um)
    links = coo_array((np.ones(pairs.shape[1], np.int8), tuple(pairs)), (len(tracts),) * 2)
    _, group = connected_components(links, directed=False)
    order = np.argsort(group, kind="stable")
    groups = np.split(tracts[order], np.cumsum(np.bincount(group))[:-1])
    return np.array([shapely.union_all(own) for own in groups], object)


def _inside(bands: Polygons, piece: BaseGeometry) -> float:
    """Area of bands, none of which meets another, inside a piece of tissue."""
    shapely.prepare(piece)
    whole = shapely.covers(piece, bands)
    cut = MultiPolygon(list(shapely.get_parts(bands[~whole])))
    inside = shapely.intersection(_valid(cut), piece)
    return math.fsum([*shapely.area(bands[whole]), shapely.area(inside)])


def _valid(shape: BaseGeometry) -> BaseGeometry:
    return shape if shape.is_valid else shapely.make_valid(shape)
