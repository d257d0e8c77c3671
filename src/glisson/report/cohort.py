"""All slides of a run: a table, and figures where there are two or more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glisson.measure import SHOWN
from glisson.report.figures import Bars, Scatter, portal_bars, tract_scatter
from glisson.report.inputs import ReportSlide
from glisson.report.numbers import Cell, cell
from glisson.report.quality import warnings

HEADINGS = (
    "tissue, mm²", "length, mm", "portal, %", "tracts", "complete", "partial", "adequacy",
    "warnings",
)  # fmt: skip
_KEYS = (
    ("tissue_area_mm2", ".2f"),
    ("length_mm", ".1f"),
    ("portal_percent", ".1f"),
    ("tract_count_total", ".0f"),
    ("tract_count_complete", ".0f"),
    ("tract_count_partial", ".0f"),
)
_ORDER = {"adequate": 3, "compromised": 2, "inadequate": 1, "not assessable": 0}


@dataclass(frozen=True)
class CohortRow:
    """A slide in the cohort's table; a failed one has no cells."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Cohort:
    """The cohort as the page shows it.

    Attributes:
        rows: one a slide, in the order given.
        standard: title of the standard that the table's verdicts are by; empty without one.
        bars: portal percent, or None for a single slide.
        scatter: tracts against length, or None where lengths are not known.
    """

    rows: tuple[CohortRow, ...]
    standard: str
    bars: Bars | None
    scatter: Scatter | None


def cohort_view(slides: Sequence[ReportSlide]) -> Cohort:
    """What the template asks for."""
    done = [slide for slide in slides if slide.error is None and slide.record]
    return Cohort(
        rows=tuple(CohortRow(slide.name, _cells(slide)) for slide in slides),
        standard=next((str(a.get("title", "")) for s in done if (a := _shown(s.record))), ""),
        bars=_bars(done),
        scatter=_scatter(done),
    )


def _cells(slide: ReportSlide) -> tuple[Cell, ...]:
    if slide.error is not None or not slide.record:
        return ()
    biopsy = slide.record["biopsy"]
    count = len(warnings(slide.record))
    return (
        *(cell(biopsy.get(key), style) for key, style in _KEYS),
        _verdict(slide.record),
        Cell(str(count) if count else "–", str(count)),
    )


def _verdict(record: dict[str, Any]) -> Cell:
    shown = _shown(record)
    if shown is None:
        return Cell("–")
    verdict = str(shown.get("verdict", ""))
    return Cell(verdict, str(_ORDER.get(verdict, 0)))


def _shown(record: dict[str, Any]) -> dict[str, Any] | None:
    """The first standard that summaries show, or else the first there is."""
    found: list[dict[str, Any]] = list(record.get("adequacy") or ())
    chosen = [each for each in found if each.get("standard") == SHOWN[0]]
    return next(iter([*chosen, *found]), None)


def _bars(done: Sequence[ReportSlide]) -> Bars | None:
    values = [
        (slide.name, float(percent))
        for slide in done
        if (percent := slide.record["biopsy"].get("portal_percent")) is not None
    ]
    return portal_bars(values) if len(values) > 1 else None


def _scatter(done: Sequence[ReportSlide]) -> Scatter | None:
    values = [
        (slide.name, float(length), float(tracts))
        for slide in done
        if (length := slide.record["biopsy"].get("length_per_section_mm")) is not None
        and (tracts := slide.record["biopsy"].get("tract_count_per_section")) is not None
    ]
    return tract_scatter(values) if len(values) > 1 else None
