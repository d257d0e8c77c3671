"""How much of a tract's contour lies at the edge of the tissue."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from glisson.regions.short_lines import short_lines

_LEAST_REACH_PX = 1.25
"""Smoothing moves either outline by up to 0.6 px: lines closer than this may be one."""

Polygons = NDArray[np.object_]


def edge_contact(
    outlines_px: Polygons, pieces_px: Polygons, reach_px: float
) -> NDArray[np.float64]:
    """Share of each outer contour that lies within reach of the tissue's edge, 0 to 1.

    Lengths are those of smoothed outlines: stairs would make the share depend on the direction
    that the edge runs in.

    Args:
        outlines_px: (K,) tracts' smoothed outlines.
        pieces_px: (N,) smoothed outlines of the tissue; the rims of holes are edges, too.
        reach_px: at least 1.25 is taken.
    """
    share = np.zeros(len(outlines_px))
    if not len(outlines_px):
        return share
    reach_px = max(reach_px, _LEAST_REACH_PX)
    contours = shapely.get_exterior_ring(outlines_px)
    near, edges = _edges_near(contours, pieces_px, reach_px)
    contours = contours[near]
    touching = shapely.intersection(contours, shapely.buffer(edges, reach_px, quad_segs=8))
    share[near] = np.minimum(1, shapely.length(touching) / shapely.length(contours))
    return share


def _edges_near(
    contours: Polygons, pieces: Polygons, reach: float
) -> tuple[NDArray[np.int64], Polygons]:
    """Which contours lie within reach of an edge, and for each the lines of the edge there."""
    lines = short_lines(shapely.get_rings(pieces))
    contour, line = STRtree(lines).query(contours, "dwithin", distance=reach)
    order = np.argsort(contour, kind="stable")
    near, place = np.unique(contour[order], return_inverse=True)
    return near, np.asarray(shapely.multilinestrings(lines[line[order]], indices=place))
