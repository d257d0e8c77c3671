"""Count portal tracts by their contents, as pathologists and the paper do.

A portal area is a portal tract if it shows two of bile duct, hepatic artery and portal vein
(Crawford et al. 1998; Cazzaniga et al. 2025). The same rule holds for a tract cut by the core's
edge. Tails, septa and remnants with less are portal area, and do not count.
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
    """Count the kinds of the triad, 0 to 3, in every portal area.

    A profile lies in the area that holds its centroid.

    Args:
        areas: portal areas.
        profiles: outlines of ducts, arteries and veins by name, in the same frame; other names
            are ignored.
    """
    kinds = np.zeros(len(areas), np.int64)
    for name in TRIAD:
        middles = shapely.STRtree(shapely.centroid(list(profiles.get(name, ()))))
        kinds[np.unique(middles.query(np.asarray(areas, object), "contains")[0])] += 1
    return kinds
