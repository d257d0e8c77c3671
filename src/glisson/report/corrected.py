"""What a correction by hand changed, beside the model's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glisson.report.numbers import number
from glisson.report.quality import warnings

Record = Mapping[str, Any]

_ROWS = (
    ("portal tracts", "tract_count_total", ".0f"),
    ("complete", "tract_count_complete", ".0f"),
    ("partial", "tract_count_partial", ".0f"),
    ("portal areas, not counted", "uncounted_area_count", ".0f"),
    ("portal, % of tissue", "portal_percent", ".1f"),
    ("portal, mm²", "portal_area_mm2", ".3f"),
    ("tissue, mm²", "tissue_area_mm2", ".2f"),
    ("length, mm", "length_mm", ".1f"),
    ("interface, mm²", "interface_area_mm2", ".3f"),
)


@dataclass(frozen=True)
class CorrectedRow:
    """A number of the biopsy as text: what it is, the model's, and that of corrected outlines."""

    what: str
    model: str
    corrected: str


@dataclass(frozen=True)
class Corrected:
    """A correction as the page shows it.

    Attributes:
        rows: numbers that were compared.
        tracts: in words, how many tracts were added, removed and changed.
        adequacy: (standard, verdict) on the corrected outlines.
        warnings: sentences on the corrected outlines.
    """

    rows: tuple[CorrectedRow, ...]
    tracts: str
    adequacy: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def corrected_view(record: Record) -> Corrected:
    """What the template asks for, of a record with a comparison."""
    comparison = record["comparison"]
    kinds = ("added", "removed", "changed", "unchanged")
    return Corrected(
        rows=tuple(_rows(comparison["biopsy"])),
        tracts=", ".join(f"{comparison[f'tracts_{kind}']} {kind}" for kind in kinds),
        adequacy=tuple((each["title"], each["verdict"]) for each in record.get("adequacy") or ()),
        warnings=tuple(warnings(record)),
    )


def _rows(changes: Record) -> list[CorrectedRow]:
    return [
        CorrectedRow(
            what, number(changes[key]["before"], style), number(changes[key]["after"], style)
        )
        for what, key, style in _ROWS
        if key in changes
    ]
