"""A model against labelled tiles, from scores to one page."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from glisson.classes import CLASSES
from glisson.dataset import Split, TileSource
from glisson.evaluation.gallery import best_and_worst, draw_gallery
from glisson.evaluation.page import Picture, write_page, write_tables
from glisson.evaluation.table import Table
from glisson.evaluation.tables import Scored, border_table, drift_table, table_one, table_two
from glisson.evaluation.tiles import TileScore, score_tiles
from glisson.evaluation.tracts import TractScore, cause_table, tract_table
from glisson.files import atomic_path
from glisson.model import ModelBundle, Runtime

PAGE = "evaluation.html"
_GALLERY = 6


@dataclass(frozen=True)
class Evaluation:
    """What one model scored.

    Attributes:
        scored: its tiles.
        tables: in the order of the page.
    """

    scored: Scored
    tables: tuple[Table, ...]


def evaluate_tiles(
    out: Path,
    bundle: ModelBundle,
    runtime: Runtime,
    source: TileSource,
    warnings: Sequence[str] = (),
    told: Callable[[int, int], None] | None = None,
    tracts: Sequence[TractScore] = (),
) -> Evaluation:
    """Score every tile and write tables, pictures and `evaluation.html`.

    `tracts` are scores of whole slides, from `score_tracts`, to go on the same page.
    """
    out.mkdir(parents=True, exist_ok=True)
    spec = bundle.spec
    result = Scored(f"{spec.mpp:g} µm/px", score_tiles(runtime, bundle, source, told=told))
    _write_scores(out / "tiles.csv", result.tiles)
    tables = [*_tables(result), *_tract_tables(tracts)]
    write_tables(out, tables)
    shown = result.of(Split.TEST) or result.of(Split.VALIDATION) or list(result.tiles)
    pictures = _pictures(out, shown, source, runtime)
    facts = [f"Model: {spec.name} {spec.version}, {runtime.name}", f"Trained on: {spec.trained_on}"]
    write_page(out / PAGE, f"Evaluation of {spec.name}", facts, warnings, [*tables, *pictures])
    return Evaluation(result, tuple(tables))


def _tables(result: Scored) -> list[Table]:
    tables = table_one([result])
    if result.of(Split.TEST):
        tables.append(table_two(result))
    tables.append(border_table([result]))
    if result.of(Split.TRAIN) and result.of(Split.VALIDATION):
        tables.append(drift_table(result))
    return tables


def _tract_tables(tracts: Sequence[TractScore]) -> list[Table]:
    tables = (tract_table(tracts), cause_table(tracts)) if tracts else ()
    return [table for table in tables if table is not None]


def _pictures(
    out: Path, tiles: Sequence[TileScore], source: TileSource, runtime: Runtime
) -> list[Picture]:
    pictures = []
    for name, chosen in zip(("best", "worst"), best_and_worst(tiles, _GALLERY), strict=True):
        if chosen:
            path = out / f"{name}.png"
            draw_gallery(path, chosen, source, runtime)
            names = ", ".join(f"{t.row.tile} ({t.scores.dice[2]:.2f})" for t in chosen)
            title = f"The {name} tiles, by portal Dice: tile, truth, found"
            pictures.append(
                Picture(title, path, f"{names}. At most one a slide where there are enough.")
            )
    return pictures


def _write_scores(path: Path, tiles: Sequence[TileScore]) -> None:
    with (
        atomic_path(path) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        names = [f"{kind}_{c.name}" for kind in ("dice", "iou") for c in CLASSES]
        table = csv.writer(file)
        table.writerow(["tile", "slide", "patient", "institution", "split", *names,
                        "portal_surface_dice", "portal_hd95_um", "seconds"])  # fmt: skip
        for tile in tiles:
            row, border = tile.row, tile.boundary
            scores = [f"{value:.4f}" for value in (*tile.scores.dice, *tile.scores.iou)]
            drawn = [f"{border.surface_dice:.4f}", f"{border.hd95_um:.2f}"] if border else ["", ""]
            table.writerow([row.tile, row.slide, row.patient, row.institution, row.split, *scores,
                            *drawn, f"{tile.seconds:.4f}"])  # fmt: skip
