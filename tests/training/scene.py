"""Small tiles whose classes show in their colours: a network learns them within seconds."""

from __future__ import annotations

import numpy as np
import torch
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from glisson.dataset import Split, TilePixels, TileRow, measure_class_shares
from glisson.training.recipe import Recipe
from tests.scenes import GLASS, LOBULE, PORTAL

SIDE = 64
QUICK = Recipe(epochs=4, batch=8, learning_rate=4e-3, warmup_steps=2, ema_decay=0.8)


class ColourTiles:
    """A tile source in memory."""

    leak = None

    def __init__(self, training: int = 24, validation: int = 8, portal: bool = True) -> None:
        rng = np.random.default_rng(3)
        self._tiles: dict[str, TilePixels] = {}
        self.rows = tuple(
            self._row(
                rng, f"t{number}", Split.TRAIN if number < training else Split.VALIDATION, portal
            )
            for number in range(training + validation)
        )

    def read(self, row: TileRow) -> TilePixels:
        return self._tiles[row.tile]

    def _row(self, rng: np.random.Generator, name: str, split: Split, portal: bool) -> TileRow:
        labels = np.ones((SIDE, SIDE), np.uint8)
        labels[:, : rng.integers(8, 30)] = 0
        y, x = rng.integers(0, 30, 2)
        if portal:
            labels[y : y + 24, x + 10 : x + 34] = 2
        noise = rng.normal(0, 6, (SIDE, SIDE, 3))
        rgb = np.array([GLASS, LOBULE, PORTAL], float)[labels] + noise
        self._tiles[name] = TilePixels(rgb.clip(0, 255).astype(np.uint8), labels)
        background, lobule, tract = measure_class_shares(labels)
        return TileRow(
            tile=name, slide=name, patient=name, institution="here", diagnosis="none", split=split,
            mpp=2.0, size_px=SIDE, x_px=0, y_px=0, x_l0=0, y_l0=0, width_l0=SIDE, height_l0=SIDE,
            background=background, lobule=lobule, portal=tract, ignored=0,
        )  # fmt: skip


def tiny_network() -> SegformerForSemanticSegmentation:
    """A SegFormer small enough for a test, with the dropout that big ones have."""
    torch.manual_seed(0)
    return SegformerForSemanticSegmentation(
        SegformerConfig(
            num_labels=3, depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 24, 32],
            num_attention_heads=[1, 1, 1, 1], decoder_hidden_size=32,
        )
    )  # fmt: skip
