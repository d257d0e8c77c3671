"""Commands whose help fits 80 columns: groups of options, `-h`, and examples to copy."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

INPUT = "Input"
MODEL = "Model"
OUTPUT = "Output"
MEASURING = "Measuring"
ANALYSIS = "Analysis"
SPLIT = "Splits"
TRAINING = "Training"
DEVICES = "Devices"
CLUSTER = "Cluster and stores"
ADVANCED = "Advanced"
OTHER = "Other"
"""Groups of options, by the names that the help shows."""

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class _PlainFlags:
    """A command whose help shows flags without a type: typer's <bool> says nothing."""

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if getattr(param, "is_flag", False):
                param.metavar = ""
        return params


class Verb(_PlainFlags, TyperCommand):
    """A command whose epilog holds its examples, printed line by line."""

    def __init__(self, *arguments: Any, epilog: str | None = None, **settings: Any) -> None:
        settings["context_settings"] = HELP_OPTIONS | (settings.get("context_settings") or {})
        super().__init__(*arguments, **settings)
        self.examples = (epilog or "").splitlines()

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, of which the help shows `--help` last."""
        params = super().get_params(ctx)
        params[-1].rich_help_panel = OTHER
        return params

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, then the examples: Markdown would join or wrap their lines."""
        super().format_help(ctx, formatter)
        if self.examples:
            typer.echo(" Examples:")
            for line in self.examples:
                typer.echo(f"   {line}")


class VerbGroup(_PlainFlags, TyperGroup):
    """A command of several verbs."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings["context_settings"] = HELP_OPTIONS | (settings.get("context_settings") or {})
        super().__init__(*arguments, **settings)


def new_group(help: str, cls: type[TyperGroup] = VerbGroup, **settings: Any) -> typer.Typer:
    """Make a Typer application whose help is Markdown and that shows its help without a verb."""
    return typer.Typer(
        cls=cls,
        help=help,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        **{"add_completion": False} | settings,
    )
