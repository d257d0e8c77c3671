"""Train the default model from nothing but phantoms. Resumes where it was stopped.

Two runs: the second starts from the weights of the first, on all of the tiles. On a machine with
a graphics card and few processors, `--draw` draws the second run's tiles during the first.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass, replace
from pathlib import Path

from transformers import SegformerForSemanticSegmentation

from glisson.training.checkpoint import BEST, kept_weights, load_checkpoint
from glisson.training.devices import launched
from glisson.training.loop import Trainer
from glisson.training.network import new_network, pretrained_network
from glisson.training.phantom_tiles import PhantomTiles
from glisson.training.recipe import Recipe

RECIPE = Recipe(
    batch=64, tiles_per_epoch=12_800, warmup_steps=100, augmentation="wider", ema_decay=0.998,
    seed=5000,
)  # fmt: skip
"""Wider augmentation than for real slides; 200 steps an epoch."""

SIZE_PX = 384
"""Tiles of 768 µm at 2 µm/px: the windows that the model will see."""

FIRST_SEED = 500_000
RARE = 4.0
"""Collapse, capsule and clots, next to biopsies: otherwise each is on under 1 % of the tiles."""

VALIDATION = 240
GROUP = 250


@dataclass(frozen=True)
class Run:
    """One of the runs: how many tiles, of which it draws how many epochs, and how fast."""

    tiles: int
    epochs: int
    learning_rate: float


RUNS = (Run(2_500, 6, 8e-4), Run(6_000, 8, 6e-4))


def main() -> None:
    """Read the options and train, or draw."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("checkpoints/default"))
    options.add_argument("--weights", help="model to start from; random weights if left out")
    options.add_argument("--workers", type=int, default=0, help="processes that read tiles")
    options.add_argument("--draw", action="store_true", help="draw the tiles, train nothing")
    options.add_argument("--augmentation", default=RECIPE.augmentation)
    options.add_argument("--tiles-in", type=Path, help="folder of the tiles; FOLDER/tiles")
    for number in range(len(RUNS)):
        options.add_argument(f"--epochs-{number + 1}", type=int, default=RUNS[number].epochs)
        options.add_argument(f"--tiles-{number + 1}", type=int, default=RUNS[number].tiles)
    chosen = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    runs = [
        replace(run, epochs=getattr(chosen, f"epochs_{n}"), tiles=getattr(chosen, f"tiles_{n}"))
        for n, run in enumerate(RUNS, 1)
    ]
    folder = chosen.tiles_in or chosen.folder / "tiles"
    if chosen.draw:
        _tiles(folder, runs[-1].tiles)
        return
    network = pretrained_network(chosen.weights) if chosen.weights else new_network()
    for number, run in enumerate(runs, 1):
        recipe = replace(
            RECIPE, epochs=run.epochs, learning_rate=run.learning_rate, seed=RECIPE.seed + number,
            augmentation=chosen.augmentation,
        )  # fmt: skip
        network = _trained(
            network, recipe, _tiles(folder, run.tiles), chosen.folder / f"run-{number}", chosen
        )


def _tiles(folder: Path, count: int) -> PhantomTiles:
    return PhantomTiles(
        folder, count, VALIDATION, size_px=SIZE_PX, first_seed=FIRST_SEED, group=GROUP, rare=RARE
    )


def _trained(
    network: SegformerForSemanticSegmentation,
    recipe: Recipe,
    tiles: PhantomTiles,
    folder: Path,
    chosen: argparse.Namespace,
) -> SegformerForSemanticSegmentation:
    """The network with the weights that the run kept."""
    trainer = Trainer(
        network, tiles, recipe, folder, launched(), chosen.workers, started_from=chosen.weights
    )
    trainer.run(_Told())
    kept = new_network()
    kept.load_state_dict(kept_weights(load_checkpoint(folder / BEST)))
    return kept


class _Told:
    """Logs every epoch."""

    def step_done(self, *_: object) -> None:
        """Nothing: a line an epoch is enough."""

    def epoch_done(self, history: list[dict[str, float]], *_: object) -> None:
        """The epoch's scores."""
        row = history[-1]
        scores = (f"{key} {value:.3f}" for key, value in row.items() if "dice" in key)
        logging.info("epoch %d: %s", row["epoch"], ", ".join(scores))


if __name__ == "__main__":
    main()
