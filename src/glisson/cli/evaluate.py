"""`glisson evaluate`: a model against annotated slides or tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table as RichTable

from glisson.cli.console import console, output
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
    is_synthetic,
    is_tile_folder,
    parse_meanings,
    read_study,
    split_study,
)
from glisson.evaluation import PAGE, Table, TileSource, evaluate_tiles
from glisson.model import ModelBundle, find_model, open_runtime


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

    Give the same split options as for training, or the tiles that it was trained on.
    """
    bundle = find_model(model)
    source = _source(bundle, data, size, annotations, classes,
                     SplitSettings(split, validation, tuple(hold_out or ()), seed))  # fmt: skip
    warnings = [LEAK] if split is SplitUnit.TILE else []
    if is_synthetic(data):
        warnings.append(SYNTHETIC)
    with console.status("scoring") as status:
        tables = evaluate_tiles(
            out, bundle, open_runtime(bundle, runtime.value, threads=threads), source, warnings,
            lambda done, all_: status.update(f"tile {done} of {all_}"),
        )  # fmt: skip
    for each in warnings:
        console.print(f"[yellow]Warning:[/] {escape(each)}", highlight=False, soft_wrap=True)
    output.print(_drawn(tables[1]))
    output.print(f"all tables and pictures: {out / PAGE}", highlight=False, soft_wrap=True)


def _source(
    bundle: ModelBundle,
    data: Path,
    size: int,
    annotations: list[str] | None,
    classes: list[str] | None,
    split: SplitSettings,
) -> TileSource:
    if is_tile_folder(data):
        return FolderTiles(data, bundle.spec.mpp, split.validation, split.seed)
    slides = read_study(data, annotations or ANNOTATIONS)
    with console.status("reading annotations"):
        return SlideTiles(
            slides, split_study(slides, split), TileSettings(bundle.spec.mpp, size),
            parse_meanings(classes or ()),
        )  # fmt: skip


def _drawn(table: Table) -> RichTable:
    drawn = RichTable(title=table.title, title_justify="left", caption=table.note)
    for number, name in enumerate(table.header):
        drawn.add_column(escape(name), justify="right" if number else "left")
    for row in table.rows:
        drawn.add_row(*map(escape, row))
    return drawn
