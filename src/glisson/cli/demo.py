"""The verb `glisson demo`: a synthetic biopsy, segmented, beside its truth."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from glisson.cli.commands import OUTPUT
from glisson.cli.console import console, output
from glisson.cli.progress import RunTable
from glisson.measurement import BiopsyMeasurements, Tables, list_shown
from glisson.results import OVERVIEW, RESEARCH_USE
from glisson.run.segment import segment
from glisson.run.settings import RunSettings
from glisson_phantom import PhantomSettings, make_phantom

EXAMPLES = "glisson demo -o demo-out"

_DEMO = PhantomSettings(seed=12, length_mm=12.0, stage=1, mpp=0.5)


def demo(
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help="Folder to write to.", rich_help_panel=OUTPUT
        ),
    ] = Path("demo-out"),
) -> None:
    """Draw a synthetic biopsy, segment it with the shipped model, show truth and result."""
    slide = out / "phantom.svs"
    with console.status("drawing a synthetic biopsy"):
        out.mkdir(parents=True, exist_ok=True)
        truth = make_phantom(slide, _DEMO, "aperio", workers=os.cpu_count() or 1)
    with RunTable() as shown:
        result = segment(slide, out, settings=RunSettings(overwrite=True), observer=shown)
    table = Table(title="SYNTHETIC biopsy: truth and result", box=None, title_justify="left")
    table.add_column("")
    table.add_column("truth", justify="right")
    table.add_column("glisson", justify="right")
    known, found = truth.measurements.biopsy, result.slides[0].biopsy
    for row in list_shown(BiopsyMeasurements, Tables.COMPARISON):
        table.add_row(row.heading, row.text(row.value_of(known)), row.text(row.value_of(found)))
    output.print(table)
    output.print(f"\nOpen {out / slide.stem / OVERVIEW}", highlight=False, soft_wrap=True)
    output.print(f"or   {out / 'report.html'}", highlight=False, soft_wrap=True)
    output.print(RESEARCH_USE, style="dim")
