"""The verb `glisson export`: a model in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from glisson.cli.commands import INPUT, OUTPUT
from glisson.cli.console import console, output
from glisson.cli.model_choice import say_which_model
from glisson.cli.options import Out
from glisson.evaluation.export import export_formats, sample_tiles
from glisson.model import Exported, Format, find_model
from glisson_phantom import render_tile

EXAMPLES = """\
glisson export run/model -o exported --tiles tiles/1.25um
glisson export run/model -o exported --format onnx --format openvino"""

_NOT_FOR_QUPATH = (
    "  for Glisson and nutshell; not for QuPath's WSInfer extension, which classifies patches only "
    "and would show nonsense"
)
_SEED = 910_500_000


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="Model's name or folder.",
            metavar="MODEL",
            show_default=False,
        ),
    ],
    out: Out,
    formats: Annotated[
        list[Format] | None,
        typer.Option(
            "--format",
            help="File format to write; may be repeated.",
            metavar="FORMAT",
            show_default="all: " + ", ".join(Format),
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    tiles: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Tiles to compare on.",
            show_default="synthetic tiles",
            rich_help_panel=INPUT,
        ),
    ] = None,
    count: Annotated[
        int,
        typer.Option(metavar="N", help="Number of tiles to compare on.", rich_help_panel=INPUT),
    ] = 24,
) -> None:
    """Write a model as bundle, ONNX, TorchScript (for Glisson and nutshell), OpenVINO and int8.

    Every file is compared with the trained model, and the largest difference is printed.

    QuPath's WSInfer extension only classifies patches: it accepts the TorchScript file, which
    outlines, and shows nonsense.
    """
    say_which_model(model)
    bundle = find_model(model)
    spec = bundle.spec
    with console.status("reading tiles"):
        if tiles is None:
            seeds = range(_SEED, _SEED + count)
            drawn = [render_tile(seed, spec.window_px, spec.mpp).rgb for seed in seeds]
            pixels = np.stack(drawn)
        else:
            pixels = sample_tiles(tiles, count, bundle)
    kind = f"tiles of {tiles}" if tiles else "SYNTHETIC tiles"
    output.print(f"{spec.name}, compared on {len(pixels)} {kind}", highlight=False)
    for format, made in export_formats(bundle, out, pixels, formats):
        line = f"{format}: left out: {made}" if isinstance(made, str) else _describe(made)
        output.print(line, highlight=False, markup=False, soft_wrap=True)
        if format is Format.TORCHSCRIPT and not isinstance(made, str):
            output.print(_NOT_FOR_QUPATH, highlight=False, soft_wrap=True)


def _describe(made: Exported) -> str:
    agreement = (
        f"largest difference {made.largest_difference:.2g}, same class {made.same_class:.3%}"
    )
    if made.path is None:
        return f"{made.format}: {agreement}: not kept, it changes too much"
    return f"{made.format}: {agreement}: {made.path}"
