"""Class map to polygons: fragments of tissue and whole portal tracts."""

from __future__ import annotations

from glisson.regions.outline import on_qupath_grid, smooth_outline
from glisson.regions.settings import COMPLETE_DEFINITION, RegionSettings
from glisson.regions.trace import trace_mask
from glisson.regions.tracts import Fragment, LabelMap, Regions, Tract, find_regions

__all__ = [
    "COMPLETE_DEFINITION",
    "Fragment",
    "LabelMap",
    "RegionSettings",
    "Regions",
    "Tract",
    "find_regions",
    "on_qupath_grid",
    "smooth_outline",
    "trace_mask",
]
