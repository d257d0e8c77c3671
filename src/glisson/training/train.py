"""Train a network on a folder of tiles or a study of slides: `glisson.train` and its verb.

This module imports torch only when `train` runs, so that settings can be made without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from glisson.dataset import (
    AnnotationSettings,
    FolderTiles,
    SplitSettings,
    TileSettings,
    TileSource,
    candidate_warning,
    is_tile_folder,
    open_study,
)
from glisson.errors import SettingsError
from glisson.training import require_extra

if TYPE_CHECKING:
    from glisson.model import ModelBundle
    from glisson.training.recipe import Recipe, TrainSettings

PAPER_MPP = 2.0
"""µm/px of the paper's first model, at which slides are read by default."""


@dataclass(frozen=True)
class TrainingTiles:
    """How data become tiles; only `tile_mpp` and `split` apply to a folder of tiles.

    Attributes:
        at_mpp: µm/px to read slides at; None for the µm/px of the weights, or 2.
        tile_mpp: the tiles' own µm/px, for a folder without manifest.
        size_px: side of the tiles that are read from slides.
        split: which slides train, validate and test; its share and seed for tiles without manifest.
        annotations: names of the annotation files and meanings of their classes.
    """

    at_mpp: float | None = None
    tile_mpp: float | None = None
    size_px: int = 256
    split: SplitSettings = field(default_factory=SplitSettings)
    annotations: AnnotationSettings = field(default_factory=AnnotationSettings)


@dataclass(frozen=True)
class Devices:
    """Where a training computes.

    Attributes:
        accelerator: `cpu`, `cuda`, `mps` or `auto`.
        devices: number of devices, or `auto` for all.
        nodes: number of machines; each runs the same command.
        precision: `f32`, `bf16`, `f16`, or `auto` for bf16 where the device computes with it.
        workers: extra processes that read tiles.
    """

    accelerator: str = "auto"
    devices: str = "1"
    nodes: int = 1
    precision: Literal["auto", "f32", "bf16", "f16"] = "auto"
    workers: int = 0


@dataclass(frozen=True)
class ModelLabels:
    """What a new model says of itself.

    Attributes:
        name: its name; None for that of the folder.
        licence: of what is new in the model; the licence of the weights stays beside it.
        trained_on: the training data, in words.
    """

    name: str | None = None
    licence: str | None = None
    trained_on: str | None = None


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of a training.

    Attributes:
        preset: recipe to start from: `glisson` or `paper`.
        changes: fields of `Recipe` that differ from the preset; those of None stay.
        weights: to start from: `imagenet`, a model's name or folder, a name on the hub, or
            `random`; None for the network's default.
        tiles: how data become tiles.
        devices: where to compute.
        labels: what the new model says of itself.
        resume: resume the run in the same folder.
    """

    preset: str = "glisson"
    changes: Mapping[str, Any] = field(default_factory=dict)
    weights: str | None = None
    tiles: TrainingTiles = field(default_factory=TrainingTiles)
    devices: Devices = field(default_factory=Devices)
    labels: ModelLabels = field(default_factory=ModelLabels)
    resume: bool = False


@dataclass(frozen=True)
class TrainingResult:
    """A finished training.

    Attributes:
        model: the best epoch as a model; None on all devices but the first.
        history: a row of scores for each epoch.
        best_epoch: epoch of the lowest validation loss, counted from 1.
        seconds: of work, without work that a kill undid.
    """

    model: ModelBundle | None
    history: Sequence[Mapping[str, float]]
    best_epoch: int
    seconds: float


class TrainingWatcher(Protocol):
    """A watcher of a training; only the first device calls the methods after `run_started`."""

    def slide_read(self, name: str, done: int, total: int) -> None:
        """Receive the number of slides whose annotations have been read."""
        ...

    def run_started(self, epochs: int, notes: Sequence[str], warnings: Sequence[str]) -> None:
        """Receive the largest number of epochs, and what a person should know before the run."""
        ...

    def step_done(self, epoch: int, batch: int, batches: int, loss: float) -> None:
        """Receive the loss of an optimiser step."""
        ...

    def epoch_done(self, row: dict[str, float]) -> None:
        """Receive the scores of an epoch."""
        ...


def train(
    data: str | Path,
    out: str | Path,
    settings: TrainingSettings | None = None,
    watcher: TrainingWatcher | None = None,
) -> TrainingResult:
    """Train a network and write its best epoch as a model into `out/model`.

    The folder also gets curves, TensorBoard logs, checkpoints, and a sheet of augmented tiles.

    Args:
        data: folder of tiles, or study of annotated slides.
        out: folder to write to.
        settings: recipe, first weights, tiles and devices.
        watcher: called as the run goes on.

    Raises:
        MissingExtra: the extra `train` is not installed.
        SettingsError: settings do not fit each other or the data, or a split lacks tiles.
        AnnotationError: slides without annotations, or annotations without a slide.
        ModelNotFound: there are no such weights.
        TrainingError: `out` holds a run that is not to be resumed, or the loss is no number.
    """
    require_extra()
    from glisson.training.devices import launch_fabric
    from glisson.training.recipe import NOT_STATED, TrainSettings
    from glisson.training.record import Record
    from glisson.training.session import train_model

    settings, folder = settings or TrainingSettings(), Path(out)
    recipe = _choose_recipe(settings)
    devices, labels = settings.devices, settings.labels
    fabric = launch_fabric(devices.accelerator, devices.devices, devices.nodes, devices.precision)
    source, left_out = _open_tiles(Path(data), settings, watcher)
    chosen = TrainSettings(
        weights=settings.weights,
        workers=devices.workers,
        resume=settings.resume,
        licence=labels.licence,
        trained_on=labels.trained_on or NOT_STATED,
        name=labels.name,
        fabric=fabric,
    )
    notes, warnings = _describe_start(chosen, recipe, source)
    if watcher:
        warnings = [*filter(None, [left_out, source.leak]), *warnings]
        watcher.run_started(recipe.epochs, notes, warnings)
    record = Record(
        folder,
        f"{folder.name}: {settings.preset}",
        watcher.step_done if watcher else None,
        watcher.epoch_done if watcher else None,
    )
    progress, model = train_model(source, recipe, folder, chosen, record)
    return TrainingResult(model, progress.history, progress.best_epoch, progress.seconds)


def _choose_recipe(settings: TrainingSettings) -> Recipe:
    """Make the recipe, whose network the weights may decide."""
    from glisson.training.network import find_network_of_weights
    from glisson.training.recipe import make_recipe

    network = settings.changes.get("network")
    decided = find_network_of_weights(settings.weights) if settings.weights else None
    if decided and network:
        raise SettingsError("The weights to start from decide the network: leave --network out.")
    return make_recipe(settings.preset, **{**settings.changes, "network": network or decided})


def _open_tiles(
    data: Path, settings: TrainingSettings, watcher: TrainingWatcher | None
) -> tuple[TileSource, str | None]:
    """Open tiles or slides; return a warning on candidates left out, too."""
    from glisson.training.network import find_mpp

    tiles = settings.tiles
    if is_tile_folder(data):
        if tiles.at_mpp is not None:
            raise SettingsError(
                f"--at-mpp: {data} holds tiles, which cannot be read at another µm/px. Leave it "
                "out, or cut the slides again with it (`glisson tiles`)."
            )
        seed = tiles.split.seed
        return FolderTiles(data, tiles.tile_mpp, tiles.split.validation, seed), None
    if tiles.tile_mpp is not None:
        raise SettingsError(
            "--mpp: slides have their own µm per pixel (override_mpp in cases.csv corrects it). "
            "Give --at-mpp to read them at another."
        )
    mpp = tiles.at_mpp or (find_mpp(settings.weights) if settings.weights else None) or PAPER_MPP
    slides = open_study(
        data,
        TileSettings(mpp, tiles.size_px),
        tiles.split,
        tiles.annotations,
        watcher.slide_read if watcher else None,
    )
    return slides, candidate_warning(slides.candidates)


def _describe_start(
    settings: TrainSettings, recipe: Recipe, source: TileSource
) -> tuple[list[str], list[str]]:
    """Return notes and warnings on the weights that the training starts from."""
    from glisson.training.network import RANDOM, find_default_weights
    from glisson.training.provenance import describe_licence, inherit_settings

    start = settings.weights or find_default_weights(recipe.network)
    if start == RANDOM:
        return [], [
            f"{recipe.network} starts from random weights, from which it may find no tract."
        ]
    licence = describe_licence(settings, recipe.network)
    note = inherit_settings(start, source.rows[0].mpp).note
    return [f"Starting from {start}. Licence of the new model: {licence}", note], []
