"""Scores of a network's output on labelled tiles, counted on the device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from glisson.classes import CLASSES
from glisson.scores import Confusion, scores_of


def predict_classes(logits: Tensor, size_px: tuple[int, ...]) -> Tensor:
    """Enlarge (N, C, h, w) logits to (H, W) and return the (N, H, W) classes."""
    full = functional.interpolate(
        logits.detach().float(), size_px, mode="bilinear", align_corners=False
    )
    return full.argmax(dim=1)


def count_confusion(logits: Tensor, labels: Tensor) -> Confusion:
    """Count (truth, prediction) pairs as `scores.confusion` does, but on the device."""
    classes = len(CLASSES)
    known = labels < classes
    predicted = predict_classes(logits, labels.shape[-2:])[known]
    pairs = labels[known].long() * classes + predicted
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes).cpu().numpy()


def make_score_row(split: str, counts: Confusion) -> dict[str, float]:
    """Name the scores of a split as columns of the history."""
    scores = scores_of(counts)
    row = {f"{split}_mean_dice": scores.mean_dice, f"{split}_mean_iou": scores.mean_iou}
    for each, dice, iou in zip(CLASSES, scores.dice, scores.iou, strict=True):
        row |= {f"{split}_{each.name}_dice": dice, f"{split}_{each.name}_iou": iou}
    return row
