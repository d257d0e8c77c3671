"""The phantom world: its pixel grids, and random fields and points that are functions of it.

Every random value is a hash of (seed, stream, lattice index), never the next number of a
generator. So overlapping canvases agree, and a slide has the same bytes however many workers
render its chunks.
"""

from __future__ import annotations

from glisson_phantom.world.canvas import Canvas, Field, Mask
from glisson_phantom.world.distance import OUT_OF_REACH_UM, polygon_cover, signed_distance_um
from glisson_phantom.world.noise import noise, uniform
from glisson_phantom.world.points import Scatter, normal, sample, scatter

__all__ = [
    "OUT_OF_REACH_UM",
    "Canvas",
    "Field",
    "Mask",
    "Scatter",
    "noise",
    "normal",
    "polygon_cover",
    "sample",
    "scatter",
    "signed_distance_um",
    "uniform",
]
