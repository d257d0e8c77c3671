"""Intervals of pooled scores, by drawing patients again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glisson.scores.confusion import Confusion, scores_of


@dataclass(frozen=True)
class Interval:
    """A score of all patients with its 95 % interval.

    The score is NaN where a class is absent, the interval also where there is one patient only.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PooledScores:
    """Scores of counts added up over patients.

    Attributes:
        dice: by class, in the order of the classes.
        iou: likewise.
        mean_dice: mean over classes.
        mean_iou: likewise.
        patients: their number.
    """

    dice: tuple[Interval, ...]
    iou: tuple[Interval, ...]
    mean_dice: Interval
    mean_iou: Interval
    patients: int


def pooled_scores(
    patients: Sequence[Confusion], resamples: int = 2000, seed: int = 0
) -> PooledScores:
    """Scores of all patients' counts, with percentile bootstrap intervals over patients.

    Args:
        patients: one confusion a patient, its slides added up.
        resamples: draws of as many patients, with repetition.
        seed: of the draws.
    """
    counts = np.array(patients)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), resamples)
    drawn = [scores_of(each) for each in np.einsum("rp,pij->rij", weights, counts)]
    drawn = drawn if len(counts) > 1 else []
    whole = scores_of(counts.sum(axis=0))
    classes = range(counts.shape[1])
    return PooledScores(
        tuple(_interval(whole.dice[c], [s.dice[c] for s in drawn]) for c in classes),
        tuple(_interval(whole.iou[c], [s.iou[c] for s in drawn]) for c in classes),
        _interval(whole.mean_dice, [s.mean_dice for s in drawn]),
        _interval(whole.mean_iou, [s.mean_iou for s in drawn]),
        len(counts),
    )


def pooled_by(keys: Sequence[str], counts: Sequence[Confusion]) -> dict[str, Confusion]:
    """Counts added up by key (slide, patient), in order of first sight."""
    found: dict[str, Confusion] = {}
    for key, each in zip(keys, counts, strict=True):
        found[key] = found[key] + each if key in found else each
    return found


def _interval(value: float, drawn: list[float]) -> Interval:
    known = [each for each in drawn if not np.isnan(each)]
    if not known or np.isnan(value):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(known, [2.5, 97.5])
    return Interval(value, float(low), float(high))
