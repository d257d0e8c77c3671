"""Make the shipped bundle from a finished training run, or anew from the weights of a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from train_default_model import MPP

from glisson.model import Normalisation, Windows, find_model, write_bundle
from glisson.model.networks import load_network
from glisson.phantom import render_tile
from glisson.training.checkpoint import BEST, kept_weights, load_checkpoint
from glisson.training.network import MEAN, STD, new_network

DEFAULT = Path(__file__).parents[1] / "src" / "glisson" / "model" / "default"
SELF_TEST_SEED = 900_000_003
MIN_TRACT_PROBABILITY = 0.8
"""Chosen on phantom slides of training institutions for 0.7.0 (docs/model-log.md)."""

WINDOWS = Windows(side_px=384, overlap_px=32)
"""0.4.0: faster than 256 px with 64, and better (docs/speed.md); 0.6.0: no worse than 512 px."""


def main() -> None:
    """Read the checkpoint's averaged weights and write the bundle."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("checkpoints/default"))
    options.add_argument("--weights", help="a bundle whose weights to keep, instead of --folder")
    options.add_argument("--mean-with", help="a bundle whose weights to average with the run's")
    options.add_argument("--out", type=Path, default=DEFAULT)
    options.add_argument("--card", type=Path, default=Path("docs/model-card.md"))
    options.add_argument("--version", default="0.7.0")
    chosen = options.parse_args()
    bundle = write_bundle(
        _network(chosen.folder, chosen.weights, chosen.mean_with),
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


def _network(folder: Path, weights: str | None, mean_with: str | None) -> Any:
    if weights is not None:
        return load_network(find_model(weights))
    model = new_network()
    kept = kept_weights(load_checkpoint(folder / BEST))
    if mean_with is not None:
        others = load_network(find_model(mean_with)).state_dict()
        kept = {name: _mean(tensor, others[name]) for name, tensor in kept.items()}
    model.load_state_dict(kept)
    return model


def _mean(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Halfway between the weights before a training and after it: what the training forgot of
    pictures unlike its own comes back (Wortsman et al., CVPR 2022: WiSE-FT).
    """
    return ((one.double() + other.double()) / 2).to(one.dtype)


if __name__ == "__main__":
    main()
