"""A whole run: facts and preview first, then training, then the model bundle."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from numpy.typing import NDArray

from glisson.dataset import Split, TileSource
from glisson.errors import TrainingError
from glisson.model import ModelBundle, find_model, write_bundle
from glisson.model.spec import safe_name
from glisson.training.batches import SplitTiles
from glisson.training.checkpoint import BEST, LAST, kept_weights, load_checkpoint
from glisson.training.figures import draw_augmentations
from glisson.training.loop import Progress, Trainer, TrainObserver
from glisson.training.network import (
    RANDOM,
    create_network,
    default_weights,
    licence_of,
    network_name,
    normalisation_of,
)
from glisson.training.provenance import describe_data, describe_start, inherited_settings
from glisson.training.recipe import Recipe
from glisson.training.record import FACTS_FILE, PREVIEW_FILE, write_facts

logger = logging.getLogger(__name__)

MODEL_FOLDER = "model"
NOT_STATED = "Not stated by those who trained it."


@dataclass(frozen=True)
class RunSettings:
    """What surrounds a recipe.

    Attributes:
        weights: what to start from, as `create_network` takes it; None for `default_weights`.
        workers: processes that read tiles.
        resume: go on where a run in the same folder was stopped.
        licence: of what is new in the model; that of `weights` stays beside it.
        trained_on: its data, in words.
        name: of the new model; that of the folder if None.
    """

    weights: str | None = None
    workers: int = 0
    resume: bool = False
    licence: str | None = None
    trained_on: str = NOT_STATED
    name: str | None = None

    def licence_of_model(self, network: str) -> str:
        """State the licence that a model of this network will carry."""
        parts = [self.licence] if self.licence else []
        weights = self.weights or default_weights(network)
        if weights != RANDOM:
            parts.append(f"started from {weights}: {licence_of(weights, network)}")
        return "; ".join(parts) or NOT_STATED


def train_model(
    source: TileSource,
    recipe: Recipe,
    folder: Path,
    settings: RunSettings,
    observer: TrainObserver | None = None,
    fabric: Fabric | None = None,
) -> tuple[Progress, ModelBundle | None]:
    """Train and write the best epoch as a bundle (by the first device).

    Raises:
        TrainingError: the folder holds a run and `resume` is False, or the loss is no number.
        SettingsError: a split lacks tiles or classes.
    """
    if (folder / LAST).exists() and not settings.resume:
        raise TrainingError(
            f"{folder} holds a run already. Go on with --resume, or choose another folder."
        )
    torch.manual_seed(recipe.seed)
    weights = settings.weights or default_weights(recipe.network)
    settings = replace(settings, weights=weights)
    if weights == RANDOM:
        logger.warning("training %s from random weights", recipe.network)
    network = create_network(recipe.network, weights)
    recipe = replace(recipe, network=network_name(network))
    trainer = Trainer(network, source, recipe, folder, fabric, settings.workers, weights)
    first = trainer.fabric.is_global_zero
    if settings.resume:
        trainer.resume()  # before anything is written: it may be another run's folder
    if first:
        _prepare(source, recipe, folder, settings)
    progress = trainer.run(observer, resume=False)  # it is where it should be already
    bundle = package(network, source, folder, settings) if first else None
    return progress, bundle


def _prepare(source: TileSource, recipe: Recipe, folder: Path, settings: RunSettings) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    started = {"weights": settings.weights, "leak": source.leak}
    write_facts(folder / FACTS_FILE, recipe, source, started)
    training = SplitTiles(source, [row for row in source.rows if row.split is Split.TRAIN])
    draw_augmentations(folder / PREVIEW_FILE, training, recipe.augmentation, recipe.seed)


def package(
    network: torch.nn.Module,
    source: TileSource,
    folder: Path,
    settings: RunSettings,
) -> ModelBundle:
    """The best epoch of a run as a model bundle in `folder/model`."""
    state = load_checkpoint(folder / BEST)
    network.load_state_dict(kept_weights(state))
    row = source.rows[0]
    inherited = inherited_settings(settings.weights, row.mpp)
    return write_bundle(
        network,
        folder / MODEL_FOLDER,
        name=safe_name(settings.name or folder.resolve().name),
        version="1",
        mpp=row.mpp,
        window_px=row.size_px,
        normalisation=normalisation_of(network),
        licence=settings.licence_of_model(network_name(network)),
        trained_on=_trained_on(source, settings),
        intended_use="Research. Not for diagnosis.",
        self_test_tile=_drawn_tile(row.size_px),
        card=_card(folder, source, network_name(network), settings, state),
        overwrite=True,
        min_tract_probability=inherited.min_tract_probability,
        tract_evidence=inherited.tract_evidence,
        windows=inherited.windows,
    )


def _drawn_tile(size_px: int) -> NDArray[np.uint8]:
    """Cut or mirror the shipped model's drawn tile to a window: no patient travels with a model."""
    tile = find_model().self_test_tile()
    missing = max(0, size_px - min(tile.shape[:2]))
    mirrored = np.pad(tile, ((0, missing), (0, missing), (0, 0)), "symmetric")
    return mirrored[:size_px, :size_px]


def _trained_on(source: TileSource, settings: RunSettings) -> str:
    """Join what those who train say and what the run itself knows."""
    stated = None if settings.trained_on == NOT_STATED else settings.trained_on
    return f"{describe_data(source, stated)} {describe_start(settings.weights)}"


def _card(
    folder: Path,
    source: TileSource,
    network: str,
    settings: RunSettings,
    state: dict[str, Any],
) -> str:
    progress = state["progress"]
    last = progress["history"][-1]
    inherited = inherited_settings(settings.weights, source.rows[0].mpp)
    scores = "\n".join(
        f"| {key.removeprefix('validation_').replace('_', ' ')} | {value:.4f} |"
        for key, value in last.items()
        if key.startswith("validation_")
    )
    leak = f"\n**{source.leak}**\n" if source.leak else ""
    return f"""# {settings.name or folder.resolve().name}

{network}, {source.rows[0].mpp:g} µm/px. For research, not for diagnosis.

* Trained on: {_trained_on(source, settings)}
* Settings: {inherited.note or "windows of training, no least probability of a tract"}
* Licence: {settings.licence_of_model(network)}
* Best epoch: {progress["best_epoch"]}, by validation loss
{leak}
| validation tiles | |
|---|---|
{scores}

Not tested on slides of other institutions unless `glisson evaluate` says so.
"""
