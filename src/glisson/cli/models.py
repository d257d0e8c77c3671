"""The verb `glisson models`: what can be run, and how to add more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from glisson.cli.commands import INPUT, OUTPUT, Verb, new_group
from glisson.cli.console import console, output, warn
from glisson.cli.model_choice import say_which_model
from glisson.errors import GlissonError, ModelNotFound, SettingsError
from glisson.model import (
    KnownModel,
    add_known_model,
    add_model,
    find_model,
    is_added,
    list_models,
    read_known_models,
)

_ADD_EXAMPLES = """\
glisson models add hotspot --accept-licence
glisson models add run/model --name liver-2"""

app = new_group("List, show and add models.")


@app.command("list", cls=Verb, epilog="glisson models list")
def list_all() -> None:
    """List the models that can be named with --model, and those that can be added."""
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "version", "µm/px", "licence", "trained on"):
        table.add_column(heading, overflow="fold")
    for bundle in list_models():
        spec = bundle.spec
        row = (spec.name, spec.version, f"{spec.mpp:g}", spec.licence, spec.trained_on)
        table.add_row(*(escape(text) for text in row))
    output.print(table)
    for known in read_known_models().values():
        if not _is_usable(known):
            _print(f"\nTo add: glisson models add {known.name}\n  {known.title}")
            _print(f"  Licence: {known.licence.summary}")


def _is_usable(known: KnownModel) -> bool:
    """Return True if a known model was added; False for another of its name or a damaged one."""
    try:
        return is_added(known)
    except GlissonError:
        return False


@app.command(cls=Verb, epilog="glisson models info hotspot")
def info(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Model's name or folder.",
            metavar="MODEL",
            show_default="the shipped model",
        ),
    ] = None,
) -> None:
    """Show the facts that a model holds about itself."""
    say_which_model(name)
    bundle = find_model(name)
    for field, value in bundle.spec.model_dump(mode="json").items():
        if field not in ("files", "architecture"):
            output.print(f"[bold]{field}[/]: {escape(str(value))}", highlight=False)
    output.print(f"[bold]folder[/]: {escape(str(bundle.folder))}", highlight=False, soft_wrap=True)


@app.command(cls=Verb, epilog=_ADD_EXAMPLES)
def add(
    model: Annotated[
        str,
        typer.Argument(
            help=f"Known model ({', '.join(read_known_models())}), bundle's folder or .zip, or "
            "TorchScript file.",
            metavar="MODEL",
            show_default=False,
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="WSInfer's config.json of a TorchScript file.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="File of a known model, or address of a mirror.",
            show_default=False,
            rich_help_panel=INPUT,
        ),
    ] = None,
    accept_licence: Annotated[
        bool,
        typer.Option(
            "--accept-licence",
            help="Accept a known model's licence without a question.",
            rich_help_panel=INPUT,
        ),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the added model.",
            show_default="its own",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace an added model of the same name.", rich_help_panel=OUTPUT
        ),
    ] = False,
) -> None:
    """Add a model: a known one by its name, a bundle, or WSInfer-style TorchScript."""
    if model in read_known_models():
        if name is not None or config is not None or overwrite:
            raise SettingsError(
                f"The known model {model} has its own name and settings: leave --name, --config "
                f"and --overwrite out. For a file of that name give ./{model}."
            )
        if Path(model).exists():
            warn(f"Glisson takes the known model {model}. For the file or folder give ./{model}.")
        _add_known(read_known_models()[model], accept_licence, source)
        return
    names = ", ".join(read_known_models())
    if accept_licence or source is not None:
        raise SettingsError(
            f"--accept-licence and --from apply to known models ({names}), not to {model}."
        )
    if not Path(model).exists():
        raise ModelNotFound(
            f"{model} is neither a file or folder nor a known model ({names}). Check the name."
        )
    spec = add_model(model, name=name, config=config, overwrite=overwrite).spec
    own = f" (its own name: {spec.original_name})" if spec.original_name else ""
    _print(f"Added {spec.name} {spec.version}{own}.")
    _print(f"Licence: {spec.licence}")
    _print(f"Use it with --model {spec.name}")


def _add_known(known: KnownModel, accept_licence: bool, source: str | None) -> None:
    if is_added(known):
        _print(f"{known.name} was added before.")
    else:
        licence = f"{known.licence.text}\n\n{known.licence.url}\n"
        terms = f"{known.title}\n{known.url}\n\n{licence}"
        console.print(terms, highlight=False, markup=False, soft_wrap=True)
        question = f"Do you accept this licence of {known.name}?"
        is_accepted = accept_licence or (  # without a terminal nobody can accept it
            _has_terminal() and typer.confirm(question, default=False, err=True)
        )
        with _make_download_bar() as bar:
            task = bar.add_task(known.file_name, total=None)
            add_known_model(
                known.name,
                accept_licence=is_accepted,
                source=source,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    bundle = find_model(known.name)
    _print(f"{known.name} {bundle.spec.version}: {known.title}")
    _print(f"For: {known.purpose}")
    _print(f"Licence: {known.licence.summary}")
    _print(f"Cite: {known.citation}")
    _print(f"Folder: {bundle.folder}")
    _print(f"Use it: {known.use}")


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _make_download_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _print(text: str) -> None:
    output.print(text, highlight=False, markup=False, soft_wrap=True)
