"""Learning curves, and sheets of tiles for a person to judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, CLASSES
from glisson.files.atomic import atomic_path
from glisson.training.augment import AUGMENTATIONS, augment
from glisson.training.batches import SplitTiles

Pixels = NDArray[np.uint8]

_COLOURS = {"train": "#3b6fb6", "validation": "#d1731f"}
_PANELS = {"loss": "Loss", "mean_dice": "Mean Dice", "mean_iou": "Mean IoU"} | {
    f"{c.name}_dice": f"Dice, {c.name}" for c in CLASSES
}


def draw_curves(path: Path, history: Sequence[dict[str, float]], title: str) -> None:
    """Draw loss, Dice and IoU by epoch, training and validation (Cazzaniga et al. 2025, Fig. 1)."""
    with mpl.rc_context({"font.size": 9}):
        figure = Figure(figsize=(10, 6), layout="constrained")
        for place, (key, name) in enumerate(_PANELS.items(), 1):
            axes = figure.add_subplot(2, 3, place)
            for split, colour in _COLOURS.items():
                epochs = [row["epoch"] for row in history]
                values = [row[f"{split}_{key}"] for row in history]
                axes.plot(epochs, values, color=colour, label=split, marker=".")
            axes.set(title=name, xlabel="epoch")
            axes.grid(alpha=0.3)
        figure.axes[0].legend()
        figure.suptitle(title)
        with atomic_path(path) as unfinished:
            figure.savefig(unfinished, dpi=110, format="png")


def draw_augmentations(path: Path, tiles: SplitTiles, augmentation: str, seed: int = 0) -> None:
    """Draw six tiles, each unchanged and changed six times, with the outlines of its labels.

    A pathologist can judge from them if the changes stay within what a laboratory could make.
    """
    shares = np.array([row.portal for row in tiles.rows])
    chosen = np.argsort(-shares, kind="stable")[: max(6, len(shares) // 4)]
    chosen = np.random.default_rng(seed).permutation(chosen)[:6]
    rows = []
    for position in map(int, chosen):
        _, image, labels = tiles[position]
        images, masks = image.float().expand(6, -1, -1, -1) / 255, labels.expand(6, -1, -1)
        generator = torch.Generator().manual_seed(seed + position)
        changed, changed_masks = augment(images, masks, AUGMENTATIONS[augmentation], generator)
        panels = [draw_outlines(image.float() / 255, labels)]
        panels += [draw_outlines(*pair) for pair in zip(changed, changed_masks, strict=True)]
        framed = [np.pad(panel, ((2, 2), (2, 2), (0, 0))) for panel in panels]
        rows.append(np.concatenate(framed, axis=1))
    with atomic_path(path) as unfinished:
        cv2.imwrite(str(unfinished), np.concatenate(rows)[..., ::-1])


def draw_outlines(image: torch.Tensor, labels: torch.Tensor) -> Pixels:
    """Return (3, H, W) in 0 to 1 as (H, W, 3) uint8, with outlines of lobule and portal tracts."""
    rgb = np.ascontiguousarray((image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    for each in CLASSES:
        if each is not BACKGROUND:
            mask = (labels.numpy() == each.index).astype(np.uint8)
            contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(rgb, contours, -1, each.colour, 1)
    return rgb
