"""`glisson gather`: tables and report of a results folder."""

from __future__ import annotations

from typing import Annotated

import typer

from glisson.cli.options import KeepOld
from glisson.cli.summary import print_summary
from glisson.run.gather import gather as gather_slides

SOME_FAILED = 1


def gather(
    out: Annotated[
        str, typer.Argument(help="The folder that glisson segment wrote to, here or on a store.")
    ],
    keep_old: KeepOld = False,
) -> None:
    """Make tables, report and QuPath project of all slides in a results folder.

    Exit code 0: every slide has a result; 1: some failed; 2: slides are missing or differ.
    """
    result = gather_slides(out, keep_old)
    print_summary(result)
    if result.failed:
        raise typer.Exit(SOME_FAILED)
