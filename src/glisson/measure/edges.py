"""The shortest way to a long edge, without looking at all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

_STEPS = 32
"""Straight lines of an edge that are kept together."""


def distances(shapes: NDArray[Any], edge: shapely.Geometry) -> NDArray[np.float64]:
    """(N,) shortest way from each shape to an edge, in the edge's unit; 0 where they touch.

    Args:
        shapes: (N,) geometries.
        edge: rings or lines.
    """
    if not len(shapes):
        return np.zeros(0)
    tree = STRtree(_short_lines(shapely.get_parts(edge)))
    (index, _), found = tree.query_nearest(shapes, return_distance=True, all_matches=False)
    nearest = np.empty(len(shapes))
    nearest[index] = found
    return nearest


def _short_lines(lines: Sequence[shapely.Geometry]) -> NDArray[Any]:
    """Lines cut at every `_STEPS`-th vertex."""
    short = []
    for line in lines:
        points = shapely.get_coordinates(line)
        index = np.arange(0, len(points) - 1, _STEPS)[:, None] + np.arange(_STEPS + 1)
        short.append(shapely.linestrings(points[np.minimum(index, len(points) - 1)]))
    return np.concatenate(short)
