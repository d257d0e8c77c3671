"""`glisson models`: what can be run, and how to add more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from glisson.cli.console import output
from glisson.model import ModelBundle, add_model, find_model, list_models

app = typer.Typer(add_completion=False, no_args_is_help=True, help="List, show and add models.")


@app.command("list")
def list_all() -> None:
    """The models that can be named with --model."""
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "version", "µm/px", "licence", "trained on"):
        table.add_column(heading, overflow="fold")
    for bundle in list_models():
        spec = bundle.spec
        row = (spec.name, spec.version, f"{spec.mpp:g}", spec.licence, spec.trained_on)
        table.add_row(*(escape(text) for text in row))
    output.print(table)


@app.command()
def info(
    name: Annotated[
        str | None, typer.Argument(help="Name or folder; the shipped one if left out.")
    ] = None,
) -> None:
    """All that a model says of itself."""
    bundle = find_model(name)
    for field, value in bundle.spec.model_dump(mode="json").items():
        if field not in ("files", "architecture"):
            output.print(f"[bold]{field}[/]: {escape(str(value))}", highlight=False)
    output.print(f"[bold]folder[/]: {escape(str(bundle.folder))}", highlight=False, soft_wrap=True)


@app.command()
def add(
    path: Annotated[Path, typer.Argument(help="Bundle folder or .zip, or a TorchScript file.")],
    name: Annotated[str | None, typer.Option(help="Name to give it.")] = None,
    config: Annotated[Path | None, typer.Option(help="WSInfer config.json beside it.")] = None,
) -> None:
    """Add a model: a Glisson bundle, HOTSPoT's segformer_PT.pt, or WSInfer-style TorchScript."""
    bundle = add_model(path, name=name, config=config)
    _print_added(bundle)


def _print_added(bundle: ModelBundle) -> None:
    spec = bundle.spec
    output.print(f"Added {escape(spec.name)} {escape(spec.version)}.", highlight=False)
    output.print(f"Licence: {escape(spec.licence)}", highlight=False)
    output.print(f"Use it with --model {escape(spec.name)}", highlight=False)
