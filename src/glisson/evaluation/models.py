"""Evaluation of models on labelled tiles, from scores to one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from glisson.classes import CLASSES
from glisson.dataset import Split, TileRow, TileSource
from glisson.evaluation.gallery import best_and_worst, draw_gallery
from glisson.evaluation.page import Link, Picture, write_page
from glisson.evaluation.tables import (
    Scored,
    border_table,
    drift_table,
    has_drift,
    table_one,
    table_two,
)
from glisson.evaluation.tiles import TileScore, score_tiles
from glisson.evaluation.tract_tables import cause_table, content_table, size_table, tract_table
from glisson.evaluation.tracts import TractScore
from glisson.files.csv_tables import write_rows
from glisson.files.json_files import read_json
from glisson.model import ModelBundle, Runtime
from glisson.pages import Table, write_tables

PAGE = "evaluation.html"
_GALLERY = 6
_RECORD = "train.json"
_NAMED = 3

Progress = Callable[[int, int], None]
"""Progress callback: number of tiles done, number of tiles."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of one model.

    Attributes:
        scored: its tiles.
        tables: in the order of the page.
        warnings: of the page: on the data, and on slides the model was trained on.
    """

    scored: Scored
    tables: tuple[Table, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvaluationResult:
    """Evaluations of one or several models.

    Attributes:
        evaluations: of each model, by a name that no other model has.
        tables: of all models; with several, table 1 and the borders.
        warnings: of all models.
        page: `evaluation.html`.
    """

    evaluations: dict[str, Evaluation]
    tables: tuple[Table, ...]
    warnings: tuple[str, ...]
    page: Path


@dataclass(frozen=True)
class Subject:
    """Model and its data.

    Attributes:
        bundle: the model.
        runtime: runs the model.
        source: the tiles.
        data: description of the tiles, such as their folder.
        warnings: for the page.
        tracts: scores of whole slides, from `score_tracts`.
    """

    bundle: ModelBundle
    runtime: Runtime
    source: TileSource
    data: str
    warnings: tuple[str, ...] = ()
    tracts: Sequence[TractScore] = ()


def evaluate_model(out: Path, subject: Subject, progress: Progress | None = None) -> Evaluation:
    """Score every tile; write tables, pictures and `evaluation.html`.

    Args:
        out: folder to write to.
        subject: the model and its data.
        progress: called with number of tiles done, number of tiles.

    Raises:
        SettingsError: the tiles have another µm/px than the model.
        OutputError: `out` cannot be written to.
    """
    out.mkdir(parents=True, exist_ok=True)
    spec, source, runtime = subject.bundle.spec, subject.source, subject.runtime
    found = (source.leak, _warn_of_training_slides(subject.bundle, source.rows))
    warnings = tuple(dict.fromkeys((*subject.warnings, *filter(None, found))))
    tiles = score_tiles(runtime, subject.bundle, source, progress)
    result = Scored(f"{spec.mpp:g} µm/px", tiles)
    rows = [_make_score_row(tile) for tile in tiles]
    write_rows(out / "tiles.csv", list(rows[0]), rows)
    tables = _make_tables(result, subject.tracts)
    write_tables(out, tables)
    shown = result.of(Split.TEST) or result.of(Split.VALIDATION) or tiles
    pictures = []
    for name, chosen in zip(("best", "worst"), best_and_worst(shown, _GALLERY), strict=True):
        if chosen:
            path = out / f"{name}.png"
            draw_gallery(path, chosen, source, runtime)
            names = ", ".join(f"{t.row.tile} ({t.scores.dice[2]:.2f})" for t in chosen)
            title = f"The {name} tiles, by portal Dice: tile, truth, found"
            pictures.append(Picture(title, path, f"{names}. First one tile of each slide."))
    facts = [f"Model: {spec.name} {spec.version}, {runtime.name}", f"Trained on: {spec.trained_on}"]
    write_page(out / PAGE, f"Evaluation of {spec.name}", facts, warnings, [*tables, *pictures])
    return Evaluation(result, tuple(tables), warnings)


def evaluate_models(
    out: Path,
    bundles: Sequence[ModelBundle],
    subjects: Iterable[Subject],
    progress: Progress | None = None,
) -> EvaluationResult:
    """Evaluate each model on its own data, and join table 1 and the borders.

    One model is evaluated into `out`. Each of several models gets a folder in `out`, named by
    its µm/px if no other model has the same, else by its name. The joined tables and an
    `evaluation.html` with links to the others lie in `out`.

    Args:
        out: folder to write to.
        bundles: the models.
        subjects: one for each model, in the same order; each is drawn after the one before is
            written.
        progress: called with number of tiles done, number of tiles of this model.

    Raises:
        SettingsError: tiles have another µm/px than their model.
        OutputError: a folder cannot be written to.
    """
    if len(bundles) == 1:
        (subject,) = subjects
        evaluation = evaluate_model(out, subject, progress)
        (name,) = _name_models(bundles)
        return EvaluationResult(
            {name: evaluation}, evaluation.tables, evaluation.warnings, out / PAGE
        )
    evaluations: dict[str, Evaluation] = {}
    links = []
    for name, subject in zip(_name_models(bundles), subjects, strict=True):
        folder = name.replace(" µm/px", "um").replace(" ", "-")
        evaluations[name] = evaluate_model(out / folder, subject, progress)
        spec = subject.bundle.spec
        text = f"{name}: {spec.name} {spec.version} on {subject.data}"
        links.append(Link(text, f"{folder}/{PAGE}"))
    scored = [replace(each.scored, name=name) for name, each in evaluations.items()]
    tables = (*table_one(scored), border_table(scored))
    pairs = [(name, text) for name, each in evaluations.items() for text in each.warnings]
    counts = Counter(text for _, text in pairs)
    # A warning that all models share names no model.
    lines = [t if counts[t] == len(evaluations) else f"{name}: {t}" for name, t in pairs]
    warnings = tuple(dict.fromkeys(lines))
    write_tables(out, tables)
    write_page(out / PAGE, f"Evaluation of {len(bundles)} models", links, warnings, tables)
    return EvaluationResult(evaluations, tables, warnings, out / PAGE)


def _name_models(bundles: Sequence[ModelBundle]) -> list[str]:
    """Name each model by its µm/px, or by its own name, or by its name and a number."""
    specs = [bundle.spec for bundle in bundles]
    own = [spec.name for spec in specs]
    for names in ([f"{spec.mpp:g} µm/px" for spec in specs], own):
        # Some file systems take A and a for one folder.
        if len({name.casefold() for name in names}) == len(names):
            return names
    return [f"{name} {number}" for number, name in enumerate(own, 1)]


def _make_tables(result: Scored, tracts: Sequence[TractScore]) -> list[Table]:
    tables = table_one([result])
    if result.of(Split.TEST):
        tables.append(table_two(result))
    tables.append(border_table([result]))
    if has_drift(result):
        tables.append(drift_table(result))
    if tracts:
        makers = (tract_table, size_table, content_table, cause_table)
        tables += [table for make in makers if (table := make(tracts)) is not None]
    return tables


def _make_score_row(tile: TileScore) -> dict[str, str]:
    row, border, scores = tile.row, tile.boundary, tile.scores
    names = [f"{kind}_{c.name}" for kind in ("dice", "iou") for c in CLASSES]
    values = [f"{value:.4f}" for value in (*scores.dice, *scores.iou)]
    return {
        "tile": row.tile,
        "slide": row.slide,
        "patient": row.patient,
        "institution": row.institution,
        "split": row.split,
        **dict(zip(names, values, strict=True)),
        "portal_surface_dice": f"{border.surface_dice:.4f}" if border else "",
        "portal_hd95_um": f"{border.hd95_um:.2f}" if border else "",
        "seconds": f"{tile.seconds:.4f}",
    }


def _warn_of_training_slides(bundle: ModelBundle, rows: Sequence[TileRow]) -> str | None:
    """Return a warning if training slides of the model are scored as unseen slides.

    `glisson train` records their names beside the model's folder. The bundle itself holds no
    names: identifiers of slides would travel with the model.
    """
    try:
        named = read_json(bundle.folder.resolve().parent / _RECORD).get("training_slides")
    except (OSError, ValueError):
        return None
    trained = set(map(str, named)) if isinstance(named, list) else set()
    unseen = {row.slide for row in rows if row.split is not Split.TRAIN}
    both = sorted(trained & unseen)
    if not both:
        return None
    more = ", ..." if len(both) > _NAMED else ""
    return (
        f"Slides scored as validation or test have the names of slides that {bundle.spec.name} "
        f"was trained on, {len(both)} in all ({', '.join(both[:_NAMED])}{more}): their scores are "
        "too good. Give the tiles of its training, or the split options of its training."
    )
