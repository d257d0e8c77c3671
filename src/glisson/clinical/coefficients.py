"""Coefficients of agreement of two observers, with intervals by formula.

Arrays hold one value for each slide, in the same order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from glisson.clinical.estimates import NORMAL_QUANTILE, UPPER_TAIL, Bounds, Values

Weights = Literal["linear", "quadratic"]

F_INTERVAL, LIN_INTERVAL = "F distribution", "Lin's z"
_ROUNDING = 1e-12


def kappa(first: Values, second: Values, weights: Weights | None = None) -> float:
    """Compute Cohen's kappa (Cohen 1960, 1968) of whole counts, or of yes (1) and no (0).

    The categories are every whole number in the union of both ranges; a category that nobody
    uses adds nothing to the disagreement and is left out of the table. NaN if both observers give
    the same value to every slide.
    """
    values, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    if len(values) < 2:
        return math.nan
    counts = np.zeros((len(values), len(values)))
    np.add.at(counts, (places[: len(first)], places[len(first) :]), 1)
    distances = None if weights is None else values
    with np.errstate(all="ignore"):
        return float(cohens_kappa(counts, weights=distances, wt=weights, return_results=False))


def concordance(first: Values, second: Values) -> float:
    """Compute Lin's CCC with variances over n (Lin, Biometrics 1989); NaN if both are constant.

    For whole counts it equals quadratic weighted kappa.
    """
    covariance = float(np.mean((first - first.mean()) * (second - second.mean())))
    scale = first.var() + second.var() + (first.mean() - second.mean()) ** 2
    return 2 * covariance / float(scale) if scale > 0 else math.nan


def concordance_bounds(first: Values, second: Values) -> Bounds:
    """Return the 95 % interval of CCC by Fisher's z (Lin 1989, variance corrected in 2000)."""
    p, r = concordance(first, second), float(np.corrcoef(first, second)[0, 1])
    if not (abs(p) > _ROUNDING and abs(r) > _ROUNDING and 1 - p**2 > _ROUNDING):
        return math.nan, math.nan
    u2 = (first.mean() - second.mean()) ** 2 / (first.std() * second.std())
    inner = (
        (1 - r**2) * p**2 * (1 - p**2) / r**2
        + 2 * p**3 * (1 - p) * u2 / r
        - p**4 * u2**2 / (2 * r**2)
    )
    half = NORMAL_QUANTILE * math.sqrt(max(inner, 0) / (len(first) - 2)) / (1 - p**2)
    return math.tanh(math.atanh(p) - half), math.tanh(math.atanh(p) + half)


@dataclass(frozen=True)
class _MeanSquares:
    """Mean squares of a two-way table of n slides by two observers."""

    slides: float
    observers: float
    rest: float
    n: int


def _compute_mean_squares(first: Values, second: Values) -> _MeanSquares:
    table = np.column_stack([first, second])
    n, k = table.shape
    of_slides, of_observers = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    rest = table - of_slides - of_observers + table.mean()
    return _MeanSquares(
        k * float(of_slides.var()) * n / (n - 1),
        n * float(of_observers.var()) * k / (k - 1),
        float((rest**2).sum()) / ((n - 1) * (k - 1)),
        n,
    )


def icc_2_1(first: Values, second: Values) -> float:
    """Compute ICC(2,1), absolute agreement (Shrout & Fleiss 1979); NaN if no observer varies."""
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        return math.nan
    m = _compute_mean_squares(first, second)
    return (m.slides - m.rest) / (m.slides + m.rest + 2 * (m.observers - m.rest) / m.n)


def icc_3_1(first: Values, second: Values) -> float:
    """Compute ICC(3,1), consistency (Shrout & Fleiss 1979); NaN if no observer varies."""
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        return math.nan
    m = _compute_mean_squares(first, second)
    return (m.slides - m.rest) / (m.slides + m.rest)


def icc_2_1_bounds(first: Values, second: Values) -> Bounds:
    """Return the 95 % interval of ICC(2,1) (McGraw & Wong 1996, table 7, case 2A)."""
    m, r, k = _compute_mean_squares(first, second), icc_2_1(first, second), 2
    if min(m.rest, m.slides) <= _ROUNDING * max(m.rest, m.slides):
        return math.nan, math.nan
    a = k * r / (m.n * (1 - r))
    b = 1 + k * r * (m.n - 1) / (m.n * (1 - r))
    v = (a * m.observers + b * m.rest) ** 2 / (
        (a * m.observers) ** 2 / (k - 1) + (b * m.rest) ** 2 / ((m.n - 1) * (k - 1))
    )
    rest = k * m.observers + (k * m.n - k - m.n) * m.rest
    low_f, high_f = stats.f.ppf(UPPER_TAIL, m.n - 1, v), stats.f.ppf(UPPER_TAIL, v, m.n - 1)
    low = m.n * (m.slides - low_f * m.rest) / (low_f * rest + m.n * m.slides)
    high = m.n * (high_f * m.slides - m.rest) / (rest + m.n * high_f * m.slides)
    return float(low), float(high)


def icc_3_1_bounds(first: Values, second: Values) -> Bounds:
    """Return the 95 % interval of ICC(3,1) (Shrout & Fleiss 1979)."""
    m = _compute_mean_squares(first, second)
    if m.rest <= _ROUNDING * m.slides:
        return math.nan, math.nan
    ratio, quantile = m.slides / m.rest, stats.f.ppf(UPPER_TAIL, m.n - 1, m.n - 1)
    low, high = ratio / quantile, ratio * quantile
    return float((low - 1) / (low + 1)), float((high - 1) / (high + 1))
