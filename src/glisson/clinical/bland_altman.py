"""Bland and Altman's limits of agreement of two observers, as differences and as ratios.

Arrays hold one value for each slide, in the same order. Differences are first minus second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from glisson.clinical.estimates import (
    NORMAL_QUANTILE,
    UPPER_TAIL,
    Bounds,
    Estimate,
    PatientBootstrap,
    Values,
    check_pairs,
)
from glisson.errors import StudyError

T_INTERVAL = "t distribution"


@dataclass(frozen=True)
class BlandAltman:
    """Bias and limits of agreement (Bland & Altman, Lancet 1986, Stat Methods Med Res 1999).

    Attributes:
        unit: of all numbers but the slope.
        bias: mean difference.
        sd: of the differences.
        lower_limit: bias - 1.96 SD.
        upper_limit: bias + 1.96 SD.
        slope: of the difference over the mean of both observers (proportional bias); NaN if all
            means are equal.
    """

    unit: str
    bias: Estimate
    sd: float
    lower_limit: Estimate
    upper_limit: Estimate
    slope: Estimate


@dataclass(frozen=True)
class RatioAgreement:
    """Limits of agreement of the logarithms as ratios (Bland & Altman 1999, section 3).

    Attributes:
        ratio: geometric mean of first over second.
        lower_limit: of 95 % of the ratios.
        upper_limit: of 95 % of the ratios.
    """

    ratio: Estimate
    lower_limit: Estimate
    upper_limit: Estimate


def bland_altman(
    first: Values, second: Values, unit: str, bootstrap: PatientBootstrap
) -> BlandAltman:
    """Compute bias and 95 % limits of agreement with their intervals, and proportional bias.

    Intervals are Bland & Altman's of 1999: t SD / sqrt(n) of the bias, and
    t SD sqrt(1/n + 1.96^2 / (2 (n - 1))) of a limit.

    Raises:
        StudyError: fewer than 3 pairs.
    """
    check_pairs(first, second)
    difference, mean = first - second, (first + second) / 2

    def slope(x: Values, y: Values) -> float:
        return float(stats.linregress(x, y).slope) if np.ptp(x) > 0 else math.nan

    def slope_bounds(x: Values, y: Values) -> Bounds:
        if np.ptp(x) == 0:
            return math.nan, math.nan
        line = stats.linregress(x, y)
        half = float(stats.t.ppf(UPPER_TAIL, len(x) - 2) * line.stderr)
        return line.slope - half, line.slope + half

    return BlandAltman(
        unit,
        _estimate_limit(difference, 0, bootstrap),
        float(difference.std(ddof=1)),
        _estimate_limit(difference, -NORMAL_QUANTILE, bootstrap),
        _estimate_limit(difference, NORMAL_QUANTILE, bootstrap),
        bootstrap.estimate_by_formula(slope, slope_bounds, T_INTERVAL, mean, difference),
    )


def _estimate_limit(difference: Values, deviations: float, bootstrap: PatientBootstrap) -> Estimate:
    """Estimate mean plus `deviations` SD of the differences; the bias has 0 deviations."""

    def limit(values: Values) -> float:
        return float(values.mean() + deviations * values.std(ddof=1))

    def bounds(values: Values) -> Bounds:
        n = len(values)
        error = values.std(ddof=1) * math.sqrt(1 / n + deviations**2 / (2 * (n - 1)))
        half = stats.t.ppf(UPPER_TAIL, n - 1) * error
        return limit(values) - half, limit(values) + half

    return bootstrap.estimate_by_formula(limit, bounds, T_INTERVAL, difference)


def ratio_agreement(first: Values, second: Values, bootstrap: PatientBootstrap) -> RatioAgreement:
    """Compute limits of agreement of first over second, for errors that grow with the mean.

    Raises:
        StudyError: fewer than 3 pairs, or a value that is not above 0.
    """
    check_pairs(first, second)
    if zeros := int(((first <= 0) | (second <= 0)).sum()):
        raise StudyError(f"{zeros} pairs hold a 0, which has no ratio.")
    logs = bland_altman(np.log(first), np.log(second), "ln", bootstrap)
    return RatioAgreement(
        *(
            Estimate(math.exp(log.value), math.exp(log.low), math.exp(log.high), log.interval)
            for log in (logs.bias, logs.lower_limit, logs.upper_limit)
        )
    )
