"""Train the default model from nothing but phantoms. Resumes where it was stopped."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from glisson.training.loop import Trainer
from glisson.training.network import new_network
from glisson.training.phantom_tiles import PhantomTiles
from glisson.training.recipe import Recipe

RECIPE = Recipe(
    epochs=10, batch=32, tiles_per_epoch=220 * 32, learning_rate=1e-3, warmup_steps=150, seed=1000
)


def main() -> None:
    """Read the options and train."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("checkpoints/default"))
    options.add_argument("--epochs", type=int, default=RECIPE.epochs)
    options.add_argument("--tiles", type=int, default=4500)
    chosen = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    tiles = PhantomTiles(chosen.folder / "tiles", training=chosen.tiles, validation=240)
    recipe = replace(RECIPE, epochs=chosen.epochs)
    Trainer(new_network(recipe.variant), tiles, recipe, chosen.folder).run()


if __name__ == "__main__":
    main()
