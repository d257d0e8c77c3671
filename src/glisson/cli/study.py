"""`glisson study`: many biopsies against observers and stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table as RichTable

from glisson.cli.console import console, output, warn
from glisson.cli.options import Out
from glisson.clinical import SCALES, StudySettings
from glisson.clinical import study as make_study
from glisson.errors import SettingsError

if TYPE_CHECKING:
    from glisson.evaluation import Table


def study(
    cases: Annotated[
        Path,
        typer.Argument(help="cases.csv, one row a slide, or its folder.", show_default=False),
    ],
    out: Out,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            help="Folder of `glisson segment`, or one of its tables of biopsies.",
            show_default="the model's columns of cases.csv",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            help="Name of a column in your table: report_tract_count=MyColumn.",
            show_default=False,
        ),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(
            help="Rows to take, by their role.", show_default="clinical where a row is, else all"
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(help=f"Scale of the stages: {', '.join(SCALES)}.")
    ] = "ludwig",
    resamples: Annotated[int, typer.Option(help="Draws of the bootstrap over patients.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
) -> None:
    """Compare tract counts, lengths and portal area with readers, a ruler and stages.

    Agreement with intervals over patients, Bland and Altman's limits, trend over stages, the
    paper's figures, and a paragraph on methods that says what was done.
    """  # fmt: skip
    settings = StudySettings(scale, _columns(column or ()), role, resamples, seed)
    with console.status("drawing patients again and again"):
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
    for number, name in enumerate(table.header):
        drawn.add_column(escape(name), justify="right" if number else "left")
    for row in table.rows:
        drawn.add_row(*map(escape, row))
    return drawn
