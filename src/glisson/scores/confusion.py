"""Confusion counts, and Dice and IoU from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from glisson.classes import CLASSES

Confusion: TypeAlias = NDArray[np.int64]
"""(classes, classes) pixel counts: true class by row, predicted class by column."""

ABSENT_CLASS_RULE = (
    "A mean leaves out a class that is absent from truth and prediction; a class in only one of "
    "them scores 0."
)


@dataclass(frozen=True)
class Scores:
    """Agreement by class, in the order of `CLASSES`; NaN for a class that is absent.

    Attributes:
        dice: 2 |A and B| / (|A| + |B|).
        iou: |A and B| / |A or B|.
    """

    dice: tuple[float, ...]
    iou: tuple[float, ...]

    @property
    def mean_dice(self) -> float:
        """Return the mean Dice over the classes that are present."""
        return _mean(self.dice)

    @property
    def mean_iou(self) -> float:
        """Return the mean IoU over the classes that are present."""
        return _mean(self.iou)


def confusion(truth: NDArray[np.uint8], found: NDArray[np.uint8]) -> Confusion:
    """Count the pairs of classes of two label arrays; skip pixels whose truth is no class."""
    classes = len(CLASSES)
    known = truth < classes
    pairs = truth[known].astype(np.int64) * classes + found[known]
    counts = np.bincount(pairs, minlength=classes**2)
    return np.asarray(counts.reshape(classes, classes), np.int64)


def scores_of(counts: Confusion) -> Scores:
    """Compute Dice and IoU of counts; sum counts before to pool them."""
    overlap = np.diag(counts).astype(float)
    total = counts.sum(axis=0) + counts.sum(axis=1)
    with np.errstate(invalid="ignore"):
        dice = 2 * overlap / total
        iou = overlap / (total - overlap)
    return Scores(tuple(dice.tolist()), tuple(iou.tolist()))


def mean_of_scores(scores: Sequence[Scores]) -> Scores:
    """Average each class over patches, as the paper does, without absent classes."""
    return Scores(
        tuple(_mean([patch.dice[c] for patch in scores]) for c in range(len(CLASSES))),
        tuple(_mean([patch.iou[c] for patch in scores]) for c in range(len(CLASSES))),
    )


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
