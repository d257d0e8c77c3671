"""Class map to polygons: fragments of tissue and whole portal tracts."""

from __future__ import annotations

from glisson.regions.counting import is_wide_enough, measure_width_um
from glisson.regions.drawn import DrawnTract, regions_from_drawn
from glisson.regions.find import find_regions
from glisson.regions.label_map import LabelMap
from glisson.regions.matching import UNCHANGED_IOU, clip_outlines, match_tracts, restore_untouched
from glisson.regions.outline import on_qupath_grid, smooth_outline
from glisson.regions.settings import COMPLETE_DEFINITION, COUNTED_DEFINITION, RegionSettings
from glisson.regions.short_lines import split_lines
from glisson.regions.trace import trace_mask
from glisson.regions.tracts import (
    Candidate,
    Fragment,
    PortalArea,
    Regions,
    Tract,
    remove_stage,
)
from glisson.regions.triad import (
    BILE_DUCT,
    HEPATIC_ARTERY,
    LEAST_TRIAD_KINDS,
    PORTAL_VEIN,
    TRIAD,
    count_triad_kinds,
)

__all__ = [
    "BILE_DUCT",
    "COMPLETE_DEFINITION",
    "COUNTED_DEFINITION",
    "HEPATIC_ARTERY",
    "LEAST_TRIAD_KINDS",
    "PORTAL_VEIN",
    "TRIAD",
    "UNCHANGED_IOU",
    "Candidate",
    "DrawnTract",
    "Fragment",
    "LabelMap",
    "PortalArea",
    "RegionSettings",
    "Regions",
    "Tract",
    "clip_outlines",
    "count_triad_kinds",
    "find_regions",
    "is_wide_enough",
    "match_tracts",
    "measure_width_um",
    "on_qupath_grid",
    "regions_from_drawn",
    "remove_stage",
    "restore_untouched",
    "smooth_outline",
    "split_lines",
    "trace_mask",
]
