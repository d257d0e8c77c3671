"""The verb `glisson measure`: outlines corrected in QuPath in, all numbers again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from glisson.cli.commands import INPUT, MEASURING
from glisson.cli.console import console, output
from glisson.cli.options import Sections
from glisson.cli.summary import adequacy_line, print_warnings
from glisson.measurement import (
    DASH,
    BiopsyMeasurements,
    NumberChange,
    Tables,
    list_shown,
)
from glisson.results import RESEARCH_USE
from glisson.run.remeasure import EditedSlide
from glisson.run.remeasure import measure as measure_slides

EXAMPLES = """\
glisson measure results
glisson measure results --from corrected/biopsy.geojson --sections 2"""
SOME_FAILED = 1


def measure(
    results: Annotated[
        Path,
        typer.Argument(
            help="Folder that `glisson segment` wrote, or one slide's folder in it.",
            metavar="RESULTS",
            show_default=False,
        ),
    ],
    edited: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Corrected GeoJSON, or a folder of such files.",
            show_default="RESULTS/qupath/edited",
            rich_help_panel=INPUT,
        ),
    ] = None,
    sections: Sections = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Measure outlines although they lie beside the tissue.",
            rich_help_panel=INPUT,
        ),
    ] = False,
    interface_width: Annotated[
        float | None,
        typer.Option(
            metavar="UM",
            help="Width in µm of the band of lobule around tracts.",
            show_default="the run's",
            rich_help_panel=MEASURING,
        ),
    ] = None,
) -> None:
    """Measure again from outlines that were corrected in QuPath; no slide is needed.

    The model's own results stay. The corrected ones go to `<slide>.edited/` beside them, and into
    the run's report.

    Exit code 0: all went well; 1: some of several files failed; 2: wrong input.
    """
    run = measure_slides(results, edited, interface_width, sections, force)
    for slide in run.slides:
        _print(slide)
    output.print(f"Results: {run.out}", highlight=False, soft_wrap=True)
    for slide in run.slides:
        if slide.folder is not None:
            output.print(f"  {escape(slide.folder.name)}/", highlight=False, soft_wrap=True)
    output.print("  biopsies_edited.csv, tracts_edited.csv", highlight=False)
    if run.report is not None:
        output.print(f"  {run.report.name}, with the corrected numbers", highlight=False)
    output.print(RESEARCH_USE, style="dim")
    if run.failed:
        raise typer.Exit(SOME_FAILED)


def _print(slide: EditedSlide) -> None:
    record = slide.record
    if record is None or record.comparison is None:
        console.print(f"[red]{escape(slide.name)}:[/] {escape(slide.error or '')}", highlight=False)
        return
    title = f"{slide.name}: model, and corrected in {slide.file.name}"
    output.print(title, markup=False, highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for heading in ("model", "edited", "change"):
        table.add_column(heading, justify="right")
    for row in list_shown(BiopsyMeasurements, Tables.COMPARISON):
        table.add_row(row.heading, *_cells(record.comparison.biopsy[row.key], row.fine_style))
    output.print(table)
    output.print(f"Tracts: {record.comparison.in_words}", highlight=False)
    output.print(f"Adequacy: {adequacy_line(record)}\n", highlight=False)
    print_warnings(slide.name, record)


def _cells(change: NumberChange, style: str) -> list[str]:
    values = (change.before, change.after)
    before, after = (DASH if value is None else format(value, style) for value in values)
    difference = "" if change.change is None else format(change.change, f"+{style}")
    # A change that rounds to zero is none to a reader.
    return [before, after, difference if difference.strip("+-0.") else ""]
