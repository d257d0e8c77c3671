"""Measure outlines: areas, length, width, sections, adequacy; the registry of all numbers."""

from __future__ import annotations

from glisson.measurement.adequacy import SHOWN, STANDARDS, Adequacy, SectionSize, judge
from glisson.measurement.biopsy import measure_biopsy
from glisson.measurement.comparison import Comparison, NumberChange, TractChange, compare
from glisson.measurement.compartments import INTERFACE_WIDTH_UM
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
from glisson.measurement.withheld import withhold_verdicts

__all__ = [
    "DASH",
    "INTERFACE_WIDTH_UM",
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
    "heading_of",
    "judge",
    "list_shown",
    "measure_biopsy",
    "measurements_of",
    "qupath_measurements",
    "withhold_verdicts",
]
