"""`glisson phantom`: a synthetic biopsy slide with its truth."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from glisson.cli.console import console, output
from glisson.errors import SettingsError
from glisson.phantom import PhantomSettings
from glisson.run import make_phantom
from glisson.slides import PyramidStyle


class SlideStyle(StrEnum):
    """File format of a phantom slide."""

    APERIO = "aperio"
    TIFF = "tiff"


_SUFFIXES = {SlideStyle.APERIO: (".svs",), SlideStyle.TIFF: (".tif", ".tiff")}


def phantom(
    path: Annotated[Path, typer.Argument(help="Slide to write, such as phantom.svs.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same slide.")] = 0,
    length_mm: Annotated[float, typer.Option(help="Summed length of the cores.")] = 15.0,
    pieces: Annotated[int, typer.Option(help="Number of cores.")] = 1,
    stage: Annotated[int | None, typer.Option(help="Fibrosis stage 0 to 4.")] = None,
    mpp: Annotated[float, typer.Option(help="Level-0 µm per pixel.")] = 0.5,
    artefacts: Annotated[float, typer.Option(help="Pen, dust, folds: 0 none, 1 as usual.")] = 1.0,
) -> None:
    """Draw a synthetic H&E liver biopsy and write its exact truth beside it."""
    style = _style_of(path)
    settings = PhantomSettings(
        seed=seed, length_mm=length_mm, pieces=pieces, stage=stage, mpp=mpp, artefacts=artefacts
    )
    with console.status(f"drawing {path.name}"):
        made = make_phantom(path, settings, style, workers=os.cpu_count() or 1)
    biopsy = made.measurements.biopsy
    output.print(f"{path}  SYNTHETIC  seed {seed}, stage {made.stage}", highlight=False)
    output.print(
        f"  {biopsy.tissue_area_mm2:.2f} mm² tissue, {made.centreline_length_mm:.1f} mm long, "
        f"{len(made.regions.tracts)} portal tracts",
        highlight=False,
    )
    output.print(f"  truth: {made.truth_path}", highlight=False, soft_wrap=True)


def _style_of(path: Path) -> PyramidStyle:
    for style, suffixes in _SUFFIXES.items():
        if path.suffix.lower() in suffixes:
            return "aperio" if style is SlideStyle.APERIO else "tiff"
    raise SettingsError(f"{path.name}: a phantom is written as .svs or .tif; name the file so.")
