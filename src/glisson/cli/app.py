"""The program `glisson`: its verbs, and how errors become messages and exit codes."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
from typing import Annotated

import typer
from rich.markup import escape

from glisson import __version__
from glisson.cli import (
    demo,
    doctor,
    evaluate,
    export,
    gather,
    measure,
    models,
    phantom,
    reproduce,
    segment,
    study,
    tiles,
    train,
)
from glisson.cli.console import console
from glisson.errors import ClusterError, GlissonError

INPUT_ERROR = 2
CLUSTER_LOST = 3
INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Portal tracts of H&E liver biopsies: found, outlined, counted and measured.\n\n"
    "For research, not for diagnosis.",
)
app.command("segment")(segment.segment)
app.command("gather")(gather.gather)
app.command("measure")(measure.measure)
app.command("demo")(demo.demo)
app.command("tiles")(tiles.tiles)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("study")(study.study)
app.command("export")(export.export)
app.command("reproduce")(reproduce.reproduce)
app.command("doctor")(doctor.doctor)
app.add_typer(phantom.app, name="phantom")
app.add_typer(models.app, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"glisson {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done.")] = False,
) -> None:
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR, format="%(levelname)s %(message)s"
    )


def main() -> None:
    """Run the command line; Glisson's own errors become one message and exit code 2 or 3."""
    try:
        app()
    except GlissonError as error:
        console.print("[bold red]Error:[/]", escape(str(error)), highlight=False, soft_wrap=True)
        _leave(CLUSTER_LOST if isinstance(error, ClusterError) else INPUT_ERROR)
    except KeyboardInterrupt:
        console.print("Stopped. Finished slides are kept; run the same command to go on.")
        _leave(INTERRUPTED)
    except SystemExit as done:
        if not isinstance(done.code, int | None):
            raise
        _leave(done.code or 0)


def _leave(code: int) -> None:
    """End here: taking every module and the model apart first costs 0.3 s of each call."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):  # its reader has seen enough
            stream.flush()
    os._exit(code)
