"""The model part of the paper, from phantoms to one page; stopped and started, it goes on."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glisson.dataset import (
    SYNTHETIC,
    AnnotatedSlide,
    FolderTiles,
    Split,
    Splits,
    SplitSettings,
    TileSettings,
    read_study,
    split_study,
    write_tiles,
)
from glisson.errors import MissingExtra, SettingsError
from glisson.evaluation import (
    PAPER_TABLE_1,
    PAPER_TABLE_2,
    Evaluation,
    Picture,
    Subject,
    Table,
    evaluate_model,
    score_tracts,
    table_one,
    write_page,
)
from glisson.model import Exported, Format, ModelBundle, export_model, load_bundle, open_runtime
from glisson.training import require_extra
from glisson_phantom import plan_cohort
from glisson_phantom.output.study import make_cohort
from glisson_phantom.reproduction.paper import (
    cases_table,
    classes_table,
    exports_table,
    sites_table,
    training_table,
)

if TYPE_CHECKING:
    from glisson.training.progress import Progress

logger = logging.getLogger(__name__)

PAGE = "reproduce.html"
READER = ("{slide}.reader-1.geojson",)
"""Models learn from outlines as an annotator draws them, not from the exact truth."""

_COMPARED = 24
"""Tiles that were not trained on, on which exports are compared with the trained model."""

Told = Callable[[str], None]


@dataclass(frozen=True)
class ReproduceSettings:
    """Size and recipe of the rerun; as they are, about an hour on two cores.

    Attributes:
        share: part of each site's slides; 1 is the paper's 336.
        slide_mpp: µm/px of the slides; None for each scanner's own.
        preset: recipe.
        epochs: most epochs; None for the preset's.
        tiles_per_epoch: tiles drawn for an epoch; 0 for all.
        batch: tiles per step; None for the preset's.
        weights: to start from, as `glisson train` takes them; None for the network's own default.
        mpps: µm/px of the models.
        precision: of training: auto, 32, bf16 or 16.
        seed: of all that is drawn.
    """

    share: float = 0.05
    slide_mpp: float | None = 1.0
    preset: str = "glisson"
    epochs: int | None = 6
    tiles_per_epoch: int = 960
    batch: int | None = 16
    weights: str | None = None
    mpps: tuple[float, ...] = (2.0, 1.0)
    precision: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class _Trained:
    """One model of the rerun and all that was found out about it."""

    mpp: float
    source: FolderTiles
    progress: Progress
    curves: Path
    evaluation: Evaluation
    exports: tuple[Exported, ...]


def reproduce(out: Path, settings: ReproduceSettings, told: Told = logger.info) -> Path:
    """Draw a cohort, cut tiles, train, evaluate, export, and put it beside the paper's values.

    Stopped at any moment and called again, it goes on.

    Raises:
        OutputError: the folder cannot be written to.
        TrainingError: the loss is no number, or the folder holds a run of other settings.
        MissingExtra: the `train` extra is not installed.
    """
    require_extra()
    cases = plan_cohort("paper", settings.seed, settings.share, settings.slide_mpp)
    table = make_cohort(
        out / "cohort",
        cases,
        os.cpu_count() or 1,
        lambda done, all_, name: told(f"slide {done + 1} of {all_}: {name}"),
    )
    slides = read_study(table, READER)
    splits = split_study(slides, SplitSettings(seed=settings.seed))
    models = [_model(out, slides, splits, mpp, settings, told) for mpp in settings.mpps]
    write_page(
        out / PAGE,
        "HOTSPoT's model part, rerun on phantoms",
        _facts(settings),
        [SYNTHETIC],
        [sites_table(cases), cases_table(cases), *_results(out, models)],
    )
    return out / PAGE


def _model(
    out: Path,
    slides: Sequence[AnnotatedSlide],
    splits: Splits,
    mpp: float,
    settings: ReproduceSettings,
    told: Told,
) -> _Trained:
    """Everything at one µm/px, from tiles to exports."""
    from glisson.training.record import CURVES_FILE

    told(f"tiles at {mpp:g} µm/px")
    written = write_tiles(_folder(out, "tiles", mpp), slides, splits, TileSettings(mpp=mpp))
    for name, reason in written.failed.items():
        told(f"left out: {name}: {reason}")
    source = FolderTiles(_folder(out, "tiles", mpp))
    progress, bundle = _trained(out, source, mpp, settings, told)
    runtime = open_runtime(bundle)
    unseen = [slide for slide in slides if splits.of_slide[slide.name] is not Split.TRAIN]
    told(f"tracts at {mpp:g} µm/px")
    tracts = score_tracts(unseen, splits, bundle, runtime)
    told(f"evaluating at {mpp:g} µm/px")
    subject = Subject(bundle, runtime, source, str(source.folder), (SYNTHETIC,), tracts)
    evaluation = evaluate_model(_folder(out, "evaluation", mpp), subject)
    exports = tuple(_exported(_folder(out, "exported", mpp), source, bundle, told))
    curves = _folder(out, "model", mpp) / CURVES_FILE
    return _Trained(mpp, source, progress, curves, evaluation, exports)


def _folder(out: Path, what: str, mpp: float) -> Path:
    return out / f"{what}-{mpp:g}um"


def _trained(
    out: Path, source: FolderTiles, mpp: float, settings: ReproduceSettings, told: Told
) -> tuple[Progress, ModelBundle]:
    from glisson.training.devices import launch_fabric
    from glisson.training.network import find_network_of_weights
    from glisson.training.recipe import TrainSettings, make_recipe
    from glisson.training.record import Record
    from glisson.training.session import MODEL_FOLDER, train_model

    folder = _folder(out, "model", mpp)
    recipe = make_recipe(
        settings.preset,
        network=settings.weights and find_network_of_weights(settings.weights),
        epochs=settings.epochs,
        tiles_per_epoch=settings.tiles_per_epoch,
        batch=settings.batch,
        seed=settings.seed,
    )
    record = Record(
        folder,
        f"SYNTHETIC, {mpp:g} µm/px",
        on_epoch=lambda row: told(
            f"{mpp:g} µm/px, epoch {row['epoch']:.0f}: validation Dice "
            f"{row['validation_mean_dice']:.3f}, portal {row['validation_portal_dice']:.3f}"
        ),
    )
    about = TrainSettings(
        settings.weights,
        resume=True,
        trained_on="SYNTHETIC slides (phantoms).",
        fabric=launch_fabric(precision=settings.precision),
    )
    progress, _ = train_model(source, recipe, folder, about, record)
    return progress, load_bundle(folder / MODEL_FOLDER)


def _exported(
    folder: Path, source: FolderTiles, bundle: ModelBundle, told: Told
) -> Iterator[Exported]:
    unseen = [row for row in source.rows if row.split is not Split.TRAIN]
    chosen = np.random.default_rng(0).permutation(len(unseen))[:_COMPARED]
    pixels = np.stack([source.read(unseen[int(index)]).rgb for index in chosen])
    for format in Format:
        told(f"exporting {bundle.spec.name} as {format}")
        try:
            yield export_model(bundle, folder, format, pixels)
        except (MissingExtra, SettingsError) as error:  # int8, without nncf or with few tiles
            told(f"left out: {error}")


def _results(out: Path, models: Sequence[_Trained]) -> Iterator[Table | Picture]:
    """Tables and pictures in the order of the paper."""
    scored = [model.evaluation.scored for model in models]
    for model in models:
        yield classes_table(model.source.rows, model.mpp)
    yield training_table({f"{m.mpp:g} µm/px": m.progress for m in models})
    for model in models:
        yield Picture(f"Fig. 1. Learning curves, SYNTHETIC, {model.mpp:g} µm/px", model.curves)
    yield PAPER_TABLE_1
    yield from table_one(scored)
    yield PAPER_TABLE_2
    for model in models:
        yield from _own_tables(model)
        yield from _galleries(_folder(out, "evaluation", model.mpp), model.mpp)
    yield exports_table({f"{m.mpp:g} µm/px": m.exports for m in models})


def _own_tables(model: _Trained) -> Iterator[Table]:
    """What is not joined over the models, each title with its µm/px."""
    scale = f"{model.mpp:g} µm/px"
    for table in model.evaluation.tables:
        if not table.name.startswith("table-1"):
            named = scale in table.title
            yield table if named else replace(table, title=f"{table.title} ({scale})")


def _galleries(folder: Path, mpp: float) -> Iterator[Picture]:
    for name in ("best", "worst"):
        if (folder / f"{name}.png").exists():
            title = f"Fig. 4. The {name} test tiles, SYNTHETIC, {mpp:g} µm/px: tile, truth, found"
            yield Picture(title, folder / f"{name}.png")


def _facts(settings: ReproduceSettings) -> Sequence[str]:
    return (
        f"{settings.share:.0%} of the paper's 336 slides, drawn, at "
        f"{settings.slide_mpp or 'each scanner’s own'} µm/px; seed {settings.seed}",
        f"Preset {settings.preset}; started from {settings.weights or 'its usual weights'}",
        "Split by patient; the six test institutions of the paper are held out. The paper's own "
        "split was by tile.",
        "Published values are of real slides. They stand beside ours for their form; the "
        "difference says nothing about which model is better on patients.",
    )
