"""Long lines in pieces: a search tree tells pieces that are near from the long rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

_STEPS = 32
"""Straight lines that are kept together."""


def short_lines(lines: Sequence[shapely.Geometry] | NDArray[Any]) -> NDArray[Any]:
    """Lines cut at every 32nd vertex.

    Args:
        lines: one or more rings or lines.
    """
    short = []
    for line in lines:
        points = shapely.get_coordinates(line)
        index = np.arange(0, len(points) - 1, _STEPS)[:, None] + np.arange(_STEPS + 1)
        short.append(shapely.linestrings(points[np.minimum(index, len(points) - 1)]))
    return np.concatenate(short)
