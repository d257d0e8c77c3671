"""Split long lines, so that a search tree finds the near parts of a line alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

_STEPS = 32
"""Segments of a short line."""


def split_lines(
    lines: Sequence[BaseGeometry] | NDArray[np.object_],
) -> NDArray[np.object_]:
    """Split lines at every 32nd vertex.

    Args:
        lines: one or more rings or lines.
    """
    short = []
    for line in lines:
        points = shapely.get_coordinates(line)
        index = np.arange(0, len(points) - 1, _STEPS)[:, None] + np.arange(_STEPS + 1)
        short.append(shapely.linestrings(points[np.minimum(index, len(points) - 1)]))
    return np.concatenate(short)
