"""The verb `glisson gather`: tables and report of a results folder."""

from __future__ import annotations

from typing import Annotated

import typer

from glisson.cli.options import KeepOld
from glisson.cli.summary import print_summary
from glisson.run.gather import gather as gather_slides

EXAMPLES = """\
glisson gather results
glisson gather s3://bucket/results --keep-old"""
SOME_FAILED = 1


def gather(
    results: Annotated[
        str,
        typer.Argument(
            help="Folder that `glisson segment` wrote to, here or on a store (s3://...).",
            metavar="RESULTS",
            show_default=False,
        ),
    ],
    keep_old: KeepOld = False,
) -> None:
    """Make tables, report and QuPath project of all slides in a results folder.

    Exit code 0: every slide has a result; 1: some failed; 2: slides are missing or differ.
    """
    result = gather_slides(results, keep_old)
    print_summary(result)
    if result.failed:
        raise typer.Exit(SOME_FAILED)
