"""`glisson reproduce`: the paper's model part on phantoms, on one page."""

from __future__ import annotations

from typing import Annotated

import typer

from glisson.cli.console import console, output
from glisson.cli.options import Out
from glisson.cli.study_options import Arithmetic, Seed, TrainPrecision
from glisson.dataset import SYNTHETIC
from glisson_phantom.reproduction.reproduce import ReproduceSettings
from glisson_phantom.reproduction.reproduce import reproduce as rerun

_SMALL = ReproduceSettings()


def reproduce(
    out: Out,
    share: Annotated[float, typer.Option(help="Part of the paper's 336 slides.")] = _SMALL.share,
    slide_mpp: Annotated[float, typer.Option(help="µm per pixel of the slides.")] = 1.0,
    preset: Annotated[str, typer.Option(help="Recipe: paper or glisson.")] = _SMALL.preset,
    epochs: Annotated[int | None, typer.Option(help="Most epochs.")] = _SMALL.epochs,
    tiles_per_epoch: Annotated[
        int, typer.Option(help="Tiles drawn for an epoch; 0 for all.")
    ] = _SMALL.tiles_per_epoch,
    batch: Annotated[int | None, typer.Option(help="Tiles per step.")] = _SMALL.batch,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Weights to start from, as `glisson train` takes them.",
            show_default="imagenet where the network has them, else random",
        ),
    ] = None,
    mpp: Annotated[
        list[float] | None, typer.Option(help="µm per pixel of the models.", show_default="2, 1")
    ] = None,
    precision: Arithmetic = TrainPrecision.AUTO,
    seed: Seed = 0,
) -> None:
    """Draw the paper's study, cut tiles, train, evaluate, export, and write one page.

    Stopped and run again, it goes on where it was. As it stands it takes about an hour on two
    cores; the paper's size is `--share 1 --preset paper --epochs 100 --tiles-per-epoch 0
    --batch 64`. Everything is SYNTHETIC.
    """
    settings = ReproduceSettings(
        share=share, slide_mpp=slide_mpp, preset=preset, epochs=epochs,
        tiles_per_epoch=tiles_per_epoch, batch=batch,
        weights=weights,
        mpps=tuple(mpp or _SMALL.mpps), precision=precision.value, seed=seed,
    )  # fmt: skip
    page = rerun(out, settings, lambda text: console.print(text, highlight=False))
    output.print(f"{page}", highlight=False, soft_wrap=True)
    output.print(SYNTHETIC, style="dim")
