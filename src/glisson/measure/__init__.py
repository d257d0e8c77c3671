"""Geometry in, frozen dataclasses out."""

from __future__ import annotations

from glisson.measure.adequacy import SHOWN, STANDARDS, Adequacy, SectionSize, judge
from glisson.measure.biopsy import measure_biopsy
from glisson.measure.comparison import Comparison, NumberChange, TractChange, compare
from glisson.measure.compartments import INTERFACE_WIDTH_UM
from glisson.measure.length import CorePath, core_paths
from glisson.measure.measurements import (
    BiopsyMeasurements,
    CandidateMeasurements,
    FragmentMeasurements,
    Measurements,
    TractMeasurements,
)
from glisson.measure.withheld import withhold_verdicts

__all__ = [
    "INTERFACE_WIDTH_UM",
    "SHOWN",
    "STANDARDS",
    "Adequacy",
    "BiopsyMeasurements",
    "CandidateMeasurements",
    "Comparison",
    "CorePath",
    "FragmentMeasurements",
    "Measurements",
    "NumberChange",
    "SectionSize",
    "TractChange",
    "TractMeasurements",
    "compare",
    "core_paths",
    "judge",
    "measure_biopsy",
    "withhold_verdicts",
]
