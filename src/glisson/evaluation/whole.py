"""A model against labelled tiles, from scores to one page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from glisson.classes import CLASSES
from glisson.dataset import Split, TileRow, TileSource
from glisson.evaluation.gallery import best_and_worst, draw_gallery
from glisson.evaluation.page import Link, Picture, write_page, write_tables
from glisson.evaluation.table import Table
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
from glisson.model import ModelBundle, Runtime

PAGE = "evaluation.html"
_GALLERY = 6
_RECORD = "train.json"
_NAMED = 3


@dataclass(frozen=True)
class Evaluation:
    """What one model scored.

    Attributes:
        scored: its tiles.
        tables: in the order of the page.
        warnings: on the page: those given, and what was found out about the slides.
    """

    scored: Scored
    tables: tuple[Table, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvaluationResult:
    """The evaluations of one or several models.

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
    """A model and what it is scored on.

    Attributes:
        bundle: the model.
        runtime: what runs it.
        source: the tiles.
        data: where they come from, in words.
        warnings: for the page.
        tracts: scores of whole slides, from `score_tracts`.
    """

    bundle: ModelBundle
    runtime: Runtime
    source: TileSource
    data: str
    warnings: tuple[str, ...] = ()
    tracts: Sequence[TractScore] = ()


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
    found_out = (source.leak, _seen_in_training(bundle, source.rows))
    warned = tuple(dict.fromkeys((*warnings, *filter(None, found_out))))
    result = Scored(f"{spec.mpp:g} µm/px", score_tiles(runtime, bundle, source, told=told))
    _write_scores(out / "tiles.csv", result.tiles)
    tables = [*_tables(result), *_tract_tables(tracts)]
    write_tables(out, tables)
    shown = result.of(Split.TEST) or result.of(Split.VALIDATION) or list(result.tiles)
    pictures = _pictures(out, shown, source, runtime)
    facts = [f"Model: {spec.name} {spec.version}, {runtime.name}", f"Trained on: {spec.trained_on}"]
    write_page(out / PAGE, f"Evaluation of {spec.name}", facts, warned, [*tables, *pictures])
    return Evaluation(result, tuple(tables), warned)


def evaluate_pairs(
    out: Path,
    bundles: Sequence[ModelBundle],
    subjects: Iterable[Subject],
    told: Callable[[int, int], None] | None = None,
) -> EvaluationResult:
    """Evaluate each model on its own data, and join table 1 and the borders.

    One pair is evaluated into `out` itself. Of several each gets a folder in `out`, named after
    the model's µm/px where that tells them apart, else after the model; `out` gets the joined
    tables, and an `evaluation.html` that leads to the others.

    Args:
        out: folder to write to.
        bundles: the models, one a pair.
        subjects: one a model, in the same order; each is taken when the one before is written.
        told: hears how many tiles of a pair are done, of how many.

    Raises:
        SettingsError: tiles have another µm/px than their model.
        OutputError: a folder cannot be written to.
    """
    names = _told_apart(bundles)
    several = len(names) > 1
    found: dict[str, Evaluation] = {}
    links = []
    for name, subject in zip(names, subjects, strict=True):
        folder = _folder(name) if several else "."
        found[name] = _evaluated(out / folder, subject, told)
        links.append(Link(f"{name}: {_model(subject)} on {subject.data}", f"{folder}/{PAGE}"))
    return _joined(out, found, links) if several else _alone(out, found)


def _evaluated(
    folder: Path, subject: Subject, told: Callable[[int, int], None] | None
) -> Evaluation:
    return evaluate_tiles(
        folder, subject.bundle, subject.runtime, subject.source, subject.warnings, told,
        subject.tracts,
    )  # fmt: skip


def _told_apart(bundles: Sequence[ModelBundle]) -> list[str]:
    """A name for each model: its µm/px, or its own name, or that with a number."""
    specs = [bundle.spec for bundle in bundles]
    own = [spec.name for spec in specs]
    for names in ([f"{spec.mpp:g} µm/px" for spec in specs], own):
        # some systems take A and a for one folder
        if len({name.casefold() for name in names}) == len(names):
            return names
    return [f"{name} {number}" for number, name in enumerate(own, 1)]


def _folder(name: str) -> str:
    return name.replace(" µm/px", "um").replace(" ", "-")


def _model(subject: Subject) -> str:
    return f"{subject.bundle.spec.name} {subject.bundle.spec.version}"


def _alone(out: Path, found: dict[str, Evaluation]) -> EvaluationResult:
    (evaluation,) = found.values()
    return EvaluationResult(found, evaluation.tables, evaluation.warnings, out / PAGE)


def _joined(out: Path, found: dict[str, Evaluation], links: Sequence[Link]) -> EvaluationResult:
    scored = [replace(evaluation.scored, name=name) for name, evaluation in found.items()]
    tables = (*table_one(scored), border_table(scored))
    warnings = _joined_warnings(found)
    write_tables(out, tables)
    write_page(out / PAGE, f"Evaluation of {len(found)} models", links, warnings, tables)
    return EvaluationResult(found, tables, warnings, out / PAGE)


def _joined_warnings(found: dict[str, Evaluation]) -> tuple[str, ...]:
    """What all share once, the rest with the name of the model it is about."""
    every = [(name, text) for name, each in found.items() for text in each.warnings]
    counts = Counter(text for _, text in every)
    told = (text if counts[text] == len(found) else f"{name}: {text}" for name, text in every)
    return tuple(dict.fromkeys(told))


def _tables(result: Scored) -> list[Table]:
    tables = table_one([result])
    if result.of(Split.TEST):
        tables.append(table_two(result))
    tables.append(border_table([result]))
    if has_drift(result):
        tables.append(drift_table(result))
    return tables


def _tract_tables(tracts: Sequence[TractScore]) -> list[Table]:
    if not tracts:
        return []
    make = (tract_table, size_table, content_table, cause_table)
    return [table for each in make if (table := each(tracts)) is not None]


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
    rows = [_score_row(tile) for tile in tiles]
    write_rows(path, list(rows[0]), rows)


def _score_row(tile: TileScore) -> dict[str, str]:
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


def _seen_in_training(bundle: ModelBundle, rows: Sequence[TileRow]) -> str | None:
    """A warning where slides that the model was trained on are scored as unseen ones.

    They are named by the record beside the model's folder, which `glisson train` leaves there.
    A bundle names none itself: identifiers of slides would travel with the model to others.
    """
    trained = _training_slides(bundle.folder.resolve().parent / _RECORD)
    unseen = {row.slide for row in rows if row.split is not Split.TRAIN}
    both = sorted(trained & unseen)
    if not both:
        return None
    more = ", ..." if len(both) > _NAMED else ""
    return (
        f"Slides scored as validation or test have the names of slides that {bundle.spec.name} "
        f"was trained on, {len(both)} in all ({', '.join(both[:_NAMED])}{more}): their scores are "
        "too good. Give the tiles that it was trained on, or the split options of its training."
    )


def _training_slides(record: Path) -> set[str]:
    """Slides that a run's record names; none where there is no record, or not one of ours."""
    try:
        facts = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    named = facts.get("training_slides") if isinstance(facts, dict) else None
    return set(map(str, named)) if isinstance(named, list) else set()
