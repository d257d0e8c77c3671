"""Draw the phantom tiles of the default model with whichever phantom is on the path."""

from __future__ import annotations

import argparse
from pathlib import Path

try:  # the phantom of an earlier commit, first on the path (target `model` of the Makefile)
    from glisson.training.phantom_tiles import PhantomTiles
except ImportError:
    from glisson_phantom.training_tiles import PhantomTiles

MPP = 1.5
"""µm/px of the tiles, which show 0.7 to 1.35 times as much."""
SIZE_PX = 256
FIRST_SEED = 800_000
COUNT, VALIDATION = 1500, 64

RARE = 4.0
"""Factor on collapse, capsule and clots: without it each is on under 1 % of the tiles."""


def draw_tiles(folder: Path, count: int = COUNT) -> PhantomTiles:
    """Draw the tiles that the folder lacks."""
    return PhantomTiles(
        folder,
        count,
        VALIDATION,
        mpp=MPP,
        size_px=SIZE_PX,
        first_seed=FIRST_SEED,
        rare=RARE,
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    draw_tiles(options.parse_args().folder)
