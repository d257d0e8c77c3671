"""Train the default model: ImageNet encoder, phantom tiles, and a few real fields where given.

A killed run resumes. The script saves the weights of every epoch, so that a person can choose the
epoch by real tissue: phantom scores rise while real ones fall.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import torch
from draw_training_tiles import COUNT, MPP, SIZE_PX, draw_tiles
from picture_tiles import JoinedTiles, PictureTiles, read_pictures

from glisson.dataset import TileSource
from glisson.files.atomic import atomic_path
from glisson.training.devices import launch_fabric
from glisson.training.loop import Trainer
from glisson.training.network import create_network
from glisson.training.recipe import Recipe, TrainSettings

RECIPE = Recipe(
    network="efficientnet-lite0",
    epochs=3,
    batch=16,
    tiles_per_epoch=1600,
    learning_rate=2e-3,
    encoder_rate=0.1,
    warmup_steps=40,
    augmentation="wide",
    ema_decay=0.995,
    seed=8000,
)
"""Few steps: more of them raise scores on phantoms and lower them on real liver."""

MIT_FIELDS = ("lq01", "lq02", "lq03", "mgh_f2a", "mgh_f2e")
"""Real fields that may be trained on, with attribution (LICENSES.md)."""

CUTS_SEED = 7_000


def main() -> None:
    """Read the options and train."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("checkpoints/default"))
    options.add_argument("--network", default=RECIPE.network)
    options.add_argument("--epochs", type=int, default=RECIPE.epochs)
    options.add_argument("--tiles-per-epoch", type=int, default=RECIPE.tiles_per_epoch)
    options.add_argument("--tiles", type=int, default=COUNT, help="phantom tiles")
    options.add_argument("--fields", type=Path, help="what real-dev/build.py wrote, for MIT fields")
    options.add_argument("--cuts", type=int, default=500, help="tiles cut from the MIT fields")
    options.add_argument("--seed", type=int, default=RECIPE.seed)
    options.add_argument("--workers", type=int, default=0, help="processes that read tiles")
    chosen = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    recipe = replace(
        RECIPE,
        network=chosen.network,
        epochs=chosen.epochs,
        tiles_per_epoch=chosen.tiles_per_epoch,
        seed=chosen.seed,
    )
    torch.manual_seed(recipe.seed)
    trainer = Trainer(
        create_network(recipe.network),
        read_tiles(chosen.folder, chosen.tiles, chosen.fields, chosen.cuts),
        recipe,
        chosen.folder,
        TrainSettings("imagenet", chosen.workers, fabric=launch_fabric()),
    )
    trainer.run(_EpochSaver(trainer, chosen.folder))


def read_tiles(folder: Path, phantoms: int, fields: Path | None, cuts: int) -> TileSource:
    """Draw the phantom tiles that the folder lacks, and cut the fields if given."""
    phantom_tiles = draw_tiles(folder / "tiles", phantoms)
    if fields is None:
        logging.warning("no --fields: trained on phantoms alone")
        return phantom_tiles
    pictures = read_pictures(fields, MIT_FIELDS)
    return JoinedTiles([phantom_tiles, PictureTiles(pictures, cuts, MPP, SIZE_PX, CUTS_SEED)])


class _EpochSaver:
    """An observer that saves the validated weights of every epoch and logs its scores."""

    def __init__(self, trainer: Trainer, folder: Path) -> None:
        self._trainer, self._folder = trainer, folder

    def step_done(self, *_: object) -> None:
        """Do nothing: a line an epoch is enough."""

    def epoch_done(self, history: list[dict[str, float]], *_: object) -> None:
        """Save the weights and log the scores."""
        row = history[-1]
        with atomic_path(self._folder / f"epoch-{row['epoch']:.0f}.pt") as unfinished:
            torch.save(self._trainer.validation_network.state_dict(), unfinished)
        scores = (f"{key} {value:.3f}" for key, value in row.items() if "dice" in key)
        logging.info("epoch %d: %s", row["epoch"], ", ".join(scores))


if __name__ == "__main__":
    main()
