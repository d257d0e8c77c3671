"""Draw the phantom tiles of the default model with the phantom that is first on the path."""

from __future__ import annotations

import argparse
from pathlib import Path

from glisson.dataset import TileSource

MPP = 1.5
"""µm/px of the tiles, which show 0.7 to 1.35 times as much."""
SIZE_PX = 256
FIRST_SEED = 800_000
COUNT, VALIDATION = 1500, 64

RARE = 4.0
"""Factor on collapse, capsule and clots: without it each is on under 1 % of the tiles."""


def draw_tiles(folder: Path, count: int = COUNT) -> TileSource:
    """Draw the tiles that the folder lacks."""
    look = {"mpp": MPP, "size_px": SIZE_PX, "first_seed": FIRST_SEED}
    try:  # the phantom of an earlier commit, which the target `model` of the Makefile uses
        from glisson.training.phantom_tiles import PhantomTiles as EarlierTiles
    except ImportError:
        from glisson_phantom.training_tiles import PhantomTiles, PhantomTileSettings

        settings = PhantomTileSettings(count, VALIDATION, rare_lesions=RARE, **look)
        return PhantomTiles(folder, settings)
    return EarlierTiles(folder, count, VALIDATION, rare=RARE, **look)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    draw_tiles(options.parse_args().folder)
