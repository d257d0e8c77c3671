"""All slides of a run: a table, and figures where there are two or more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glisson.measurement import SHOWN
from glisson.report.figures import Bars, Scatter, portal_bars, tissue_scatter, tract_scatter
from glisson.report.inputs import ReportSlide, implausible_warning
from glisson.report.numbers import Cell, cell, mean_sd
from glisson.report.quality import warnings

HEADINGS = (
    "tissue, mm²", "length, mm", "portal, %", "tracts", "complete", "partial", "candidates",
    "adequacy", "warnings",
)  # fmt: skip
_KEYS = (
    ("tissue_area_mm2", ".2f"),
    ("length_mm", ".1f"),
    ("portal_percent", ".1f"),
    ("tract_count_total", ".0f"),
    ("tract_count_complete", ".0f"),
    ("tract_count_partial", ".0f"),
)
_MEAN_STYLES = (".2f", ".1f", ".1f", ".1f", ".1f", ".1f")
"""As of the keys above; a mean of counts has a decimal."""
_ORDER = {"adequate": 3, "compromised": 2, "inadequate": 1, "not assessable": 0}


@dataclass(frozen=True)
class CohortRow:
    """A slide in the cohort's table; a failed one has no cells."""

    name: str
    cells: tuple[Cell, ...]
    corrected: bool


@dataclass(frozen=True)
class Cohort:
    """The cohort as the page shows it.

    Attributes:
        rows: one a slide, in the order given.
        standard: title of the standard that the table's verdicts are by; empty without one.
        measured: slides with tissue that is plausibly H&E of liver, which means and figures are of.
        means: mean ± SD of each number, as the table's first columns; empty for a single slide.
        bars: portal percent, or None for a single slide.
        scatters: against length; none where lengths are not known.
    """

    rows: tuple[CohortRow, ...]
    standard: str
    measured: int
    means: tuple[str, ...]
    bars: Bars | None
    scatters: tuple[Scatter, ...]


def cohort_view(slides: Sequence[ReportSlide]) -> Cohort:
    """What the template asks for."""
    done = [slide for slide in slides if slide.error is None and slide.record]
    measured = [slide for slide in done if _is_in_means(slide.record)]
    return Cohort(
        rows=tuple(CohortRow(s.name, _cells(s), s.edited is not None) for s in slides),
        standard=next((str(a.get("title", "")) for s in done if (a := _shown(s.record))), ""),
        measured=len(measured),
        means=_means(measured),
        bars=_bars(measured),
        scatters=_scatters(measured),
    )


def _is_in_means(record: dict[str, Any]) -> bool:
    return bool(record["biopsy"].get("tissue_area_mm2")) and not implausible_warning(record)


def _cells(slide: ReportSlide) -> tuple[Cell, ...]:
    if slide.error is not None or not slide.record:
        return ()
    biopsy = slide.record["biopsy"]
    count = len(warnings(slide.record))
    return (
        *(cell(biopsy.get(key), style) for key, style in _KEYS),
        cell(slide.record.get("candidates", {}).get("count")),
        _verdict(slide.record),
        Cell(str(count) if count else "–", str(count)),
    )


def _verdict(record: dict[str, Any]) -> Cell:
    if implausible_warning(record):
        return Cell(f"withheld: {record['plausibility']['verdict']}", "0")
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


def _means(measured: Sequence[ReportSlide]) -> tuple[str, ...]:
    """A column in which slides lack the number says of how many its mean is."""
    if len(measured) < 2:
        return ()
    found = []
    for (key, _), style in zip(_KEYS, _MEAN_STYLES, strict=True):
        values = [value for slide in measured if (value := _number(slide, key)) is not None]
        of = f" (n = {len(values)})" if 2 <= len(values) < len(measured) else ""
        found.append(mean_sd(values, style) + of)
    return tuple(found)


def _number(slide: ReportSlide, key: str) -> float | None:
    value = slide.record["biopsy"].get(key)
    return None if value is None else float(value)


def _bars(measured: Sequence[ReportSlide]) -> Bars | None:
    values = [
        (slide.name, percent)
        for slide in measured
        if (percent := _number(slide, "portal_percent")) is not None
    ]
    return portal_bars(values) if len(values) > 1 else None


def _scatters(measured: Sequence[ReportSlide]) -> tuple[Scatter, ...]:
    drawn = (
        (tract_scatter, _pairs(measured, "length_per_section_mm", "tract_count_per_section")),
        (tissue_scatter, _pairs(measured, "length_mm", "tissue_area_mm2")),
    )
    return tuple(draw(values) for draw, values in drawn if len(values) > 1)


def _pairs(
    measured: Sequence[ReportSlide], x_key: str, y_key: str
) -> list[tuple[str, float, float]]:
    """(name, x, y) of the slides that have both."""
    return [
        (slide.name, x, y)
        for slide in measured
        if (x := _number(slide, x_key)) is not None and (y := _number(slide, y_key)) is not None
    ]
