"""A study's numbers and cases as rows of long tables, not rounded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from glisson.clinical.analyses import COUNTS, Study
from glisson.clinical.association import DunnPair
from glisson.clinical.estimates import Estimate

ESTIMATE_COLUMNS = (
    "analysis",
    "statistic",
    "value",
    "unit",
    "low_95",
    "high_95",
    "interval",
    "slides",
    "patients",
    "synthetic",
)
CASE_COLUMNS = (
    "slide",
    "patient",
    "diagnosis",
    "stage",
    *COUNTS,
    "tissue_area_mm2",
    "model_length_mm",
    "manual_length_mm",
    "portal_percent",
    "uncounted",
    "synthetic",
    "analyses",
)
_IN_UNIT_OF_OWNER = {"mean_absolute_error", "bias", "sd", "lower_limit", "upper_limit"}
_IN_TRACTS = {"lowest_category", "highest_category", "least_tracts"}


def list_estimate_rows(study: Study) -> Iterator[dict[str, Any]]:
    """Yield a row for every number of every analysis."""
    for name, each in study.analyses.items():
        shared = {
            "slides": each.entered.slides,
            "patients": each.entered.patients,
            "synthetic": study.cases.synthetic,
        }
        for statistic, value, unit in walk_numbers(each.result):
            row: dict[str, Any] = {"analysis": name, "statistic": statistic, "unit": unit} | shared
            if isinstance(value, Estimate):
                numbers = {"value": value.value, "low_95": value.low, "high_95": value.high}
                row |= {key: each for key, each in numbers.items() if math.isfinite(each)}
                row["interval"] = value.interval
            else:
                row["value"] = value
            yield row


def walk_numbers(result: Any, name: str = "", unit: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yield every estimate and plain number in a result, with its path and unit."""
    if isinstance(result, Estimate | int | float):
        yield name, result, unit
    elif isinstance(result, tuple):
        for place, each in enumerate(result, 1):
            own = getattr(each, "weights", getattr(each, "least_tracts", place))
            if isinstance(each, DunnPair):
                own = f"stages {each.first} and {each.second}"
            yield from walk_numbers(each, f"{name}[{own}]", unit)
    elif is_dataclass(result):
        for field in fields(result):
            path = f"{name}.{field.name}".lstrip(".")
            yield from walk_numbers(
                getattr(result, field.name), path, _find_unit(result, field.name)
            )


def _find_unit(owner: Any, name: str) -> str:
    if name in _IN_UNIT_OF_OWNER:
        return getattr(owner, "unit", "")
    if name in _IN_TRACTS:
        return "tracts"
    return "%" if name.endswith("_percent") else ""


def list_case_rows(study: Study) -> Iterator[dict[str, Any]]:
    """Yield a row for every joined case, with the analyses that it entered."""
    slides = {
        name: {case.slide for case in each.entered.cases}
        for name, each in study.analyses.items()
        if each.result is not None
    }
    for case in study.cases.cases:
        # NaN alone differs from itself.
        values = {name: getattr(case, name) for name in CASE_COLUMNS[:-2]}
        row = {name: "" if value != value else value for name, value in values.items()}
        entered = " ".join(n for n, each in slides.items() if case.slide in each)
        yield row | {"synthetic": study.cases.synthetic, "analyses": entered}
