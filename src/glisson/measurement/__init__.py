"""Measure outlines: areas, length, width, sections, adequacy; the registry of all numbers."""

from __future__ import annotations

from glisson.measurement.adequacy import SHOWN, STANDARDS, Adequacy, SectionSize, judge
from glisson.measurement.biopsy import measure_biopsy
from glisson.measurement.comparison import Comparison, NumberChange, TractChange, compare
from glisson.measurement.compartments import INTERFACE_WIDTH_UM
from glisson.measurement.doubts import list_doubts
from glisson.measurement.length import CorePath, core_paths
from glisson.measurement.measurements import (
    BiopsyMeasurements,
    CandidateMeasurements,
    FragmentMeasurements,
    Measurements,
    TractMeasurements,
)
from glisson.measurement.registry import (
    DASH,
    Measurement,
    Tables,
    heading_of,
    list_shown,
    measurements_of,
    qupath_measurements,
)
from glisson.measurement.sides import MOST_CUT, find_cut_share, warn_of_part
from glisson.measurement.withheld import NO_TISSUE, mark_as_part, withhold_verdicts

__all__ = [
    "DASH",
    "INTERFACE_WIDTH_UM",
    "MOST_CUT",
    "NO_TISSUE",
    "SHOWN",
    "STANDARDS",
    "Adequacy",
    "BiopsyMeasurements",
    "CandidateMeasurements",
    "Comparison",
    "CorePath",
    "FragmentMeasurements",
    "Measurement",
    "Measurements",
    "NumberChange",
    "SectionSize",
    "Tables",
    "TractChange",
    "TractMeasurements",
    "compare",
    "core_paths",
    "find_cut_share",
    "heading_of",
    "judge",
    "list_doubts",
    "list_shown",
    "mark_as_part",
    "measure_biopsy",
    "measurements_of",
    "qupath_measurements",
    "warn_of_part",
    "withhold_verdicts",
]
