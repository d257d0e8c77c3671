"""Class map to polygons: fragments of tissue and whole portal tracts."""

from __future__ import annotations

from glisson.regions.counting import is_wide_enough, width_um
from glisson.regions.drawn import DrawnTract, regions_from_drawn
from glisson.regions.find import find_regions
from glisson.regions.label_map import LabelMap
from glisson.regions.matching import UNCHANGED_IOU, matched, shown_outlines, untouched_as_traced
from glisson.regions.outline import on_qupath_grid, smooth_outline
from glisson.regions.settings import COMPLETE_DEFINITION, COUNTED_DEFINITION, RegionSettings
from glisson.regions.short_lines import short_lines
from glisson.regions.trace import trace_mask
from glisson.regions.tracts import (
    Candidate,
    Fragment,
    PortalArea,
    Regions,
    Tract,
    without_stage_words,
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
    "count_triad_kinds",
    "find_regions",
    "is_wide_enough",
    "matched",
    "on_qupath_grid",
    "regions_from_drawn",
    "short_lines",
    "shown_outlines",
    "smooth_outline",
    "trace_mask",
    "untouched_as_traced",
    "width_um",
    "without_stage_words",
]
