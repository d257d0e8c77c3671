"""All slides of a run: a table, and figures where there are two or more."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from glisson.measurement import DASH, SHOWN, Adequacy, BiopsyMeasurements, Tables, list_shown
from glisson.pages import Cell, Table
from glisson.record import BiopsyRecord
from glisson.report.figures import Bars, Scatter, portal_bars, tissue_scatter, tract_scatter
from glisson.report.inputs import ReportSlide
from glisson.report.numbers import make_cell, mean_sd
from glisson.report.quality import list_warnings

ROWS = list_shown(BiopsyMeasurements, Tables.SUMMARY)
HEADINGS = (*(row.heading for row in ROWS), "candidates", "adequacy", "warnings")
_CORRECTED = Markup(' <span class="note">corrected, see below</span>')
_ORDER = {"adequate": 3, "compromised": 2, "inadequate": 1, "not assessable": 0}


@dataclass(frozen=True)
class Cohort:
    """The cohort as the page shows it.

    Attributes:
        standard: title of the standard that the table's verdicts are by; empty without one.
        measured: slides with tissue that is plausibly H&E of liver, which means and figures are of.
        means: mean ± SD of the table's first columns; empty for a single slide.
        bars: portal percent, or None for a single slide.
        scatters: against length.
    """

    standard: str
    measured: int
    means: tuple[str, ...]
    bars: Bars | None
    scatters: tuple[Scatter, ...]


def view_cohort(slides: Sequence[ReportSlide]) -> Cohort:
    """Prepare all slides for the template."""
    done = [(slide.name, slide.result) for slide in slides if slide.result is not None]
    measured = [
        (name, record.biopsy)
        for name, record in done
        if record.biopsy.tissue_area_mm2 and not record.implausible_warning
    ]
    standards = (_pick_standard(record) for _, record in done)
    portal = [
        (name, biopsy.portal_percent)
        for name, biopsy in measured
        if biopsy.portal_percent is not None
    ]
    tracts = [
        (name, biopsy.length_per_section_mm, biopsy.tract_count_per_section)
        for name, biopsy in measured
        if biopsy.tract_count_per_section is not None
    ]
    tissue = [(name, biopsy.length_mm, biopsy.tissue_area_mm2) for name, biopsy in measured]
    scatters = ((tract_scatter, tracts), (tissue_scatter, tissue))
    return Cohort(
        standard=next((each.title for each in standards if each is not None), ""),
        measured=len(measured),
        means=_means([biopsy for _, biopsy in measured]),
        bars=portal_bars(portal) if len(portal) > 1 else None,
        scatters=tuple(draw(values) for draw, values in scatters if len(values) > 1),
    )


def cohort_table(slides: Sequence[ReportSlide], cohort: Cohort, linked: Container[int]) -> Table:
    """Make the table of slides.

    Args:
        slides: of the page.
        cohort: as `view_cohort` returns it.
        linked: numbers, from 1, of the slides whose name leads to their section.
    """
    footer: tuple[str | Cell, ...] = ()
    if cohort.means:
        rest = len(HEADINGS) - len(cohort.means)
        name = f"mean ± SD, n = {cohort.measured}"
        footer = (name, *cohort.means, Cell("", columns=rest))
    note = f"Adequacy by {cohort.standard}; other standards below each slide."
    rows = (
        (_name(slide, number if number in linked else None), *_cells(slide.result))
        for number, slide in enumerate(slides, start=1)
    )
    return Table(
        "slides",
        "All slides",
        ("slide", *HEADINGS),
        tuple(rows),
        note if cohort.standard else "",
        css="sortable",
        footer=footer,
    )


def _name(slide: ReportSlide, section: int | None) -> Cell:
    name = Markup.escape(slide.name)
    if section is not None:
        name = Markup('<a href="#s{}">{}</a>').format(section, name)
    return Cell(name + _CORRECTED if slide.edited is not None else name)


def _cells(record: BiopsyRecord | None) -> tuple[Cell, ...]:
    if record is None:
        return (Cell("failed", "", "bad text", len(HEADINGS)),)
    count = len(list_warnings(record))
    candidates = "" if record.candidates is None else str(record.candidates.count)
    return (
        *(make_cell(row, record.biopsy) for row in ROWS),
        Cell(candidates or DASH, candidates),
        _verdict(record),
        Cell(str(count) if count else DASH, str(count)),
    )


def _verdict(record: BiopsyRecord) -> Cell:
    if record.plausibility is not None and record.implausible_warning:
        return Cell(f"withheld: {record.plausibility.verdict}", "0")
    shown = _pick_standard(record)
    if shown is None:
        return Cell(DASH, "")
    order = _ORDER[shown.verdict]
    return Cell(shown.verdict, str(order), shown.verdict if order else "")


def _pick_standard(record: BiopsyRecord) -> Adequacy | None:
    """Return the verdict of the first standard that summaries show, or else the first."""
    chosen = [each for each in record.adequacy if each.standard == SHOWN[0]]
    return next(iter([*chosen, *record.adequacy]), None)


def _means(measured: Sequence[BiopsyMeasurements]) -> tuple[str, ...]:
    """Format the mean of each column; where slides lack the number, with how many have it."""
    if len(measured) < 2:
        return ()
    found = []
    for row in ROWS:
        values = [value for each in measured if (value := row.value_of(each)) is not None]
        of = f" (n = {len(values)})" if 2 <= len(values) < len(measured) else ""
        found.append(mean_sd(values, row.mean_style) + of)
    return tuple(found)
