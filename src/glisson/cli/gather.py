"""`glisson gather`: the shards of a run joined."""

from __future__ import annotations

from typing import Annotated

import typer

from glisson.cli.summary import print_summary
from glisson.run.gather import gather as gather_shards

SOME_FAILED = 1


def gather(
    out: Annotated[
        str, typer.Argument(help="The folder that all shards wrote to, here or on a store.")
    ],
) -> None:
    """Join the shards of a run: the tables, report and QuPath project of all its slides.

    Exit code 0: every slide has a result; 1: some failed; 2: a shard is missing.
    """
    result = gather_shards(out)
    print_summary(result)
    if result.failed:
        raise typer.Exit(SOME_FAILED)
