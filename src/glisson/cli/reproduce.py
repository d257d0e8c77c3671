"""`glisson reproduce`: the paper's model part on phantoms, on one page."""

from __future__ import annotations

from typing import Annotated

import typer

from glisson.cli.console import console, output
from glisson.cli.options import Out
from glisson.cli.study_options import Arithmetic, Seed, TilesPerEpoch, TrainPrecision
from glisson.dataset import SYNTHETIC
from glisson.run import ReproduceSettings
from glisson.run import reproduce as rerun


def reproduce(
    out: Out,
    share: Annotated[float, typer.Option(help="Part of the paper's 336 slides.")] = 0.03,
    slide_mpp: Annotated[float, typer.Option(help="µm per pixel of the slides.")] = 1.0,
    preset: Annotated[str, typer.Option(help="Recipe: paper or glisson.")] = "paper",
    epochs: Annotated[int | None, typer.Option(help="Most epochs.")] = None,
    tiles_per_epoch: TilesPerEpoch = None,
    batch: Annotated[int | None, typer.Option(help="Tiles per step.")] = None,
    weights: Annotated[str | None, typer.Option(help="Weights to start from.")] = None,
    mpp: Annotated[
        list[float] | None, typer.Option(help="µm per pixel of the models.", show_default="2, 1")
    ] = None,
    precision: Arithmetic = TrainPrecision.AUTO,
    seed: Seed = 0,
) -> None:
    """Draw the paper's study, cut tiles, train, evaluate, and write one page.

    Stopped and run again, it goes on where it was. Everything is SYNTHETIC.
    """
    settings = ReproduceSettings(
        share=share, slide_mpp=slide_mpp, preset=preset, epochs=epochs,
        tiles_per_epoch=tiles_per_epoch, batch=batch, weights=weights,
        mpps=tuple(mpp or (2.0, 1.0)), precision=precision.value, seed=seed,
    )  # fmt: skip
    page = rerun(out, settings, lambda text: console.print(text, highlight=False))
    output.print(f"{page}", highlight=False, soft_wrap=True)
    output.print(SYNTHETIC, style="dim")
