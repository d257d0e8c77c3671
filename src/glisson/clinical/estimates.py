"""Estimates with intervals, and the bootstrap over patients."""

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
NORMAL_QUANTILE = 1.96
UPPER_TAIL = 0.975
TOO_FEW = f"none: fewer than {LEAST_PATIENTS} patients"
BOOTSTRAP = "bootstrap over patients"
OFTEN_UNDEFINED = "none: in more than 5 % of draws the number does not exist"

_TAILS_PERCENT = (2.5, 97.5)
_LEAST_DEFINED = 0.95
"""Least share of draws in which a statistic must exist; fewer would bias its interval."""


@dataclass(frozen=True)
class Estimate:
    """Number with its 95 % interval.

    Attributes:
        value: NaN if it does not exist.
        low: lower bound; NaN without interval.
        high: upper bound; NaN without interval.
        interval: method of the interval, or why there is no interval.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    interval: str = TOO_FEW


@dataclass(frozen=True)
class PatientBootstrap:
    """Bootstrap that draws patients with all their slides.

    Attributes:
        patients: the patient of each slide.
        resamples: number of draws, each of as many patients, with replacement.
        seed: of the draws; the same for every statistic, which then share their draws.
    """

    patients: tuple[str, ...]
    resamples: int = 2000
    seed: int = 0

    @cached_property
    def groups(self) -> list[NDArray[np.intp]]:
        """Return the indices of each patient's slides."""
        _, codes = np.unique(np.array(self.patients, dtype=str), return_inverse=True)
        return [np.flatnonzero(codes == code) for code in range(codes.max(initial=-1) + 1)]

    @property
    def repeats(self) -> bool:
        """Return whether a patient has several slides."""
        return len(self.groups) < len(self.patients)

    def draws(self) -> Iterator[NDArray[np.intp]]:
        """Yield the indices of each draw's slides."""
        rng = np.random.default_rng(self.seed)
        for _ in range(self.resamples):
            chosen = rng.integers(len(self.groups), size=len(self.groups))
            yield np.concatenate([self.groups[patient] for patient in chosen])

    def estimate(self, statistic: Statistic, *arrays: Values) -> Estimate:
        """Estimate a statistic with its percentile interval (Efron & Tibshirani 1993, ch. 13).

        Args:
            statistic: function of `arrays`; NaN if it does not exist.
            arrays: each with one element for each slide.
        """
        value = _compute(statistic, *arrays)
        if len(self.groups) < LEAST_PATIENTS:
            return Estimate(value)
        drawn = np.array(
            [_compute(statistic, *(each[rows] for each in arrays)) for rows in self.draws()]
        )
        known = drawn[np.isfinite(drawn)]
        if math.isnan(value) or len(known) < _LEAST_DEFINED * self.resamples:
            return Estimate(value, interval=OFTEN_UNDEFINED)
        if np.ptp(known) == 0:
            return Estimate(value, interval="none: the same in every draw")
        low, high = np.percentile(known, _TAILS_PERCENT)
        return Estimate(value, float(low), float(high), BOOTSTRAP)

    def estimate_by_formula(
        self, statistic: Statistic, bounds: Callable[..., Bounds], name: str, *arrays: Values
    ) -> Estimate:
        """Estimate a statistic with an interval by formula, or by draws.

        Formulas treat slides as independent, so draws replace them if a patient has several.

        Args:
            statistic: function of `arrays`.
            bounds: lower and upper bound from `arrays`; NaN if the formula has none.
            name: of the formula.
            arrays: each with one element for each slide.
        """
        if self.repeats:
            return self.estimate(statistic, *arrays)
        value = _compute(statistic, *arrays)
        if len(self.groups) < LEAST_PATIENTS:
            return Estimate(value)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            low, high = bounds(*arrays)
        if not (math.isfinite(value) and math.isfinite(high - low) and low < high):
            return Estimate(value, interval=f"none: {name} gives none for these values")
        return Estimate(value, float(low), float(high), name)


def check_pairs(first: Values, second: Values, least: int = 3) -> None:
    """Reject arrays without statistics of pairs.

    Raises:
        StudyError: fewer than `least` pairs, or a column with a missing value.
    """
    if len(first) != len(second):
        raise StudyError(f"{len(first)} and {len(second)} values make no pairs.")
    if len(first) < least:
        raise StudyError(f"Too few cases have both: {len(first)}, and {least} are needed.")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise StudyError("A value is missing; leave out its slide.")


def check_varies(values: Values, name: str) -> None:
    """Reject a constant column.

    Raises:
        StudyError: all values are equal.
    """
    if np.ptp(values) == 0:
        raise StudyError(f"{name} is {values[0]:g} in every case, so nothing can go with it.")


def _compute(statistic: Statistic, *arrays: Values) -> float:
    """Compute a statistic without warnings: a draw of equal values is expected and gives NaN."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return float(statistic(*arrays))
