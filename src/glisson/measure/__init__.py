"""Geometry in, frozen dataclasses out."""

from __future__ import annotations

from glisson.measure.biopsy import (
    BiopsyMeasurements,
    FragmentMeasurements,
    Measurements,
    TractMeasurements,
    measure_biopsy,
)

__all__ = [
    "BiopsyMeasurements",
    "FragmentMeasurements",
    "Measurements",
    "TractMeasurements",
    "measure_biopsy",
]
