"""The verb `glisson evaluate`: a model against annotated slides or tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from glisson.cli.commands import INPUT, MODEL
from glisson.cli.console import console, output, warn
from glisson.cli.model_choice import say_which_model
from glisson.cli.options import Out, RuntimeKind, Runtimes, Seed, Threads
from glisson.cli.study_options import (
    Annotations,
    Classes,
    Force,
    HoldOut,
    Size,
    SplitBy,
    Validation,
    refuse_beside_tiles,
)
from glisson.cli.tables import draw_table
from glisson.dataset import (
    ANNOTATIONS,
    AnnotationSettings,
    SplitSettings,
    SplitUnit,
    is_tile_folder,
    parse_meanings,
)
from glisson.dataset.manifest import MANIFEST_FILE
from glisson.evaluation import EvaluationSettings
from glisson.evaluation import evaluate as evaluate_models

EXAMPLES = """\
glisson evaluate study/cases.csv -o evaluation --hold-out Palermo
glisson evaluate tiles/1um tiles/2um -m run-a/model -m run-b/model -o both"""

_SHOWN = ("table-1-pooled", "tracts")
_OF_SLIDES = ("size", "annotations", "classes", "force", "split", "hold_out")
_OF_SPLITS = ("validation", "seed")


def evaluate(
    context: typer.Context,
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Folder of tiles, or a study of annotated slides; one for each model.",
            metavar="DATA",
            show_default=False,
        ),
    ],
    out: Out,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Model's name or folder, one for each DATA, in order.",
            show_default="the shipped model",
            rich_help_panel=MODEL,
        ),
    ] = None,
    mpp: Annotated[
        list[float] | None,
        typer.Option(
            "--mpp",
            metavar="UM",
            help="The tiles' own µm per pixel, one for each DATA without manifest.csv.",
            show_default=False,
            rich_help_panel=INPUT,
        ),
    ] = None,
    size: Size = 256,
    annotations: Annotations = None,
    classes: Classes = None,
    force: Force = False,
    split: SplitBy = SplitUnit.PATIENT,
    hold_out: HoldOut = None,
    validation: Validation = 0.2,
    seed: Seed = 0,
    runtime: Runtimes = RuntimeKind.AUTO,
    threads: Threads = None,
) -> None:
    """Score a model: the paper's tables 1 and 2, intervals over patients, borders, drift.

    Several models, each on its own data, share table 1 and the table of borders. From slides,
    whole tracts too: found, missed, false, and false per mm². Give the same split options as for
    training, or the tiles that it was trained on.
    """
    for folder in filter(is_tile_folder, data):
        refuse_beside_tiles(context, _OF_SLIDES, folder)
        if (folder / MANIFEST_FILE).exists():
            refuse_beside_tiles(context, _OF_SPLITS, folder)
    for name in model or ():
        say_which_model(name)
    settings = EvaluationSettings(
        size_px=size,
        annotations=AnnotationSettings(
            annotations or ANNOTATIONS, parse_meanings(classes or ()), force
        ),
        split=SplitSettings(split, validation, tuple(hold_out or ()), seed),
        mpps=mpp or (),
        runtime=runtime.value,
        threads=threads,
    )
    with console.status("reading annotations") as status:
        result = evaluate_models(
            data,
            out,
            model,
            settings,
            lambda step, done, total: status.update(f"{escape(step)} {done} of {total}"),
        )
    for warning in result.warnings:
        warn(warning)
    for shown in result.tables:
        if shown.name in _SHOWN:
            output.print(draw_table(shown))
    output.print(f"all tables and pictures: {result.page}", highlight=False, soft_wrap=True)
