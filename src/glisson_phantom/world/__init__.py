"""The phantom world: pixel grids on it, and random fields and points that belong to it.

Every random value is a hash of (seed, stream, lattice index), never the next number of
a generator: two canvases that overlap agree where they overlap, so a slide can be
rendered chunk by chunk, on any number of workers, and give the same bytes.
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
