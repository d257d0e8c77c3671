"""`glisson study`: many biopsies against observers and stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table as RichTable

from glisson.cli.commands import ANALYSIS, INPUT
from glisson.cli.console import console, output, warn
from glisson.cli.options import Out, Seed
from glisson.clinical import SCALES, StudySettings
from glisson.clinical import study as make_study
from glisson.errors import SettingsError

if TYPE_CHECKING:
    from glisson.pages import Table


EXAMPLES = """\
glisson study cases.csv --results results -o study
glisson study cases.csv -o study --column report_tract_count=Count"""


def study(
    cases: Annotated[
        Path,
        typer.Argument(
            help="cases.csv with one row for each slide, or its folder.",
            metavar="CASES",
            show_default=False,
        ),
    ],
    out: Out,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            metavar="PATH",
            help="Folder that `glisson segment` wrote, or one of its tables of biopsies.",
            show_default="the model's columns of CASES",
            rich_help_panel=INPUT,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="OURS=YOURS",
            help="Name of a column in your table, such as report_tract_count=MyColumn; may be "
            "repeated.",
            show_default=False,
            rich_help_panel=INPUT,
        ),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(
            metavar="ROLE",
            help="Role of the rows to analyse.",
            show_default="clinical where a row has it, else all",
            rich_help_panel=INPUT,
        ),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(
            metavar="SCALE",
            help=f"Scale of the stages: {', '.join(SCALES)}.",
            rich_help_panel=ANALYSIS,
        ),
    ] = "ludwig",
    resamples: Annotated[
        int,
        typer.Option(
            metavar="N", help="Resamples of the bootstrap over patients.", rich_help_panel=ANALYSIS
        ),
    ] = 2000,
    seed: Seed = 0,
) -> None:
    """Compare tract counts, lengths and portal area with readers, a ruler and stages.

    Agreement with intervals over patients, Bland and Altman's limits, trend over stages, the
    paper's figures, and a paragraph on methods that says what was done.
    """
    settings = StudySettings(scale, _columns(column or ()), role, resamples, seed)
    with console.status("resampling patients"):
        result = make_study(cases, out, results, settings)
    for note in result.notes:
        warn(note)
    output.print(_drawn(result.key, result.study.cases.synthetic))
    for reason, titles in result.refusals.items():
        warn(f"Refused: {'; '.join(titles)}. {reason}")
    output.print(f"all tables and figures: {result.page}", highlight=False, soft_wrap=True)


def _columns(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if wrong := [text for text, (ours, _, theirs) in zip(given, pairs, strict=True)
                 if not (ours and theirs)]:  # fmt: skip
        raise SettingsError(f"--column {wrong[0]}: write OURS=YOURS, as report_tract_count=Count.")
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


def _drawn(table: Table, synthetic: bool) -> RichTable:
    title = f"{table.title} (synthetic)" if synthetic else table.title
    drawn = RichTable(
        title=title, title_justify="left", caption=table.note, caption_justify="left", box=None
    )
    for number, name in enumerate(table.text_header):
        drawn.add_column(escape(name), justify="right" if number else "left")
    for row in table.text_rows:
        drawn.add_row(*map(escape, row))
    return drawn
