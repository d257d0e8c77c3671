"""Train the default model from nothing but phantoms. Resumes where it was stopped."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from glisson.train.loop import Trainer
from glisson.train.recipe import Recipe


def main() -> None:
    """Read the options and train."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("checkpoints/default"))
    options.add_argument("--rounds", type=int, default=Recipe.rounds)
    chosen = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    Trainer(replace(Recipe(), rounds=chosen.rounds), chosen.folder).run()


if __name__ == "__main__":
    main()
