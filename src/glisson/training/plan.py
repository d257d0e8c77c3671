"""A training run from data to model: `glisson.train` and its verb."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from glisson.dataset import (
    FolderTiles,
    TileSettings,
    TileSource,
    format_candidate_warning,
    is_tile_folder,
    open_study,
)
from glisson.dataset.tile_writing import Progress as ReadProgress
from glisson.errors import SettingsError
from glisson.model import ModelBundle
from glisson.training.data import DataSettings
from glisson.training.network import (
    RANDOM,
    find_default_weights,
    find_mpp,
    find_network_of_weights,
)
from glisson.training.progress import Progress, TrainObserver
from glisson.training.provenance import describe_licence, inherit_settings
from glisson.training.recipe import Recipe, TrainSettings, make_recipe
from glisson.training.record import Record
from glisson.training.session import train_model

_PAPER_MPP = 2.0


@dataclass(frozen=True)
class TrainResult:
    """The outcome of a training run.

    Attributes:
        model: the best epoch; None on all devices but the first.
        progress: epochs, scores and times.
        warnings: on the data and the first weights.
    """

    model: ModelBundle | None
    progress: Progress
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class TrainPlan:
    """A training run whose data are read and whose network is chosen.

    Attributes:
        source: the tiles.
        recipe: network and hyperparameters.
        settings: settings that do not change the recipe's result.
        notes: on licence and settings that the model inherits from its first weights.
        warnings: on the data and the first weights.
    """

    source: TileSource
    recipe: Recipe
    settings: TrainSettings
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def run(self, out: Path, observer: TrainObserver | None = None) -> TrainResult:
        """Train, and write curves, checkpoints and the best epoch into `out`.

        Raises:
            TrainingError: as `train_model`.
        """
        observer = observer or Record(out, out.name)
        progress, bundle = train_model(self.source, self.recipe, out, self.settings, observer)
        return TrainResult(bundle, progress, self.warnings)


def plan_training(
    data: Path,
    recipe: Recipe | str,
    settings: TrainSettings,
    reading: DataSettings,
    progress: ReadProgress | None = None,
) -> TrainPlan:
    """Read the data of a training run, and choose its network by the first weights.

    Args:
        data: folder of tiles, or study of annotated slides.
        recipe: a recipe, or the name of a preset.
        settings: of the run.
        reading: how slides become tiles.
        progress: called with slide, number of slides read, number of slides.

    Raises:
        SettingsError: no such preset, or settings that do not fit the data.
        AnnotationError: annotations or tiles cannot be read.
    """
    decided = find_network_of_weights(settings.weights) if settings.weights else None
    if isinstance(recipe, str):
        recipe = make_recipe(recipe, network=decided)
    elif decided:
        recipe = replace(recipe, network=decided)
    source, left_out = _open_source(data, settings, reading, progress)
    start = settings.weights or find_default_weights(recipe.network)
    notes: tuple[str, ...] = ()
    random: str | None = None
    if start == RANDOM:
        random = f"{recipe.network} starts from random weights, from which it may find no tract."
    else:
        licence = describe_licence(settings, recipe.network)
        notes = (
            f"Starting from {start}. Licence of the new model: {licence}",
            inherit_settings(start, source.rows[0].mpp).note,
        )
    warnings = tuple(filter(None, (left_out, source.leak, random)))
    return TrainPlan(source, recipe, settings, notes, warnings)


def _open_source(
    data: Path, settings: TrainSettings, reading: DataSettings, progress: ReadProgress | None
) -> tuple[TileSource, str | None]:
    """Open tiles or slides; return a warning on candidates that slides leave out."""
    split = reading.split
    if is_tile_folder(data):
        if reading.at_mpp is not None:
            raise SettingsError(
                f"--at-mpp: {data} holds tiles, which cannot be read at another µm/px. Leave it "
                "out, or cut the slides again with it (`glisson tiles`)."
            )
        return FolderTiles(data, reading.tiles_mpp, split.validation, split.seed), None
    if reading.tiles_mpp is not None:
        raise SettingsError(
            "--mpp: slides have their own µm/px (override_mpp in cases.csv corrects it). Give "
            "--at-mpp to read them at another."
        )
    own_mpp = find_mpp(settings.weights) if settings.weights else None
    tiles = TileSettings(reading.at_mpp or own_mpp or _PAPER_MPP, reading.size_px)
    source = open_study(data, tiles, split, reading.annotations, progress)
    warnings = (format_candidate_warning(source.candidates), *source.warnings)
    return source, " ".join(filter(None, warnings)) or None
