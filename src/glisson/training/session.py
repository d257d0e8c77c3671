"""A whole run: facts and preview first, then training, then the model bundle."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glisson.dataset import Split, TileSource
from glisson.errors import TrainingError
from glisson.model import ModelBundle, ModelFacts, find_model, write_bundle
from glisson.model.spec import make_safe_name
from glisson.training.batches import SplitTiles
from glisson.training.checkpoint import BEST, LAST, extract_weights, load_checkpoint
from glisson.training.figures import draw_augmentations
from glisson.training.loop import Trainer
from glisson.training.network import (
    RANDOM,
    create_network,
    find_default_weights,
    find_normalisation,
    name_network,
)
from glisson.training.progress import Progress, TrainObserver
from glisson.training.provenance import (
    describe_data,
    describe_licence,
    describe_start,
    inherit_settings,
)
from glisson.training.recipe import NOT_STATED, Recipe, TrainSettings
from glisson.training.record import FACTS_FILE, PREVIEW_FILE, write_facts

logger = logging.getLogger(__name__)

MODEL_FOLDER = "model"


def train_model(
    source: TileSource,
    recipe: Recipe,
    folder: Path,
    settings: TrainSettings,
    observer: TrainObserver | None = None,
) -> tuple[Progress, ModelBundle | None]:
    """Train a network and write the best epoch as a bundle (on the first device).

    Raises:
        TrainingError: the folder holds a run and `resume` is False, or the loss is no number.
        SettingsError: a split lacks tiles or classes.
    """
    if (folder / LAST).exists() and not settings.resume:
        raise TrainingError(
            f"{folder} holds a run already. Resume it with --resume, or choose another folder."
        )
    torch.manual_seed(recipe.seed)
    settings = replace(settings, weights=settings.weights or find_default_weights(recipe.network))
    if settings.weights == RANDOM:
        logger.warning("training %s from random weights", recipe.network)
    network = create_network(recipe.network, settings.weights)
    recipe = replace(recipe, network=name_network(network))
    trainer = Trainer(network, source, recipe, folder, settings)
    is_first = trainer.fabric.is_global_zero
    if settings.resume:
        trainer.resume()  # before anything is written: the folder may hold another run
    if is_first:
        folder.mkdir(parents=True, exist_ok=True)
        start = {"weights": settings.weights, "leak": source.leak}
        write_facts(folder / FACTS_FILE, recipe, source, start)
        training = SplitTiles(source, [row for row in source.rows if row.split is Split.TRAIN])
        draw_augmentations(folder / PREVIEW_FILE, training, recipe.augmentation, recipe.seed)
    progress = trainer.run(observer, resume=False)  # resumed above
    return progress, write_best_epoch(network, source, folder, settings) if is_first else None


def write_best_epoch(
    network: torch.nn.Module, source: TileSource, folder: Path, settings: TrainSettings
) -> ModelBundle:
    """Write the best epoch of a run as a model bundle in `folder/model`."""
    state = load_checkpoint(folder / BEST)
    network.load_state_dict(extract_weights(state))
    row, name = source.rows[0], name_network(network)
    inherited = inherit_settings(settings.weights, row.mpp)
    stated = None if settings.trained_on == NOT_STATED else settings.trained_on
    facts = ModelFacts(
        name=make_safe_name(settings.name or folder.resolve().name),
        version="1",
        mpp=row.mpp,
        window_px=row.size_px,
        normalisation=find_normalisation(network),
        licence=describe_licence(settings, name),
        trained_on=f"{describe_data(source, stated)} {describe_start(settings.weights)}",
        intended_use="Research. Not for diagnosis.",
        windows=inherited.windows,
        min_tract_probability=inherited.min_tract_probability,
        tract_evidence=inherited.tract_evidence,
    )
    card = _make_card(facts, name, state["progress"], inherited.note, source.leak)
    # The self-test's tile is the shipped model's drawn tile, which shows no patient's tissue.
    tile = find_model().self_test_tile()
    missing = max(0, row.size_px - min(tile.shape[:2]))
    tile = np.pad(tile, ((0, missing), (0, missing), (0, 0)), "symmetric")
    tile = tile[: row.size_px, : row.size_px]
    facts = replace(facts, card=card)
    return write_bundle(network, folder / MODEL_FOLDER, facts, tile, overwrite=True)


def _make_card(
    facts: ModelFacts, network: str, progress: dict[str, Any], note: str, leak: str | None
) -> str:
    scores = "\n".join(
        f"| {key.removeprefix('validation_').replace('_', ' ')} | {value:.4f} |"
        for key, value in progress["history"][-1].items()
        if key.startswith("validation_")
    )
    warning = f"\n**{leak}**\n" if leak else ""
    return f"""# {facts.name}

{network}, {facts.mpp:g} µm/px. For research, not for diagnosis.

* Trained on: {facts.trained_on}
* Settings: {note or "windows of training, no least probability of a tract"}
* Licence: {facts.licence}
* Best epoch: {progress["best_epoch"]}, by validation loss
{warning}
| validation tiles | |
|---|---|
{scores}

Not tested on slides of other institutions unless `glisson evaluate` says so.
"""
