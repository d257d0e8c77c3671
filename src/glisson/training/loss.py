"""The loss: weighted cross-entropy and soft Dice, without the ignored pixels."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from glisson.classes import CLASSES, LOBULE, PORTAL
from glisson.dataset import IGNORED
from glisson.training.recipe import Recipe


def compute_loss(logits: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    """Compute the loss of (N, C, h, w) logits against (N, H, W) labels, at full resolution.

    A batch of ignored pixels alone costs 0.
    """
    logits = functional.interpolate(
        logits.float(), size=labels.shape[-2:], mode="bilinear", align_corners=False
    )
    labels = labels.long()
    weights = torch.tensor(recipe.class_weights, device=logits.device)
    entropy = functional.cross_entropy(
        logits, labels, weights, ignore_index=IGNORED, reduction="sum"
    )
    known = labels != IGNORED
    entropy = entropy / weights[labels[known]].sum().clamp_min(1e-6)
    if not recipe.dice_share:
        return entropy
    return entropy + recipe.dice_share * _compute_dice_loss(logits, labels, known[:, None])


def _compute_dice_loss(logits: Tensor, labels: Tensor, known: Tensor) -> Tensor:
    truth = functional.one_hot(labels.clamp_max(len(CLASSES) - 1), len(CLASSES))
    truth = truth.permute(0, 3, 1, 2) * known
    chance = logits.softmax(dim=1) * known
    overlap = (chance * truth).sum(dim=(0, 2, 3))
    total = chance.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3))
    return 1 - ((2 * overlap + 1) / (total + 1)).mean()


def ignore_border(labels: NDArray[np.uint8], half_width_px: float) -> NDArray[np.uint8]:
    """Set (H, W) labels this near the lobule-portal border to `IGNORED`."""
    side = 2 * round(half_width_px) + 1
    if side < 3:
        return labels
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    portal = cv2.dilate((labels == PORTAL.index).astype(np.uint8), kernel)
    lobule = cv2.dilate((labels == LOBULE.index).astype(np.uint8), kernel)
    return np.where((portal & lobule) > 0, np.uint8(IGNORED), labels)
