"""Portal tracts by their contents, as pathologists and the paper count them.

A portal area is a portal tract if two of bile duct, hepatic artery and portal vein are seen in it
(Crawford et al. 1998; Cazzaniga et al. 2025). What the core's edge leaves of a tract counts by the
same rule. Tails, septa and remnants with less are portal area, and nobody counts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

BILE_DUCT = "Bile duct"
HEPATIC_ARTERY = "Hepatic artery"
PORTAL_VEIN = "Portal vein"
"""Cross-sections in a tract, as QuPath shows them."""

TRIAD = (BILE_DUCT, HEPATIC_ARTERY, PORTAL_VEIN)
LEAST_TRIAD_KINDS = 2
"""Kinds of the triad that make a portal area a portal tract."""


def count_triad_kinds(
    areas: Sequence[Polygon], profiles: Mapping[str, Sequence[BaseGeometry]]
) -> NDArray[np.int64]:
    """Count the kinds of the triad, 0 to 3, that are seen in each portal area.

    A profile is seen where its middle lies.

    Args:
        areas: portal areas.
        profiles: outlines of ducts, arteries and veins by name, in the same frame; other names
            are left out.
    """
    kinds = np.zeros(len(areas), np.int64)
    for name in TRIAD:
        middles = shapely.STRtree(shapely.centroid(list(profiles.get(name, ()))))
        kinds[np.unique(middles.query(np.asarray(areas, object), "contains")[0])] += 1
    return kinds
