"""Options of training that `train` and `reproduce` share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from glisson.cli.commands import DEVICES, TRAINING


class Preset(StrEnum):
    """A recipe with a name."""

    GLISSON = "glisson"
    PAPER = "paper"


class TrainPrecision(StrEnum):
    """Arithmetic of training."""

    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"
    F16 = "f16"


PresetChoice = Annotated[
    Preset, typer.Option("--preset", help="Recipe to start from.", rich_help_panel=TRAINING)
]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="NAME",
        help="Weights to start from: imagenet, a model's name or folder, a name on the hub, or "
        "random.",
        show_default="imagenet where the network has such weights, else random",
        rich_help_panel=TRAINING,
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        "--epochs", metavar="N", help="Largest number of epochs.", rich_help_panel=TRAINING
    ),
]
Batch = Annotated[
    int | None,
    typer.Option("--batch", metavar="N", help="Tiles per step.", rich_help_panel=TRAINING),
]
TilesPerEpoch = Annotated[
    int | None,
    typer.Option(
        "--tiles-per-epoch",
        metavar="N",
        help="Tiles drawn for an epoch; 0 for all.",
        rich_help_panel=TRAINING,
    ),
]
Arithmetic = Annotated[
    TrainPrecision,
    typer.Option(
        "--precision",
        help="Arithmetic of training; auto is bf16 where the device computes with it, else f32.",
        rich_help_panel=DEVICES,
    ),
]
