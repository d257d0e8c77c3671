"""`glisson evaluate`: a model against annotated slides or tiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table as RichTable

from glisson.cli.commands import INPUT, MODEL
from glisson.cli.console import console, output, warn
from glisson.cli.model_choice import say_which_model
from glisson.cli.options import Out, RuntimeKind, Runtimes, Seed, Threads
from glisson.cli.study_options import (
    Annotations,
    Classes,
    HoldOut,
    Size,
    SplitBy,
    Validation,
    refuse_beside_tiles,
)
from glisson.dataset import (
    ANNOTATIONS,
    SYNTHETIC,
    FolderTiles,
    MeaningTable,
    SlideTiles,
    SplitSettings,
    SplitUnit,
    TileSettings,
    candidate_warning,
    is_synthetic,
    is_tile_folder,
    parse_meanings,
    read_study,
    split_study,
)
from glisson.dataset.manifest import MANIFEST_FILE
from glisson.errors import SettingsError
from glisson.evaluation import PAGE, Subject, Table, evaluate_pairs, score_tracts
from glisson.model import ModelBundle, find_model, open_runtime

EXAMPLES = """\
glisson evaluate study/cases.csv -o evaluation --hold-out Palermo
glisson evaluate tiles/1um tiles/2um -m run-a/model -m run-b/model -o both"""

_SHOWN = ("table-1-pooled", "tracts")
_OF_SLIDES = ("size", "annotations", "classes", "split", "hold_out")
_OF_SPLITS = ("validation", "seed")

Told = Callable[[str], None]


@dataclass(frozen=True)
class _Options:
    """How slides become tiles, and how models run."""

    size: int
    annotations: Sequence[str]
    table: MeaningTable
    split: SplitSettings
    runtime: RuntimeKind
    threads: int | None


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
    _refuse_unused(context, data)
    mpps = _mpp_of_each(data, mpp or ())
    bundles = _models(data, model)
    options = _Options(
        size, annotations or ANNOTATIONS, parse_meanings(classes or ()),
        SplitSettings(split, validation, tuple(hold_out or ()), seed), runtime, threads,
    )  # fmt: skip
    with console.status("reading annotations") as status:
        subjects = (
            _subject(folder, bundle, known, options, status.update)
            for folder, bundle, known in zip(data, bundles, mpps, strict=True)
        )
        found = evaluate_pairs(
            out, bundles, subjects, lambda done, all_: status.update(f"tile {done} of {all_}")
        )
    for warning in found.warnings:
        warn(warning)
    for shown in found.tables:
        if shown.name in _SHOWN:
            output.print(_drawn(shown))
    output.print(f"all tables and pictures: {out / PAGE}", highlight=False, soft_wrap=True)


def _refuse_unused(context: typer.Context, data: Sequence[Path]) -> None:
    for folder in data:
        if is_tile_folder(folder):
            refuse_beside_tiles(context, _OF_SLIDES, folder)
            if not _is_bare(folder):
                refuse_beside_tiles(context, _OF_SPLITS, folder)


def _is_bare(folder: Path) -> bool:
    """Tiles without manifest, which say neither their µm/px nor their split."""
    return is_tile_folder(folder) and not (folder / MANIFEST_FILE).exists()


def _mpp_of_each(data: Sequence[Path], given: Sequence[float]) -> list[float | None]:
    """µm/px of each bare folder; None for what knows its own, or is read at the model's."""
    bare = [folder for folder in data if _is_bare(folder)]
    if len(bare) != len(given):
        names = f" ({', '.join(map(str, bare))})" if bare else ""
        raise SettingsError(
            f"{len(bare)} folders of tiles have no {MANIFEST_FILE} to say their µm/px{names}, and "
            f"--mpp is given {len(given)} times. Give one --mpp for each, in order (the paper: 1 "
            "or 2), and none for others."
        )
    rest = iter(given)
    return [next(rest) if _is_bare(folder) else None for folder in data]


def _models(data: Sequence[Path], names: Sequence[str] | None) -> list[ModelBundle]:
    wanted: Sequence[str | None] = names or [None]
    if len(wanted) != len(data):
        raise SettingsError(
            f"{len(data)} DATA and {len(names or ())} --model are given. Give one --model for "
            "each, in order; a model or a folder may be given again."
        )
    for name in wanted:
        say_which_model(name)
    return [find_model(name) for name in wanted]


def _subject(
    folder: Path, bundle: ModelBundle, mpp: float | None, options: _Options, told: Told
) -> Subject:
    runtime = open_runtime(bundle, options.runtime.value, threads=options.threads)
    warnings: tuple[str, ...] = (SYNTHETIC,) if is_synthetic(folder) else ()
    if is_tile_folder(folder):
        tiles = FolderTiles(folder, mpp, options.split.validation, options.split.seed)
        return Subject(bundle, runtime, tiles, str(folder), warnings)
    slides = read_study(folder, options.annotations)
    splits = split_study(slides, options.split)
    settings = TileSettings(bundle.spec.mpp, options.size)
    source = SlideTiles(slides, splits, settings, options.table)
    tracts = score_tracts(
        slides, splits, bundle, runtime, options.table,
        lambda name, done, all_: told(f"tracts of slide {done} of {all_}: {escape(name)}"),
    )  # fmt: skip
    left_out = candidate_warning(source.candidates)
    warnings += (left_out,) if left_out else ()
    return Subject(bundle, runtime, source, str(folder), warnings, tracts)


def _drawn(table: Table) -> RichTable:
    drawn = RichTable(
        title=table.title,
        title_justify="left",
        caption=table.note,
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    for number, name in enumerate(table.header):
        # Folded, not cut: at 80 columns eleven numbers must still be read.
        drawn.add_column(escape(name), justify="right" if number else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*map(escape, row))
    return drawn
