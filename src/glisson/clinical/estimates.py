"""An estimate with its interval, and the bootstrap over patients."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glisson.errors import StudyError
from glisson.scores import LEAST_PATIENTS

Values = NDArray[np.float64]
Statistic = Callable[..., float]
Bounds = tuple[float, float]

CONFIDENCE_PERCENT = 95
TOO_FEW = f"none: fewer than {LEAST_PATIENTS} patients"
BOOTSTRAP = "bootstrap over patients"
OFTEN_UNDEFINED = "none: in more than 5 % of draws the number does not exist"

_TAILS_PERCENT = (2.5, 97.5)
_LEAST_DEFINED = 0.95
"""Share of draws in which a statistic must exist: an interval of the others would be theirs."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval.

    Attributes:
        value: NaN where it does not exist.
        low: NaN where there is no interval.
        high: likewise.
        interval: how it was found, or why there is none.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    interval: str = TOO_FEW


@dataclass(frozen=True)
class PatientBootstrap:
    """Draws of patients, each with all its slides.

    Attributes:
        patients: the patient of each slide.
        resamples: draws of as many patients, with repetition.
        seed: of the draws; the same seed draws the same patients for every statistic.
    """

    patients: tuple[str, ...]
    resamples: int = 2000
    seed: int = 0

    @cached_property
    def groups(self) -> list[NDArray[np.intp]]:
        """Slides of each patient, as indices."""
        _, codes = np.unique(np.array(self.patients, dtype=str), return_inverse=True)
        return [np.flatnonzero(codes == code) for code in range(codes.max(initial=-1) + 1)]

    @property
    def repeats(self) -> bool:
        """Whether a patient has several slides."""
        return len(self.groups) < len(self.patients)

    def draws(self) -> Iterator[NDArray[np.intp]]:
        """Slides of each draw, as indices."""
        rng = np.random.default_rng(self.seed)
        for _ in range(self.resamples):
            chosen = rng.integers(len(self.groups), size=len(self.groups))
            yield np.concatenate([self.groups[patient] for patient in chosen])

    def estimate(self, statistic: Statistic, *arrays: Values) -> Estimate:
        """A statistic with the percentile interval of its draws (Efron & Tibshirani 1993, ch. 13).

        Args:
            statistic: of `arrays`; NaN where it does not exist.
            arrays: each with one element a slide.
        """
        value = _quietly(statistic, *arrays)
        if len(self.groups) < LEAST_PATIENTS:
            return Estimate(value)
        drawn = np.array(
            [_quietly(statistic, *(each[rows] for each in arrays)) for rows in self.draws()]
        )
        known = drawn[np.isfinite(drawn)]
        if math.isnan(value) or len(known) < _LEAST_DEFINED * self.resamples:
            return Estimate(value, interval=OFTEN_UNDEFINED)
        if np.ptp(known) == 0:
            return Estimate(value, interval="none: the same in every draw")
        low, high = np.percentile(known, _TAILS_PERCENT)
        return Estimate(value, float(low), float(high), BOOTSTRAP)

    def closed(
        self, statistic: Statistic, bounds: Callable[..., Bounds], name: str, *arrays: Values
    ) -> Estimate:
        """A statistic with an interval by formula where every patient has one slide.

        Formulas take slides as independent; where a patient has several, draws take their place.

        Args:
            statistic: of `arrays`.
            bounds: lower and upper bound from `arrays`; NaN where the formula has none.
            name: of the formula.
            arrays: each with one element a slide.
        """
        if self.repeats:
            return self.estimate(statistic, *arrays)
        value = _quietly(statistic, *arrays)
        if len(self.groups) < LEAST_PATIENTS:
            return Estimate(value)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            low, high = bounds(*arrays)
        if not (math.isfinite(value) and math.isfinite(high - low) and low < high):
            return Estimate(value, interval=f"none: {name} gives none for these values")
        return Estimate(value, float(low), float(high), name)


def check_pairs(first: Values, second: Values, least: int = 3) -> None:
    """Refuse what no statistic of pairs can be made of.

    Raises:
        StudyError: fewer than `least` pairs, or a column with a missing value.
    """
    if len(first) != len(second):
        raise StudyError(f"{len(first)} and {len(second)} values make no pairs.")
    if len(first) < least:
        raise StudyError(f"Too few cases have both: {len(first)}, and {least} are needed.")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise StudyError("A value is missing; leave out its slide before.")


def check_varies(values: Values, name: str) -> None:
    """Refuse a constant column.

    Raises:
        StudyError: all values are the same.
    """
    if np.ptp(values) == 0:
        raise StudyError(f"{name} is {values[0]:g} in every case, so nothing can go with it.")


def _quietly(statistic: Statistic, *arrays: Values) -> float:
    """A statistic without its warnings: a draw of equal values is expected, and gives NaN."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return float(statistic(*arrays))
