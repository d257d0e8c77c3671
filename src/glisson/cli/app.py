"""The program `glisson`: its verbs, and how errors become messages and exit codes."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from glisson.cli.console import console
from glisson.errors import ClusterError, GlissonError
from glisson.version import __version__

INPUT_ERROR = 2
CLUSTER_LOST = 3
INTERRUPTED = 130

_VERBS = {
    "segment": "glisson.cli.segment",
    "gather": "glisson.cli.gather",
    "measure": "glisson.cli.measure",
    "demo": "glisson.cli.demo",
    "tiles": "glisson.cli.tiles",
    "train": "glisson.cli.train",
    "evaluate": "glisson.cli.evaluate",
    "study": "glisson.cli.study",
    "export": "glisson.cli.export",
    "reproduce": "glisson_phantom.cli.reproduce",
    "doctor": "glisson.cli.doctor",
    "phantom": "glisson_phantom.cli.phantom",
    "models": "glisson.cli.models",
}
"""The module of each verb: it has a function of the verb's name, or an `app` of several verbs."""


class _Verbs(Mapping[str, Any]):
    """Commands by name; a verb's module is imported when it is asked for, not before."""

    def __getitem__(self, name: str) -> Any:
        if name not in _VERBS:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_VERBS)

    def __len__(self) -> int:
        return len(_VERBS)


class _Group(TyperGroup):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Verbs()  # type: ignore[assignment]  # nothing is added to it


@cache
def _command(name: str) -> Any:
    module = import_module(_VERBS[name])
    verbs: typer.Typer | None = getattr(module, "app", None)
    if verbs is None:
        verbs = typer.Typer(rich_markup_mode="markdown", add_completion=False)
        verbs.command(name)(getattr(module, name))
    command = typer.main.get_command(verbs)
    command.name = name
    return command


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Portal tracts of H&E liver biopsies: found, outlined, counted and measured.\n\n"
    "For research, not for diagnosis.",
)


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
    except SystemExit as done:
        if not isinstance(done.code, int | None):
            raise
        if done.code == INTERRUPTED:  # what typer makes of Ctrl-C
            console.print("Stopped. Finished slides are kept; run the same command to go on.")
        _leave(done.code or 0)


def _leave(code: int) -> None:
    """End here: taking every module and the model apart first costs 0.3 s of each call."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):  # its reader has seen enough
            stream.flush()
    os._exit(code)
