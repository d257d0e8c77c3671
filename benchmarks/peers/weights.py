"""The shipped weights as TorchScript, for the peers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from glisson.classes import CLASSES
from glisson.model import ModelBundle
from glisson.model.networks.families import load_network

PIXELS, TILES = "pixels.pt", "tiles.pt"
WINDOW_PX = 256
MPP = 1.0


class _Pixels(torch.nn.Module):
    """The network from (N, 3, H, W) RGB, 0 to 1, to (N, 3, H, W) probabilities."""

    def __init__(self, network: Any, mean: Any, std: Any) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("std", torch.tensor(std)[:, None, None])

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        logits = self.network(pixel_values=(rgb - self.mean) / self.std).logits
        size = (WINDOW_PX, WINDOW_PX)
        full = functional.interpolate(logits, size, mode="bilinear", align_corners=False)
        return full.softmax(1)


class _Tiles(torch.nn.Module):
    """The network's mean over a tile, as logits, for programs that classify tiles."""

    def __init__(self, pixels: _Pixels) -> None:
        super().__init__()
        self.pixels = pixels

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        return self.pixels(rgb).mean(dim=(2, 3)).clamp_min(1e-6).log()


def write_weights(bundle: ModelBundle, folder: Path) -> None:
    """Write `pixels.pt`, `tiles.pt` and WSInfer's `config.json`, with the folded decoder."""
    folder.mkdir(parents=True, exist_ok=True)
    norm = bundle.spec.normalisation
    pixels = _Pixels(load_network(bundle), norm.mean, norm.std).eval()
    example = torch.zeros(2, 3, WINDOW_PX, WINDOW_PX)
    with torch.no_grad():
        torch.jit.trace(pixels, example).save(folder / PIXELS)
        torch.jit.trace(_Tiles(pixels).eval(), example).save(folder / TILES)
    config = {
        "spec_version": "1.0",
        "architecture": "segformer",
        "num_classes": len(CLASSES),
        "class_names": [kind.name for kind in CLASSES],
        "name": bundle.spec.name,
        "patch_size_pixels": WINDOW_PX,
        "spacing_um_px": MPP,
        "transform": [
            {"name": "Resize", "arguments": {"size": WINDOW_PX}},
            {"name": "ToTensor"},
        ],
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))
