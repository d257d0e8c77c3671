"""Bootstrap intervals of pooled scores, over patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.scores.confusion import Confusion, Scores, scores_of

LEAST_PATIENTS = 6
"""Fewest patients with an interval: a choice, not a law.

Resampling n patients cannot leave the span from the worst to the best patient. That span holds the
median patient with a probability of 1 - 2^(1 - n): 0.94 for 5, 0.97 for 6. So below 6 patients no
percentile interval can be a 95 % interval; with a few more it is still somewhat too narrow.
"""

_WEIGHTS_AT_ONCE = 2_000_000
"""Resampling weights in memory, 16 MB: those of a large cohort would take a gigabyte."""


@dataclass(frozen=True)
class Interval:
    """A score of all patients with its 95 % interval.

    Both are NaN for an absent class; the interval also below `LEAST_PATIENTS`.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PooledScores:
    """Scores of the patients' summed counts.

    Attributes:
        dice: by class, in the order of the classes.
        iou: likewise.
        mean_dice: mean over classes.
        mean_iou: likewise.
        patients: number of patients.
    """

    dice: tuple[Interval, ...]
    iou: tuple[Interval, ...]
    mean_dice: Interval
    mean_iou: Interval
    patients: int


def pool_scores(
    patients: Sequence[Confusion], resamples: int = 2000, seed: int = 0
) -> PooledScores:
    """Score all patients' summed counts, with percentile bootstrap intervals over patients.

    Below `LEAST_PATIENTS` the intervals are NaN.

    Args:
        patients: a confusion for each patient, summed over slides.
        resamples: number of draws, with replacement.
        seed: seed of the draws.
    """
    counts = np.array(patients)
    enough = len(counts) >= LEAST_PATIENTS
    drawn = list(_resample(counts, resamples, seed)) if enough else []
    whole = scores_of(counts.sum(axis=0))
    classes = range(counts.shape[1])
    return PooledScores(
        tuple(_interval(whole.dice[c], [s.dice[c] for s in drawn]) for c in classes),
        tuple(_interval(whole.iou[c], [s.iou[c] for s in drawn]) for c in classes),
        _interval(whole.mean_dice, [s.mean_dice for s in drawn]),
        _interval(whole.mean_iou, [s.mean_iou for s in drawn]),
        len(counts),
    )


def _resample(counts: NDArray[np.int64], resamples: int, seed: int) -> Iterator[Scores]:
    """Score every draw; the size of a block changes nothing."""
    rng, patients = np.random.default_rng(seed), len(counts)
    block = max(1, _WEIGHTS_AT_ONCE // patients)
    for first in range(0, resamples, block):
        draws = min(block, resamples - first)
        weights = rng.multinomial(patients, np.full(patients, 1 / patients), draws)
        yield from map(scores_of, np.einsum("rp,pij->rij", weights, counts))


def sum_by_key(keys: Sequence[str], counts: Sequence[Confusion]) -> dict[str, Confusion]:
    """Sum counts by key (slide or patient), in the order of the first occurrence."""
    found: dict[str, Confusion] = {}
    for key, own in zip(keys, counts, strict=True):
        found[key] = found[key] + own if key in found else own
    return found


def _interval(value: float, drawn: list[float]) -> Interval:
    known = [score for score in drawn if not np.isnan(score)]
    if not known or np.isnan(value):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(known, [2.5, 97.5])
    return Interval(value, float(low), float(high))
