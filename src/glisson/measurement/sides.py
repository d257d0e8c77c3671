"""Tissue that the sides of the picture cut: a crop shows a part of the biopsy."""

from __future__ import annotations

import shapely

from glisson.frames import BoxL0
from glisson.measurement.shape import in_um
from glisson.regions import Regions
from glisson.slides import SlideInfo

MOST_CUT = 0.01
"""Share of the tissue's outline on the picture's sides from which a slide is a crop.

A core of 20 mm that is cut across once has 2.4 %.
"""
_REACH_UM = 12.0
"""Pixels of the class map, and the smoothing of outlines, keep tissue so far from a side."""


def find_cut_share(regions: Regions, info: SlideInfo) -> float:
    """Return the share of the tissue's outer outline along the sides of the scanned area."""
    if not regions.fragments:
        return 0.0
    pixel = info.pixel_size
    scanned_l0 = info.bounds_l0 or BoxL0(0, 0, info.size_l0.width, info.size_l0.height)
    rings = shapely.get_exterior_ring([piece.outline_l0 for piece in regions.fragments])
    rings_um = in_um(rings.tolist(), pixel, (scanned_l0.x_l0, scanned_l0.y_l0))
    width_um, height_um = scanned_l0.width_l0 * pixel.x_um, scanned_l0.height_l0 * pixel.y_um
    inner = shapely.box(_REACH_UM, _REACH_UM, width_um - _REACH_UM, height_um - _REACH_UM)
    on_sides_um = shapely.length(shapely.difference(rings_um, inner)).sum()
    return float(on_sides_um / shapely.length(rings_um).sum())


def warn_of_part(share: float) -> str | None:
    """Return a warning for a slide of whose tissue the picture shows a part, or None."""
    if share <= MOST_CUT:
        return None
    return (
        f"The sides of the picture cut the tissue ({share:.0%} of its outline lies on them): "
        "length, counts and adequacy are of a part of the biopsy. Segment the whole slide for "
        "those of the biopsy."
    )
