"""Records as results hold them, without a slide."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from glisson.measurement import SectionSize, judge
from glisson.record import BiopsyRecord


def tract(number: int, probability: float | None = 0.9, **more: Any) -> dict[str, Any]:
    """A tract or candidate, complete where its number is even."""
    return {
        "number": number,
        "fragment_number": 1,
        "area_um2": 20_000.0 + number,
        "perimeter_um": 600.0,
        "equivalent_diameter_um": 160.0,
        "circularity": 0.7,
        "solidity": 0.9,
        "major_axis_um": 200.0,
        "minor_axis_um": 100.0,
        "distance_to_edge_um": 50.0,
        "nearest_tract_um": None,
        "probability": probability,
        "edge_contact_fraction": 0.0 if number % 2 == 0 else 0.2,
        "complete": number % 2 == 0,
        "bridging": False,
        "width_um": 80.0,
        "is_counted": True,
        "centroid_x_l0": 1.0,
        "centroid_y_l0": 2.0,
        **more,
    }


def biopsy(tracts: int = 3, length_mm: float = 12.0, **more: Any) -> dict[str, Any]:
    """The measurements of a biopsy of one section, with 7 % of portal area."""
    return {
        "tissue_area_mm2": 2.5,
        "portal_area_mm2": 0.175,
        "lobule_area_mm2": 2.325,
        "portal_fraction": 0.07,
        "portal_percent": 7.0,
        "portal_percent_uncertainty": None,
        "interface_area_mm2": 0.1,
        "interface_width_um": 25.0,
        "lobule_beyond_interface_area_mm2": 2.225,
        "unreadable_area_mm2": 0.0,
        "fragment_count": 1,
        "length_mm": length_mm,
        "longest_fragment_length_mm": length_mm,
        "mean_width_um": None,
        "minimum_width_um": None,
        "section_count": 1,
        "section_count_given": False,
        "length_per_section_mm": length_mm,
        "tissue_area_per_section_mm2": 2.5,
        "tract_count_per_section": float(tracts),
        "tract_count_complete_per_section": 1.0,
        "tract_count_total": tracts,
        "tract_count_complete": 1,
        "tract_count_partial": tracts - 1,
        "uncounted_area_count": 0,
        "tract_count_reason": None,
        "complete_definition": "Complete: whole.",
        "counted_definition": "Counted: wide enough.",
        **more,
    }


def content(tracts: int = 3, length_mm: float = 12.0, **more: Any) -> dict[str, Any]:
    """The content of a `biopsy.json` of the model."""
    return {
        "format_version": 1,
        "glisson": "For research, not for diagnosis.",
        "source": "model",
        "slide": {
            "name": "core",
            "file": "core.svs",
            "format": "openslide:aperio",
            "width_l0": 10,
            "height_l0": 20,
            "pixel_width_um": 0.5,
            "pixel_height_um": 0.5,
            "pixel_size_source": "file",
            "bounds_l0": None,
        },
        "model": {"name": "m", "version": "1", "runtime": "openvino"},
        "settings": {"min_tract_area_um2": 1500.0, "interface_width_um": 25.0, "sections": None},
        "settings_hash": "0",
        "warnings": [],
        "biopsy": biopsy(tracts, length_mm),
        "tracts": [tract(number + 1) for number in range(tracts)],
        "adequacy": [asdict(each) for each in judge(SectionSize(length_mm, tracts, 1))[:1]],
        **more,
    }


def record(content: dict[str, Any]) -> BiopsyRecord:
    """The record of a content."""
    return BiopsyRecord.model_validate(content)
