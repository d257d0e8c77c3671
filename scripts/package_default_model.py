"""Make the shipped bundle from the weights of epochs, or from those of another bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from draw_training_tiles import SIZE_PX
from train_default_model import RECIPE

from glisson.model import ModelFacts, TractEvidence, Windows, find_model, write_bundle
from glisson.model.networks.families import load_network
from glisson.training.network import LITE_LICENCE, create_random_network, find_normalisation
from glisson_phantom import render_tile

NAME = "glisson-lite0"
DEFAULT = Path(__file__).parents[1] / "src" / "glisson" / "model" / "default"
SELF_TEST_SEED = 900_000_003
SELF_TEST_PX = 256
MPP = 1.25
"""Finer than its tiles (1.5): of 1.0 to 2.5 µm/px better than 1.5 on real tissue, and two thirds of
the cost of 1.0 (research/model-log.md)."""

EVIDENCE = TractEvidence(sure_probability=0.5, min_sure_area_um2=1000.0)
"""A tract of 1,500 µm² needs a mean probability of 0.83, one of 20,000 µm² 0.53."""

WINDOWS = Windows(side_px=384, overlap_px=32)
"""0.4.0: faster than 256 px with 64, and better (docs/speed.md); 0.6.0: no worse than 512 px."""

TRAINED_ON = (
    "Synthetic biopsies (Glisson's phantom) and cuts of five real fields (MIT); encoder pretrained "
    "on ImageNet. Epoch and limits chosen by real fields that were not trained on."
)


def main() -> None:
    """Read the weights, average them where there are several, and write the bundle."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("weights", nargs="*", type=Path, help="files epoch-N.pt to average")
    options.add_argument("--bundle", help="a bundle to take the weights of instead")
    options.add_argument("--network", default=RECIPE.network)
    options.add_argument("--out", type=Path, default=DEFAULT)
    options.add_argument("--card", type=Path, default=Path("docs/model-card.md"))
    options.add_argument("--version", default="0.8.0")
    chosen = options.parse_args()
    network = (
        load_network(find_model(chosen.bundle))
        if chosen.bundle
        else average_network(chosen.network, chosen.weights)
    )
    facts = ModelFacts(
        name=NAME,
        version=chosen.version,
        mpp=MPP,
        window_px=SIZE_PX,
        normalisation=find_normalisation(network),
        licence=f"Apache-2.0; encoder: {LITE_LICENCE}",
        trained_on=TRAINED_ON,
        intended_use="Research on H&E liver biopsies. Not for diagnosis.",
        card=chosen.card.read_text(encoding="utf-8"),
        tract_evidence=EVIDENCE,
        windows=WINDOWS,
    )
    tile = render_tile(SELF_TEST_SEED, SELF_TEST_PX, MPP).rgb
    bundle = write_bundle(network, chosen.out, facts, tile, overwrite=True)
    size_mb = sum(path.stat().st_size for path in bundle.folder.iterdir()) / 1e6
    print(f"{bundle.folder}: {size_mb:.1f} MB")


def average_network(name: str, files: list[Path]) -> Any:
    """Average the weights of several trainings that began alike (Wortsman et al., ICML 2022)."""
    states = [torch.load(file, map_location="cpu", weights_only=True) for file in files]
    network = create_random_network(name)
    network.load_state_dict(
        {
            key: torch.stack([s[key].double() for s in states]).mean(0).to(states[0][key].dtype)
            for key in states[0]
        }
    )
    return network.eval()


if __name__ == "__main__":
    main()
