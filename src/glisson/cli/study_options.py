"""Options on studies that `tiles`, `train` and `evaluate` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from glisson.cli.commands import INPUT, SPLIT
from glisson.dataset import ANNOTATIONS, SplitUnit
from glisson.errors import SettingsError

Study = Annotated[
    Path,
    typer.Argument(
        help="cases.csv, or a folder of annotated slides.",
        metavar="STUDY",
        show_default=False,
    ),
]
Annotations = Annotated[
    list[str] | None,
    typer.Option(
        "--annotations",
        metavar="PATTERN",
        help="Name of a slide's GeoJSON, such as {slide}.r1.geojson; may be repeated.",
        show_default=ANNOTATIONS[0],
        rich_help_panel=INPUT,
    ),
]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class",
        metavar="NAME=MEANING",
        help="Meaning of an annotation class: portal, lobule, tissue, region, background, ignore "
        "or skip; may be repeated.",
        show_default=False,
        rich_help_panel=INPUT,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Use annotations although they lie beside the tissue.",
        rich_help_panel=INPUT,
    ),
]
TileMpp = Annotated[
    float | None,
    typer.Option(
        "--mpp",
        metavar="UM",
        help="The tiles' own µm per pixel, where they have no manifest.csv.",
        show_default=False,
        rich_help_panel=INPUT,
    ),
]
Size = Annotated[
    int,
    typer.Option(
        "--size", metavar="PX", help="Side of a tile, where slides are read.", rich_help_panel=INPUT
    ),
]
SplitBy = Annotated[
    SplitUnit,
    typer.Option(
        "--split",
        help="Unit that lies in one split as a whole. Splits by tile leak, as the paper's do.",
        rich_help_panel=SPLIT,
    ),
]
HoldOut = Annotated[
    list[str] | None,
    typer.Option(
        "--hold-out",
        metavar="NAME",
        help="Institution for the external test; may be repeated.",
        show_default=False,
        rich_help_panel=SPLIT,
    ),
]
Validation = Annotated[
    float,
    typer.Option(
        "--validation",
        metavar="SHARE",
        help="Share of the other patients for validation.",
        rich_help_panel=SPLIT,
    ),
]


def refuse_options(context: typer.Context, names: Sequence[str], reason: str) -> None:
    """Reject options that cannot apply to the data.

    Args:
        context: of the command.
        names: parameters of the command, by their Python names.
        reason: sentences that follow the options' names in the message.

    Raises:
        SettingsError: the user gave such an option; names it.
    """
    flags = {param.name: param.opts[0] for param in context.command.params}
    sources = {name: context.get_parameter_source(name) for name in names}
    by_user = ("COMMANDLINE", "ENVIRONMENT")
    given = [flags[name] for name, source in sources.items() if source and source.name in by_user]
    if given:
        raise SettingsError(f"{', '.join(given)}: {reason}")


def refuse_beside_tiles(context: typer.Context, names: Sequence[str], folder: Path) -> None:
    """Reject options of slides beside a folder of tiles.

    Raises:
        SettingsError: the user gave such an option; names it.
    """
    refuse_options(
        context,
        names,
        f"{folder} holds tiles, which cannot be cut in another way. Leave the option out, or cut "
        "the slides again with it (`glisson tiles`).",
    )
