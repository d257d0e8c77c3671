"""The verb `glisson tiles`: annotated slides cut into tiles and masks for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from glisson.classes import CLASSES
from glisson.cli.commands import OUTPUT
from glisson.cli.console import console, output, warn
from glisson.cli.options import Out, Seed
from glisson.cli.study_options import (
    Annotations,
    Classes,
    Force,
    HoldOut,
    SplitBy,
    Study,
    Validation,
)
from glisson.dataset import (
    ANNOTATIONS,
    AnnotationSettings,
    CutSettings,
    SplitSettings,
    SplitUnit,
    TileSettings,
    WrittenTiles,
    cut_tiles,
    parse_meanings,
    summarize_splits,
)

EXAMPLES = """\
glisson tiles study/cases.csv -o tiles --at-mpp 1.25
glisson tiles slides/ -o tiles --at-mpp 1 --at-mpp 2 --hold-out Palermo"""

_FAILED = 1


def tiles(
    study: Study,
    out: Out,
    at_mpp: Annotated[
        list[float] | None,
        typer.Option(
            metavar="UM",
            help="µm per pixel to cut tiles at; may be repeated.",
            show_default="1, 2",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    size: Annotated[
        int, typer.Option(metavar="PX", help="Side of a tile.", rich_help_panel=OUTPUT)
    ] = 256,
    min_tissue: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Least share of a tile that is tissue.",
            rich_help_panel=OUTPUT,
        ),
    ] = 0.1,
    annotations: Annotations = None,
    classes: Classes = None,
    force: Force = False,
    split: SplitBy = SplitUnit.PATIENT,
    hold_out: HoldOut = None,
    validation: Validation = 0.2,
    seed: Seed = 0,
) -> None:
    """Cut annotated slides into tiles with masks, split by patient.

    Each µm/px gets a folder with `Original/`, `Mask/` (black background, red lobule, white
    portal) and `manifest.csv`. The same command resumes a run that was stopped.
    """
    with console.status("opening slides") as status:
        result = cut_tiles(
            study,
            out,
            CutSettings(
                [TileSettings(each, size, min_tissue) for each in at_mpp or (1.0, 2.0)],
                SplitSettings(split, validation, tuple(hold_out or ()), seed),
                AnnotationSettings(
                    annotations or ANNOTATIONS, parse_meanings(classes or ()), force
                ),
            ),
            lambda name, done, total: status.update(f"slide {done} of {total}: {escape(name)}"),
        )
    for folder, written in result.folders.items():
        _show(folder, written)
    for warning in result.warnings:
        warn(warning)
    for name, problem in result.failed.items():
        console.print(f"[red]failed[/] {escape(name)}: {escape(problem)}", soft_wrap=True)
    if result.failed:
        raise typer.Exit(_FAILED)


def _show(folder: Path, written: WrittenTiles) -> None:
    table = Table(title=f"{folder}: {len(written.rows)} tiles", title_justify="left")
    table.add_column("split")
    for name in ("tiles", "slides", "patients", *(f"{c.name} %" for c in CLASSES)):
        table.add_column(name, justify="right")
    for row in summarize_splits(written.rows):
        counts = (row.split, row.tiles, row.slides, row.patients)
        table.add_row(*map(str, counts), *(f"{100 * share:.1f}" for share in row.shares))
    output.print(table)
