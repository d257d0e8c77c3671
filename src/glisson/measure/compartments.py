"""Portal tracts, the interface round them, and the lobule beyond."""

from __future__ import annotations

from collections.abc import Sequence

import shapely
from shapely.geometry.base import BaseGeometry

INTERFACE_WIDTH_UM = 25.0
"""One hepatocyte from the limiting plate (Cazzaniga et al. 2025 take one hepatocyte diameter;
20 to 30 µm)."""

_TOLERANCE_UM = 0.5


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
    tracts = shapely.union_all(shapely.simplify(list(tracts_um), _TOLERANCE_UM))
    band = shapely.difference(shapely.buffer(tracts, width_um), tracts)
    return float(sum(_inside(band, piece) for piece in tissue_um))


def _inside(band: BaseGeometry, piece: BaseGeometry) -> float:
    """Area of a band inside a piece of tissue; other pieces are kept out by their bounds first."""
    near = shapely.clip_by_rect(band, *piece.bounds)
    return 0.0 if near.is_empty else float(shapely.area(shapely.intersection(_valid(near), piece)))


def _valid(shape: BaseGeometry) -> BaseGeometry:
    return shape if shape.is_valid else shapely.make_valid(shape)
