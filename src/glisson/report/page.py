"""One self-contained HTML page for a results folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glisson.pages import write_page
from glisson.report.cohort import cohort_table, view_cohort
from glisson.report.inputs import ReportRun, ReportSlide
from glisson.report.slide_section import most_rows, view_slide

_MOST_OPEN = 6
"""Slides of a run up to which all are shown unfolded."""
MOST_SECTIONS = 1000
"""Slides of a run up to which each has a section; of more, those without a result have one."""


def write_report(path: Path, run: ReportRun, slides: Sequence[ReportSlide]) -> None:
    """Write the page; pictures are inside it, so that the one file can be sent on.

    Raises:
        OutputError: the file cannot be written.
    """
    numbers = list(range(1, len(slides) + 1))
    if len(slides) > MOST_SECTIONS:  # a browser has to hold all sections
        failed = [number for number in numbers if slides[number - 1].error is not None]
        numbers = failed[:MOST_SECTIONS]
    most_tracts, cohort = most_rows(slides), view_cohort(slides)
    write_page(
        path,
        "glisson.report",
        "report.html.j2",
        run=run,
        cohort=cohort,
        cohort_table=cohort_table(slides, cohort, set(numbers)),
        slide_count=len(slides),
        synthetic_count=sum(slide.is_synthetic for slide in slides),
        sections={
            number: view_slide(slides[number - 1], len(slides), most_tracts) for number in numbers
        },
        is_unfolded=len(slides) <= _MOST_OPEN,
    )
