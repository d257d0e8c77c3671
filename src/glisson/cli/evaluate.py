"""`glisson evaluate`: a model against annotated slides or tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table as RichTable

from glisson.cli.console import console, output, warn
from glisson.cli.options import Model, Out, RuntimeKind, Runtimes, Threads
from glisson.cli.study_options import (
    Annotations,
    Classes,
    HoldOut,
    Seed,
    SplitBy,
    Validation,
)
from glisson.dataset import (
    ANNOTATIONS,
    LEAK,
    SYNTHETIC,
    FolderTiles,
    SlideTiles,
    SplitSettings,
    SplitUnit,
    TileSettings,
    TileSource,
    is_synthetic,
    is_tile_folder,
    parse_meanings,
    read_study,
    split_study,
)
from glisson.evaluation import (
    PAGE,
    Table,
    TractScore,
    evaluate_tiles,
    score_tracts,
)
from glisson.model import find_model, open_runtime

_SHOWN = ("table-1-pooled", "tracts")


def evaluate(
    data: Annotated[
        Path,
        typer.Argument(help="Folder of tiles, or a study of annotated slides.", show_default=False),
    ],
    out: Out,
    model: Model = None,
    size: Annotated[int, typer.Option(help="Side of a tile, where slides are read.")] = 256,
    annotations: Annotations = None,
    classes: Classes = None,
    split: SplitBy = SplitUnit.PATIENT,
    hold_out: HoldOut = None,
    validation: Validation = 0.2,
    seed: Seed = 0,
    runtime: Runtimes = RuntimeKind.AUTO,
    threads: Threads = None,
) -> None:
    """Score a model: the paper's tables 1 and 2, intervals over patients, borders, drift.

    From slides, whole tracts too: found, missed, false, and false per mm². Give the same split
    options as for training, or the tiles that it was trained on.
    """
    bundle = find_model(model)
    opened = open_runtime(bundle, runtime.value, threads=threads)
    settings = SplitSettings(split, validation, tuple(hold_out or ()), seed)
    table = parse_meanings(classes or ())
    warnings = [SYNTHETIC] if is_synthetic(data) else []
    tracts: list[TractScore] = []
    with console.status("reading annotations") as status:
        if is_tile_folder(data):
            folder = FolderTiles(data, bundle.spec.mpp, validation, seed)
            source: TileSource = folder
            warnings += [folder.leak] if folder.leak else []
        else:
            warnings += [LEAK] if split is SplitUnit.TILE else []
            slides = read_study(data, annotations or ANNOTATIONS)
            splits = split_study(slides, settings)
            source = SlideTiles(slides, splits, TileSettings(bundle.spec.mpp, size), table)
            tracts = score_tracts(
                slides, splits, bundle, opened, table,
                lambda name, done, all_: status.update(f"tracts of slide {done} of {all_}: {name}"),
            )  # fmt: skip
        evaluation = evaluate_tiles(
            out, bundle, opened, source, warnings,
            lambda done, all_: status.update(f"tile {done} of {all_}"), tracts,
        )  # fmt: skip
    for each in warnings:
        warn(each)
    for shown in evaluation.tables:
        if shown.name in _SHOWN:
            output.print(_drawn(shown))
    output.print(f"all tables and pictures: {out / PAGE}", highlight=False, soft_wrap=True)


def _drawn(table: Table) -> RichTable:
    drawn = RichTable(title=table.title, title_justify="left", caption=table.note)
    for number, name in enumerate(table.header):
        drawn.add_column(escape(name), justify="right" if number else "left")
    for row in table.rows:
        drawn.add_row(*map(escape, row))
    return drawn
