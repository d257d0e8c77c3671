"""How much of a tract's contour lies at the edge of the tissue."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon, STRtree

from glisson.regions.short_lines import short_lines

_LEAST_REACH_PX = 1.25
"""Smoothing moves either outline by up to 0.6 px: lines closer than this may be one."""

_ROUNDING = 1 + 1e-9
"""On a grid of pixels lines lie just at the reach: they are looked at, whatever the last digit."""

Polygons = NDArray[np.object_]


def edge_contact(
    outlines_px: Polygons, pieces_px: Polygons, homes: NDArray[np.int64], reach_px: float
) -> NDArray[np.float64]:
    """Share of each outer contour that lies within reach of the tissue's edge, 0 to 1.

    Lengths are those of smoothed outlines: stairs would make the share depend on the direction
    that the edge runs in. Outlines are cut to the tissue first, as whoever draws them again has
    them cut: where a tract ends thinly along the edge, smoothing moves the two apart.

    Args:
        outlines_px: (K,) tracts' smoothed outlines.
        pieces_px: (N,) smoothed outlines of the tissue; the rims of holes are edges, too.
        homes: (K,) index of the piece that each tract lies in.
        reach_px: at least 1.25 is taken.
    """
    share = np.zeros(len(outlines_px))
    if not len(outlines_px):
        return share
    reach_px = max(reach_px, _LEAST_REACH_PX)
    tree = STRtree(short_lines(shapely.get_rings(pieces_px)))
    at_edge = np.unique(_near(tree, shapely.get_exterior_ring(outlines_px), reach_px)[0])
    contours = shapely.get_exterior_ring(_cut(outlines_px[at_edge], pieces_px[homes[at_edge]]))
    place, edges = _edges_near(tree, contours, reach_px)
    contours = contours[place]
    touching = shapely.intersection(contours, shapely.buffer(edges, reach_px, quad_segs=8))
    share[at_edge[place]] = np.minimum(1, shapely.length(touching) / shapely.length(contours))
    return share


def _near(tree: STRtree, contours: Polygons, reach: float) -> NDArray[np.int64]:
    """(2, P) pairs of a contour and a line of the edge within reach of it."""
    return np.asarray(tree.query(contours, "dwithin", distance=reach * _ROUNDING))


def _edges_near(
    tree: STRtree, contours: Polygons, reach: float
) -> tuple[NDArray[np.int64], Polygons]:
    """Which contours lie within reach of an edge, and for each the lines of the edge there."""
    contour, line = _near(tree, contours, reach)
    order = np.argsort(contour, kind="stable")
    near, place = np.unique(contour[order], return_inverse=True)
    lines = tree.geometries[line[order]]
    return near, np.asarray(shapely.multilinestrings(lines, indices=place))


def _cut(outlines: Polygons, pieces: Polygons) -> Polygons:
    """Each outline within its piece; of several parts the largest."""
    cut = [
        shapely.intersection(outline, shapely.clip_by_rect(piece, *_around(outline)))
        for outline, piece in zip(outlines, pieces, strict=True)
    ]
    parts = [[part for part in shapely.get_parts(each) if part.area > 0] for each in cut]
    largest = [max(some, key=lambda part: part.area, default=None) for some in parts]
    return np.array([a or b for a, b in zip(largest, outlines, strict=True)], object)


def _around(outline: Polygon) -> tuple[float, float, float, float]:
    left, top, right, bottom = outline.bounds
    return left - 1, top - 1, right + 1, bottom + 1
