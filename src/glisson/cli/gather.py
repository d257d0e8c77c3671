"""`glisson gather`: the shards of a run joined."""

from __future__ import annotations

from typing import Annotated

import typer

from glisson.cli.summary import print_summary
from glisson.run.gather import gather as gather_shards

EXAMPLES = "glisson gather results"
SOME_FAILED = 1


def gather(
    results: Annotated[
        str,
        typer.Argument(
            help="Folder that all shards wrote to, here or on a store (s3://...).",
            metavar="RESULTS",
            show_default=False,
        ),
    ],
) -> None:
    """Join the shards of a run: the tables, report and QuPath project of all its slides.

    Exit code 0: every slide has a result; 1: some failed; 2: a shard is missing.
    """
    result = gather_shards(results)
    print_summary(result)
    if result.failed:
        raise typer.Exit(SOME_FAILED)
