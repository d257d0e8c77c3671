"""Draw the phantom tiles of the default model that a folder lacks.

`make model` draws the tiles beforehand, with the older phantom of the default model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from glisson_phantom.training_tiles import PhantomTiles, PhantomTileSettings

MPP = 1.5
"""µm/px of the tiles, whose fields are 0.7 to 1.35 times as wide."""
SIZE_PX = 256
FIRST_SEED = 800_000
COUNT, VALIDATION = 1500, 64

RARE = 4.0
"""Frequency of collapse, capsule and clots; as in biopsies, under 1 % of tiles show each."""


def draw_tiles(folder: Path, count: int = COUNT) -> PhantomTiles:
    """Draw the tiles that the folder lacks."""
    settings = PhantomTileSettings(
        count, VALIDATION, mpp=MPP, size_px=SIZE_PX, first_seed=FIRST_SEED, rare_lesions=RARE
    )
    return PhantomTiles(folder, settings)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    draw_tiles(options.parse_args().folder)
