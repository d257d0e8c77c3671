"""Options on studies that `tiles`, `train` and `evaluate` share."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from glisson.dataset import ANNOTATIONS, SplitUnit
from glisson.errors import SettingsError


class TrainPrecision(StrEnum):
    """Arithmetic of training."""

    AUTO = "auto"
    F32 = "32"
    BF16 = "bf16"
    F16 = "16"


Study = Annotated[
    Path, typer.Argument(help="cases.csv, or a folder of annotated slides.", show_default=False)
]
Annotations = Annotated[
    list[str] | None,
    typer.Option(
        "--annotations",
        help="Name of a slide's GeoJSON, such as '{slide}.reader-1.geojson'.",
        show_default=ANNOTATIONS[0],
    ),
]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class", help="Meaning of an annotation class: NAME=portal, lobule, tissue, region, "
        "background, ignore or skip.", show_default=False,
    ),
]  # fmt: skip
SplitBy = Annotated[
    SplitUnit, typer.Option("--split", help="What is kept together; tile leaks, as in the paper.")
]
HoldOut = Annotated[
    list[str] | None,
    typer.Option("--hold-out", help="Institution kept for the external test.", show_default=False),
]
Validation = Annotated[
    float, typer.Option("--validation", help="Part of the other patients that validates.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of the split and all that is drawn.")]
Arithmetic = Annotated[
    TrainPrecision,
    typer.Option("--precision", help="Of training; auto is bf16 where the device computes so."),
]
TilesPerEpoch = Annotated[
    int | None,
    typer.Option("--tiles-per-epoch", help="Tiles drawn for an epoch.", show_default="all"),
]


def refuse_beside_tiles(context: typer.Context, names: Sequence[str], folder: Path) -> None:
    """Refuse options that say nothing about tiles that are cut already.

    Args:
        context: of the command.
        names: parameters of the command, by their Python names.
        folder: of the tiles.

    Raises:
        SettingsError: one of them was given; names its flag.
    """
    flags = {each.name: each.opts[0] for each in context.command.params}
    given = [flags[name] for name in names if _is_given(context, name)]
    if given:
        raise SettingsError(
            f"{', '.join(given)}: {folder} holds tiles, for which that is settled already. Leave "
            "it out, or give it to `glisson tiles` and cut the slides anew."
        )


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT")
