"""The model part of the paper, from phantoms to one page; a second call resumes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    evaluate_model,
    score_tracts,
    table_one,
    write_page,
)
from glisson.model import Exported, Format, ModelBundle, export_model, load_bundle, open_runtime
from glisson.pages import Table
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
"""Tiles outside the training split on which exports are compared with the trained model."""

Report = Callable[[str], None]


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
        weights: initial weights, as for `glisson train`; None for the network's own default.
        mpps: µm/px of the models.
        precision: precision of training: auto, f32, bf16 or f16.
        seed: seed of everything random.
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
class _TrainedModel:
    """One model of the rerun, its evaluation and its exports."""

    mpp: float
    source: FolderTiles
    progress: Progress
    curves: Path
    evaluation: Evaluation
    exports: tuple[Exported, ...]


def reproduce(out: Path, settings: ReproduceSettings, report: Report = logger.info) -> Path:
    """Draw a cohort, cut tiles, train, evaluate, export, and compare with the paper on one page.

    A second call with the same folder resumes an interrupted rerun.

    Args:
        out: folder to write to.
        settings: size and recipe.
        report: receives a line of text at every step.

    Raises:
        OutputError: the folder is not writable.
        TrainingError: the loss is not finite, or the folder holds a run of other settings.
        MissingExtra: the `train` extra is not installed.
    """
    require_extra()
    cases = plan_cohort("paper", settings.seed, settings.share, settings.slide_mpp)
    table = make_cohort(
        out / "cohort",
        cases,
        os.cpu_count() or 1,
        lambda done, total, name: report(f"slide {done + 1} of {total}: {name}"),
    )
    slides = read_study(table, READER)
    splits = split_study(slides, SplitSettings(seed=settings.seed))
    models = [_Rerun(out, settings, report, mpp).run(slides, splits) for mpp in settings.mpps]
    write_page(
        out / PAGE,
        "HOTSPoT's model part, rerun on phantoms",
        _describe_settings(settings),
        [SYNTHETIC],
        [sites_table(cases), cases_table(cases), *_results(out, models)],
    )
    return out / PAGE


def _folder(out: Path, name: str, mpp: float) -> Path:
    return out / f"{name}-{mpp:g}um"


@dataclass(frozen=True)
class _Rerun:
    """The steps of one model at one µm/px, from tiles to exports."""

    out: Path
    settings: ReproduceSettings
    report: Report
    mpp: float

    def run(self, slides: Sequence[AnnotatedSlide], splits: Splits) -> _TrainedModel:
        """Run all steps."""
        from glisson.training.record import CURVES_FILE

        source = self._cut_tiles(slides, splits)
        progress, bundle = self._train(source)
        runtime = open_runtime(bundle)
        unseen = [slide for slide in slides if splits.of_slide[slide.name] is not Split.TRAIN]
        self.report(f"tracts at {self.mpp:g} µm/px")
        tracts = score_tracts(unseen, splits, bundle, runtime)
        self.report(f"evaluating at {self.mpp:g} µm/px")
        subject = Subject(bundle, runtime, source, str(source.folder), (SYNTHETIC,), tracts)
        evaluation = evaluate_model(self._folder("evaluation"), subject)
        exports = tuple(self._export(source, bundle))
        curves = self._folder("model") / CURVES_FILE
        return _TrainedModel(self.mpp, source, progress, curves, evaluation, exports)

    def _folder(self, name: str) -> Path:
        return _folder(self.out, name, self.mpp)

    def _cut_tiles(self, slides: Sequence[AnnotatedSlide], splits: Splits) -> FolderTiles:
        self.report(f"tiles at {self.mpp:g} µm/px")
        written = write_tiles(self._folder("tiles"), slides, splits, TileSettings(mpp=self.mpp))
        for name, reason in written.failed.items():
            self.report(f"left out: {name}: {reason}")
        return FolderTiles(self._folder("tiles"))

    def _train(self, source: FolderTiles) -> tuple[Progress, ModelBundle]:
        from glisson.training.devices import launch_fabric
        from glisson.training.network import find_network_of_weights
        from glisson.training.recipe import TrainSettings, make_recipe
        from glisson.training.record import Record
        from glisson.training.session import MODEL_FOLDER, train_model

        folder, settings = self._folder("model"), self.settings
        recipe = make_recipe(
            settings.preset,
            network=settings.weights and find_network_of_weights(settings.weights),
            epochs=settings.epochs,
            tiles_per_epoch=settings.tiles_per_epoch,
            batch=settings.batch,
            seed=settings.seed,
        )
        record = Record(folder, f"SYNTHETIC, {self.mpp:g} µm/px", on_epoch=self._report_epoch)
        about = TrainSettings(
            settings.weights,
            resume=True,
            trained_on="SYNTHETIC slides (phantoms).",
            fabric=launch_fabric(precision=settings.precision),
        )
        progress, _ = train_model(source, recipe, folder, about, record)
        return progress, load_bundle(folder / MODEL_FOLDER)

    def _report_epoch(self, row: Mapping[str, float]) -> None:
        self.report(
            f"{self.mpp:g} µm/px, epoch {row['epoch']:.0f}: validation Dice "
            f"{row['validation_mean_dice']:.3f}, portal {row['validation_portal_dice']:.3f}"
        )

    def _export(self, source: FolderTiles, bundle: ModelBundle) -> Iterator[Exported]:
        unseen = [row for row in source.rows if row.split is not Split.TRAIN]
        chosen = np.random.default_rng(0).permutation(len(unseen))[:_COMPARED]
        pixels = np.stack([source.read(unseen[int(index)]).rgb for index in chosen])
        for format in Format:
            self.report(f"exporting {bundle.spec.name} as {format}")
            try:
                yield export_model(bundle, self._folder("exported"), format, pixels)
            except (MissingExtra, SettingsError) as error:  # int8, without nncf or with few tiles
                self.report(f"left out: {error}")


def _results(out: Path, models: Sequence[_TrainedModel]) -> Iterator[Table | Picture]:
    """Yield tables and pictures in the order of the paper."""
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
        yield from _model_tables(model)
        yield from _gallery_pictures(_folder(out, "evaluation", model.mpp), model.mpp)
    yield exports_table({f"{m.mpp:g} µm/px": m.exports for m in models})


def _model_tables(model: _TrainedModel) -> Iterator[Table]:
    """Yield the tables of one model, with its µm/px in every title."""
    scale = f"{model.mpp:g} µm/px"
    for table in model.evaluation.tables:
        if not table.name.startswith("table-1"):
            has_scale = scale in table.title
            yield table if has_scale else replace(table, title=f"{table.title} ({scale})")


def _gallery_pictures(folder: Path, mpp: float) -> Iterator[Picture]:
    for name in ("best", "worst"):
        if (folder / f"{name}.png").exists():
            title = f"Fig. 4. The {name} test tiles, SYNTHETIC, {mpp:g} µm/px: tile, truth, found"
            yield Picture(title, folder / f"{name}.png")


def _describe_settings(settings: ReproduceSettings) -> Sequence[str]:
    return (
        f"{settings.share:.0%} of the paper's 336 slides, drawn, at "
        f"{settings.slide_mpp or 'each scanner’s own'} µm/px; seed {settings.seed}",
        f"Preset {settings.preset}; started from {settings.weights or 'its usual weights'}",
        "Split by patient; the six test institutions of the paper are held out. The paper's own "
        "split was by tile.",
        "Published values are of real slides. They stand beside ours for their form; the "
        "difference says nothing about which model is better on patients.",
    )
