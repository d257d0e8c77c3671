"""The verb `glisson reproduce`: the paper's model part on phantoms, on one page."""

from __future__ import annotations

from typing import Annotated

import typer

from glisson.cli.commands import INPUT, TRAINING
from glisson.cli.console import console, output
from glisson.cli.options import Out, Seed
from glisson.cli.train_options import (
    Arithmetic,
    Batch,
    Epochs,
    Preset,
    PresetChoice,
    TilesPerEpoch,
    TrainPrecision,
    Weights,
)
from glisson.dataset import SYNTHETIC
from glisson_phantom.reproduction.reproduce import ReproduceSettings
from glisson_phantom.reproduction.reproduce import reproduce as rerun

EXAMPLES = """\
glisson reproduce -o rerun
glisson reproduce -o rerun --share 1 --preset paper --epochs 100 \\
    --tiles-per-epoch 0 --batch 64"""

_SMALL = ReproduceSettings()


def reproduce(
    out: Out,
    share: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="Share of the paper's 336 slides.", rich_help_panel=INPUT
        ),
    ] = _SMALL.share,
    mpp: Annotated[
        float,
        typer.Option(metavar="UM", help="The slides' own µm per pixel.", rich_help_panel=INPUT),
    ] = 1.0,
    at_mpp: Annotated[
        list[float] | None,
        typer.Option(
            metavar="UM",
            help="µm per pixel of a model; may be repeated.",
            show_default="2, 1",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    preset: PresetChoice = Preset.GLISSON,
    epochs: Epochs = _SMALL.epochs,
    tiles_per_epoch: TilesPerEpoch = _SMALL.tiles_per_epoch,
    batch: Batch = _SMALL.batch,
    weights: Weights = None,
    precision: Arithmetic = TrainPrecision.AUTO,
    seed: Seed = 0,
) -> None:
    """Draw the paper's study, cut tiles, train, evaluate, export, and write one page.

    The defaults take about an hour on two cores; the second example has the paper's size and
    takes days. The same command resumes a run that was stopped. Everything is SYNTHETIC.
    """
    settings = ReproduceSettings(
        share=share,
        slide_mpp=mpp,
        preset=preset.value,
        epochs=epochs,
        tiles_per_epoch=tiles_per_epoch or 0,
        batch=batch,
        weights=weights,
        mpps=tuple(at_mpp or _SMALL.mpps),
        precision=precision.value,
        seed=seed,
    )
    page = rerun(out, settings, lambda text: console.print(text, highlight=False))
    output.print(f"{page}", highlight=False, soft_wrap=True)
    output.print(SYNTHETIC, style="dim")
