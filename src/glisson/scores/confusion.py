"""Confusion counts, and Dice and IoU from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from glisson.classes import CLASSES

Confusion: TypeAlias = NDArray[np.int64]
"""(classes, classes) pixel counts: true class by row, found class by column."""

ABSENT_CLASS_RULE = (
    "A class that neither truth nor prediction has is left out of a mean; one that only one of "
    "them has scores 0."
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
        """Mean over the classes that are there."""
        return _mean(self.dice)

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that are there."""
        return _mean(self.iou)


def confusion(truth: NDArray[np.uint8], found: NDArray[np.uint8]) -> Confusion:
    """Counts of two label arrays of one shape; pixels whose truth is no class are left out."""
    classes = len(CLASSES)
    known = truth < classes
    pairs = truth[known].astype(np.int64) * classes + found[known]
    counts = np.bincount(pairs, minlength=classes**2)
    return np.asarray(counts.reshape(classes, classes), np.int64)


def scores_of(counts: Confusion) -> Scores:
    """Dice and IoU of counts; add counts up before to pool them."""
    overlap = np.diag(counts).astype(float)
    total = counts.sum(axis=0) + counts.sum(axis=1)
    with np.errstate(invalid="ignore"):
        dice = 2 * overlap / total
        iou = overlap / (total - overlap)
    return Scores(tuple(dice.tolist()), tuple(iou.tolist()))


def mean_of_scores(scores: Sequence[Scores]) -> Scores:
    """Mean of each class over patches (the paper's convention), absent classes left out."""
    return Scores(
        tuple(_mean([each.dice[c] for each in scores]) for c in range(len(CLASSES))),
        tuple(_mean([each.iou[c] for each in scores]) for c in range(len(CLASSES))),
    )


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
