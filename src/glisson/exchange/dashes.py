"""Dashed outlines in pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from glisson.classes import Rgb


def draw_dashed(
    draw: ImageDraw.ImageDraw,
    ring: Sequence[tuple[float, float]],
    colour: Rgb,
    width_px: int = 2,
    dash_px: float = 9.0,
) -> None:
    """Draw a ring in dashes of `dash_px`, with gaps as long as the dashes."""
    for dash in _split_dashes(np.array(ring), dash_px):
        draw.line([(float(x), float(y)) for x, y in dash], fill=colour, width=width_px)


def _split_dashes(ring: NDArray[np.float64], dash_px: float) -> Iterator[NDArray[np.float64]]:
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(ring, axis=0).T))])
    for start in np.arange(0, along[-1], 2 * dash_px):
        at = np.linspace(start, min(start + dash_px, along[-1]), 4)
        yield np.column_stack([np.interp(at, along, ring[:, k]) for k in range(2)])
