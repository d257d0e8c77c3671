"""`glisson measure`: outlines corrected in QuPath in, all numbers again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from glisson.cli.commands import INPUT, MEASURING
from glisson.cli.console import console, output
from glisson.cli.options import Sections
from glisson.cli.summary import adequacy_line, number
from glisson.results import RESEARCH_USE
from glisson.run.remeasure import EditedRun, EditedSlide
from glisson.run.remeasure import measure as measure_slides

EXAMPLES = """\
glisson measure results
glisson measure results --from corrected/biopsy.geojson --sections 2"""
SOME_FAILED = 1

_ROWS = (
    ("length, mm", "length_mm", ".2f"),
    ("tissue, mm²", "tissue_area_mm2", ".3f"),
    ("portal, mm²", "portal_area_mm2", ".4f"),
    ("portal, %", "portal_percent", ".2f"),
    ("interface, mm²", "interface_area_mm2", ".4f"),
    ("tracts", "tract_count_total", "d"),
    ("  complete", "tract_count_complete", "d"),
    ("  partial", "tract_count_partial", "d"),
    ("portal areas not counted", "uncounted_area_count", "d"),
    ("sections", "section_count", "d"),
)


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
    run = measure_slides(results, edited, interface_width, sections)
    for slide in run.slides:
        _print(slide)
    _print_what_to_open(run)
    if run.failed:
        raise typer.Exit(SOME_FAILED)


def _print(slide: EditedSlide) -> None:
    if slide.error is not None:
        console.print(f"[red]{escape(slide.name)}:[/] {escape(slide.error)}", highlight=False)
        return
    title = f"{slide.name}: model, and corrected in {slide.file.name}"
    output.print(title, markup=False, highlight=False, soft_wrap=True)
    output.print(_table(slide))
    output.print(_tract_line(slide.record["comparison"]), highlight=False)
    output.print(f"Adequacy: {adequacy_line(slide.record)}\n", highlight=False)
    for note in _notes(slide.record):
        console.print(f"[yellow]{escape(slide.name)}:[/] {escape(note)}", highlight=False)


def _table(slide: EditedSlide) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for heading in ("model", "edited", "change"):
        table.add_column(heading, justify="right")
    for label, key, style in _ROWS:
        table.add_row(label, *_cells(slide.record["comparison"]["biopsy"][key], style))
    return table


def _cells(change: dict[str, float | None], style: str) -> list[str]:
    before, after, difference = change["before"], change["after"], change["change"]
    changed = "" if difference is None else format(difference, f"+{style}")
    # What rounds to nothing is nothing that a reader would call a change.
    return [number(before, style), number(after, style), changed if changed.strip("+-0.") else ""]


def _tract_line(comparison: dict[str, Any]) -> str:
    kinds = ("added", "removed", "changed", "unchanged")
    return "Tracts: " + ", ".join(f"{comparison[f'tracts_{kind}']} {kind}" for kind in kinds)


def _notes(record: dict[str, Any]) -> list[str]:
    reason = record["biopsy"]["tract_count_reason"]
    return [*record["warnings"], *([reason] if reason else [])]


def _print_what_to_open(run: EditedRun) -> None:
    output.print(f"Results: {run.out}", highlight=False, soft_wrap=True)
    for slide in run.slides:
        if slide.folder is not None:
            output.print(f"  {escape(slide.folder.name)}/", highlight=False, soft_wrap=True)
    output.print("  biopsies_edited.csv, tracts_edited.csv", highlight=False)
    if run.report is not None:
        output.print(f"  {run.report.name}, with the corrected numbers", highlight=False)
    output.print(RESEARCH_USE, style="dim")
