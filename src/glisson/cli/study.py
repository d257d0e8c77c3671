"""The verb `glisson study`: many biopsies against observers and stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from glisson.cli.commands import ANALYSIS, INPUT
from glisson.cli.console import console, output, warn
from glisson.cli.options import Out, Seed
from glisson.cli.tables import draw_table
from glisson.clinical import SCALES, StudySettings
from glisson.clinical import study as make_study
from glisson.errors import SettingsError

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
    settings = StudySettings(scale, _parse_columns(column or ()), role, resamples, seed)
    with console.status("resampling patients"):
        result = make_study(cases, out, results, settings)
    for note in result.notes:
        warn(note)
    key = result.key
    title = f"{key.title} (synthetic)" if result.study.cases.synthetic else key.title
    output.print(draw_table(key, title))
    for reason, titles in result.refusals.items():
        warn(f"Refused: {'; '.join(titles)}. {reason}")
    output.print(f"all tables and figures: {result.page}", highlight=False, soft_wrap=True)


def _parse_columns(texts: Sequence[str]) -> dict[str, str]:
    columns = {}
    for text in texts:
        ours, _, theirs = (part.strip() for part in text.partition("="))
        if not (ours and theirs):
            raise SettingsError(f"--column {text}: write OURS=YOURS, as report_tract_count=Count.")
        columns[ours] = theirs
    return columns
