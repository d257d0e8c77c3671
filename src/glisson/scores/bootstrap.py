"""Intervals of pooled scores, by drawing patients again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.scores.confusion import Confusion, Scores, scores_of

LEAST_PATIENTS = 6
"""Fewest patients that are given an interval: a choice, not a law.

Drawing n patients again cannot leave the span from the worst to the best of them, and that span
holds the median patient with a probability of 1 - 2^(1 - n): 0.94 for 5, 0.97 for 6. So under 6
no interval of this kind can be a 95 % one; with a few more it is still somewhat too narrow.
"""

_WEIGHTS_AT_ONCE = 2_000_000
"""Drawn numbers held at a time, 16 MB: all draws of a large cohort would take a gigabyte."""


@dataclass(frozen=True)
class Interval:
    """A score of all patients with its 95 % interval.

    The score is NaN where a class is absent, the interval also where there are fewer than
    `LEAST_PATIENTS`.
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

    Fewer than `LEAST_PATIENTS` give no interval.

    Args:
        patients: one confusion a patient, its slides added up.
        resamples: draws of as many patients, with repetition.
        seed: of the draws.
    """
    counts = np.array(patients)
    enough = len(counts) >= LEAST_PATIENTS
    drawn = list(_drawn(counts, resamples, seed)) if enough else []
    whole = scores_of(counts.sum(axis=0))
    classes = range(counts.shape[1])
    return PooledScores(
        tuple(_interval(whole.dice[c], [s.dice[c] for s in drawn]) for c in classes),
        tuple(_interval(whole.iou[c], [s.iou[c] for s in drawn]) for c in classes),
        _interval(whole.mean_dice, [s.mean_dice for s in drawn]),
        _interval(whole.mean_iou, [s.mean_iou for s in drawn]),
        len(counts),
    )


def _drawn(counts: NDArray[np.int64], resamples: int, seed: int) -> Iterator[Scores]:
    """Scores of each draw; the same whatever is held at once."""
    rng, patients = np.random.default_rng(seed), len(counts)
    block = max(1, _WEIGHTS_AT_ONCE // patients)
    for first in range(0, resamples, block):
        draws = min(block, resamples - first)
        weights = rng.multinomial(patients, np.full(patients, 1 / patients), draws)
        yield from map(scores_of, np.einsum("rp,pij->rij", weights, counts))


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
