"""Contact of a tract's contour with the edge of the tissue."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from glisson.regions.outline import polygons_of
from glisson.regions.short_lines import split_lines

_LEAST_REACH_PX = 1.25
"""Smoothing moves either outline by up to 0.6 px: lines closer than this may coincide."""

_ROUNDING = 1 + 1e-9
"""On a pixel grid many lines lie exactly at the reach: rounding must not exclude them."""

Polygons = NDArray[np.object_]


def measure_edge_contact(
    outlines_px: Polygons, pieces_px: Polygons, homes: NDArray[np.int64], reach_px: float
) -> NDArray[np.float64]:
    """Measure the share of each outer contour within reach of the tissue's edge, 0 to 1.

    Smoothed outlines give the lengths: stairs would make the share depend on the edge's direction.
    Outlines are clipped to the tissue first, as drawn outlines are: where a tract ends thinly along
    the edge, smoothing moves the two apart.

    Args:
        outlines_px: (K,) tracts' smoothed outlines.
        pieces_px: (N,) smoothed outlines of the tissue; the rims of holes are edges, too.
        homes: (K,) index of each tract's piece.
        reach_px: distance from the edge; at least 1.25 px apply.
    """
    share = np.zeros(len(outlines_px))
    if not len(outlines_px):
        return share
    reach_px = max(reach_px, _LEAST_REACH_PX)
    tree = STRtree(split_lines(shapely.get_rings(pieces_px)))
    at_edge = np.unique(_find_near(tree, shapely.get_exterior_ring(outlines_px), reach_px)[0])
    clipped = _clip(outlines_px[at_edge], pieces_px[homes[at_edge]])
    contours = shapely.get_exterior_ring(clipped)
    contour, line = _find_near(tree, contours, reach_px)
    order = np.argsort(contour, kind="stable")
    place, edge_of_line = np.unique(contour[order], return_inverse=True)
    edges = shapely.multilinestrings(tree.geometries[line[order]], indices=edge_of_line)
    contours = contours[place]
    touching = shapely.intersection(contours, shapely.buffer(edges, reach_px, quad_segs=8))
    share[at_edge[place]] = np.minimum(1, shapely.length(touching) / shapely.length(contours))
    return share


def _find_near(tree: STRtree, contours: Polygons, reach: float) -> NDArray[np.int64]:
    """Find the (2, P) pairs of a contour and a line of the edge within reach."""
    return tree.query(contours, "dwithin", distance=reach * _ROUNDING)


def _clip(outlines: Polygons, pieces: Polygons) -> Polygons:
    """Clip every outline to its piece, and take the largest of several parts."""
    clipped = []
    for outline, piece in zip(outlines, pieces, strict=True):
        left, top, right, bottom = outline.bounds
        near = shapely.clip_by_rect(piece, left - 1, top - 1, right + 1, bottom + 1)
        parts = polygons_of(shapely.intersection(outline, near))
        clipped.append(max(parts, key=lambda part: part.area, default=outline))
    return np.array(clipped, object)
