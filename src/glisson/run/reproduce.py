"""The model part of the paper, from phantoms to one page; stopped and started, it goes on."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from glisson.dataset import (
    SYNTHETIC,
    FolderTiles,
    Split,
    SplitSettings,
    TileSettings,
    distributions,
    read_study,
    split_study,
    write_tiles,
)
from glisson.evaluation import (
    PAPER_TABLE_1,
    PAPER_TABLE_2,
    Picture,
    Table,
    TractScore,
    evaluate_tiles,
    score_tracts,
    write_page,
)
from glisson.model import ModelBundle, load_bundle, open_runtime
from glisson.phantom import plan_cohort
from glisson.run.phantom_cohort import make_cohort

logger = logging.getLogger(__name__)

PAGE = "reproduce.html"
READER = ("{slide}.reader-1.geojson",)
"""Models learn from outlines as an annotator draws them, not from the exact truth."""

Told = Callable[[str], None]


@dataclass(frozen=True)
class ReproduceSettings:
    """Size and recipe of the rerun.

    Attributes:
        share: part of each site's slides; 1 is the paper's 336.
        slide_mpp: µm/px of the slides; None for each scanner's own.
        preset: recipe.
        epochs: most epochs; None for the preset's.
        tiles_per_epoch: tiles drawn for an epoch; None for all.
        weights: to start from; None for random ones.
        mpps: µm/px of the models.
        precision: of training: auto, 32, bf16 or 16.
        seed: of all that is drawn.
    """

    share: float = 0.03
    slide_mpp: float | None = 1.0
    preset: str = "paper"
    epochs: int | None = None
    tiles_per_epoch: int | None = None
    weights: str | None = None
    mpps: tuple[float, ...] = (2.0, 1.0)
    precision: str = "auto"
    seed: int = 0


def reproduce(out: Path, settings: ReproduceSettings, told: Told = logger.info) -> Path:
    """Draw a cohort, cut tiles, train, evaluate, and put it beside the paper's values.

    Needs the `train` extra.

    Raises:
        OutputError: the folder cannot be written to.
        TrainingError: the loss is no number, or the folder holds a run of other settings.
    """
    cases = plan_cohort("paper", settings.seed, settings.share, settings.slide_mpp)
    table = make_cohort(
        out / "cohort",
        cases,
        os.cpu_count() or 1,
        lambda done, all_, name: told(f"slide {done + 1} of {all_}: {name}"),
    )
    slides = read_study(table, READER)
    splits = split_study(slides, SplitSettings(seed=settings.seed))
    parts: list[Table | Picture] = [PAPER_TABLE_1, PAPER_TABLE_2]
    for mpp in settings.mpps:
        folder = out / f"tiles-{mpp:g}um"
        told(f"tiles at {mpp:g} µm/px")
        write_tiles(folder, slides, splits, TileSettings(mpp=mpp))
        bundle = _trained(out, FolderTiles(folder), mpp, settings, told)
        unseen = [slide for slide in slides if splits.of_slide[slide.name] is not Split.TRAIN]
        told(f"tracts at {mpp:g} µm/px")
        tracts = score_tracts(unseen, splits, bundle, open_runtime(bundle))
        parts += _evaluated(out, FolderTiles(folder), bundle, tracts, told)
    page = out / PAGE
    write_page(
        page, "HOTSPoT's model part, rerun on phantoms", _facts(settings), [SYNTHETIC], parts
    )
    return page


def _trained(
    out: Path, source: FolderTiles, mpp: float, settings: ReproduceSettings, told: Told
) -> ModelBundle:
    from glisson.training.devices import launched
    from glisson.training.recipe import preset
    from glisson.training.record import Record
    from glisson.training.session import MODEL_FOLDER, RunSettings, train_model

    run = _run_folder(out, mpp)
    recipe = preset(
        settings.preset, epochs=settings.epochs, tiles_per_epoch=settings.tiles_per_epoch,
        seed=settings.seed,
    )  # fmt: skip
    record = Record(
        run,
        f"SYNTHETIC, {mpp:g} µm/px",
        epoch_told=lambda row: told(
            f"{mpp:g} µm/px, epoch {row['epoch']:.0f}: validation Dice "
            f"{row['validation_mean_dice']:.3f}"
        ),
    )
    about = RunSettings(settings.weights, resume=True, trained_on="SYNTHETIC slides (phantoms).")
    fabric = launched(precision=settings.precision)
    train_model(source, recipe, run, about, record, fabric)
    return load_bundle(run / MODEL_FOLDER)


def _run_folder(out: Path, mpp: float) -> Path:
    return out / f"model-{mpp:g}um"


def _evaluated(
    out: Path,
    source: FolderTiles,
    bundle: ModelBundle,
    tracts: Sequence[TractScore],
    told: Told,
) -> list[Table | Picture]:
    from glisson.training.record import CURVES_FILE

    mpp = bundle.spec.mpp
    told(f"evaluating at {mpp:g} µm/px")
    folder = out / f"evaluation-{mpp:g}um"
    runtime = open_runtime(bundle)
    tables = evaluate_tiles(folder, bundle, runtime, source, [SYNTHETIC], tracts=tracts)
    curves = _run_folder(out, mpp) / CURVES_FILE
    pictures = [Picture(f"Learning curves (Fig. 1), SYNTHETIC, {mpp:g} µm/px", curves)]
    for name in ("best", "worst"):
        title = f"The {name} test tiles, SYNTHETIC, {mpp:g} µm/px: tile, truth, found"
        if (folder / f"{name}.png").exists():
            pictures.append(Picture(title, folder / f"{name}.png"))
    return [_classes(source, mpp), *tables, *pictures]


def _classes(source: FolderTiles, mpp: float) -> Table:
    rows = tuple(
        (str(d.split), str(d.tiles), str(d.slides), str(d.patients),
         *(f"{100 * share:.1f}" for share in d.shares))
        for d in distributions(source.rows)
    )  # fmt: skip
    return Table(
        "classes",
        f"Tiles and classes, SYNTHETIC, {mpp:g} µm/px",
        ("", "Tiles", "Slides", "Patients", "Background %", "Lobule %", "Portal %"),
        rows,
        "The paper reports 17, 71 and 12 %.",
    )


def _facts(settings: ReproduceSettings) -> Sequence[str]:
    return (
        f"{settings.share:.0%} of the paper's 336 slides, drawn, at "
        f"{settings.slide_mpp or 'each scanner’s own'} µm/px; seed {settings.seed}",
        f"Preset {settings.preset}; started from {settings.weights or 'random weights'}",
        "Split by patient; the six test institutions of the paper are held out. The paper's own "
        "split was by tile.",
        "Published values are of real slides. They stand beside ours for their form; the "
        "difference says nothing about which model is better on patients.",
    )
