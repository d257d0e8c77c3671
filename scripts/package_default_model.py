"""Make the shipped bundle from a finished training run, or anew from the weights of a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from glisson.model import Normalisation, Windows, find_model, write_bundle
from glisson.model.torch_runtime import load_segformer
from glisson.phantom import render_tile
from glisson.training.checkpoint import BEST, kept_weights, load_checkpoint
from glisson.training.network import MEAN, STD, new_network

DEFAULT = Path(__file__).parents[1] / "src" / "glisson" / "model" / "default"
SELF_TEST_SEED = 900_000_003
MPP = 2.0
MIN_TRACT_PROBABILITY = 0.7
"""Chosen on phantom slides for 0.4.0 (docs/model-log.md)."""


WINDOWS = Windows(side_px=384, overlap_px=32)
"""Faster than 256 px with 64, and better: mean Dice 0.949, not 0.945 (docs/speed.md)."""


def main() -> None:
    """Read the checkpoint's averaged weights and write the bundle."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("checkpoints/default"))
    options.add_argument("--weights", help="a bundle whose weights to keep, instead of --folder")
    options.add_argument("--out", type=Path, default=DEFAULT)
    options.add_argument("--card", type=Path, default=Path("docs/model-card.md"))
    options.add_argument("--version", default="0.5.0")
    chosen = options.parse_args()
    bundle = write_bundle(
        _network(chosen.folder, chosen.weights),
        chosen.out,
        name="glisson-phantom-b0",
        version=chosen.version,
        mpp=MPP,
        window_px=256,
        normalisation=Normalisation(mean=MEAN, std=STD),
        licence="Apache-2.0",
        trained_on="Synthetic biopsies only (Glisson's phantom); no real liver, no patients.",
        intended_use="Research on H&E liver biopsies. Not for diagnosis.",
        self_test_tile=render_tile(SELF_TEST_SEED, WINDOWS.side_px, MPP).rgb,
        card=chosen.card.read_text(encoding="utf-8"),
        overwrite=True,
        min_tract_probability=MIN_TRACT_PROBABILITY,
        windows=WINDOWS,
    )
    size_mb = sum(path.stat().st_size for path in bundle.folder.iterdir()) / 1e6
    print(f"{bundle.folder}: {size_mb:.1f} MB")


def _network(folder: Path, weights: str | None) -> Any:
    if weights is not None:
        return load_segformer(find_model(weights))
    model = new_network()
    model.load_state_dict(kept_weights(load_checkpoint(folder / BEST)))
    return model


if __name__ == "__main__":
    main()
