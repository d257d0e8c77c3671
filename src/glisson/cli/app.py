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

from glisson.cli.commands import Verb, VerbGroup, new_group
from glisson.cli.console import console, write_in_any_encoding
from glisson.errors import ClusterError, GlissonError
from glisson.printable import log_to_terminal
from glisson.version import __version__

INPUT_ERROR = 2
CLUSTER_LOST = 3
INTERRUPTED = 130

_PROGRAM = "glisson"
_SLIDES, _STUDIES, _MODELS = "Slides", "Studies", "Models"
_VERBS = {
    "segment": ("glisson.cli.segment", _SLIDES),
    "gather": ("glisson.cli.gather", _SLIDES),
    "measure": ("glisson.cli.measure", _SLIDES),
    "demo": ("glisson.cli.demo", _SLIDES),
    "doctor": ("glisson.cli.doctor", _SLIDES),
    "study": ("glisson.cli.study", _STUDIES),
    "phantom": ("glisson_phantom.cli.phantom", _STUDIES),
    "reproduce": ("glisson_phantom.cli.reproduce", _STUDIES),
    "models": ("glisson.cli.models", _MODELS),
    "tiles": ("glisson.cli.tiles", _MODELS),
    "train": ("glisson.cli.train", _MODELS),
    "evaluate": ("glisson.cli.evaluate", _MODELS),
    "export": ("glisson.cli.export", _MODELS),
}
"""Module and group of each verb. The module has a function of the verb's name and EXAMPLES, or an
`app` of several verbs."""


class _Verbs(Mapping[str, Any]):
    """Commands by name; the first use of a verb imports its module."""

    def __getitem__(self, name: str) -> Any:
        if name not in _VERBS:
            raise KeyError(name)
        return _load_command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_VERBS)

    def __len__(self) -> int:
        return len(_VERBS)


class _Program(VerbGroup):
    """The group of all verbs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Verbs()  # type: ignore[assignment]  # typer adds no command to it

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all verbs without importing their modules."""
        return list(_VERBS)


@cache
def _load_command(name: str) -> Any:
    path, group = _VERBS[name]
    module = import_module(path)
    verbs: typer.Typer | None = getattr(module, "app", None)
    if verbs is None:
        verbs = typer.Typer(rich_markup_mode="markdown", add_completion=False)
        verbs.command(name, cls=Verb, epilog=module.EXAMPLES)(getattr(module, name))
    command = typer.main.get_command(verbs)
    command.name = name
    command.rich_help_panel = group  # type: ignore[attr-defined]  # click's type of typer's command
    return command


app = new_group(
    "Portal tracts of H&E liver biopsies: found, outlined, counted and measured.\n\n"
    "For research, not for diagnosis.",
    cls=_Program,
    add_completion=True,
)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        console.print(f"glisson {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _set_up(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version.",
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each step.")] = False,
) -> None:
    log_to_terminal(logging.INFO if verbose else logging.ERROR)


def main() -> None:
    """Run the command line; Glisson's own errors become one message and exit code 2 or 3."""
    write_in_any_encoding(sys.stdout, sys.stderr)
    try:
        app(prog_name=_PROGRAM)
    except GlissonError as error:
        console.print("[bold red]Error:[/]", escape(str(error)), highlight=False, soft_wrap=True)
        _leave(CLUSTER_LOST if isinstance(error, ClusterError) else INPUT_ERROR)
    except SystemExit as ending:
        if not isinstance(ending.code, int | None):
            raise
        if ending.code == INTERRUPTED:  # typer's code for Ctrl-C
            console.print("Stopped. Run the same command again to resume; finished slides stay.")
        _leave(ending.code or 0)


def _leave(code: int) -> None:
    """End the process at once: unloading every module and the model costs 0.3 s of each call."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):  # the reader, such as `head`, has ended
            stream.flush()
    os._exit(code)
