"""How well two observers agree: on counts, on lengths, on adequacy.

Arrays hold one value a slide, the same slides in the same order. Differences are first less
second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from glisson.clinical.estimates import Bounds, Estimate, PatientBootstrap, Values, check_pairs
from glisson.errors import StudyError

Weights = Literal["linear", "quadratic"]

ADEQUATE_TRACTS = (6, 11)
"""Fewest tracts of an adequate biopsy: RCPath's minimum, and AASLD 2009 with RCPath's optimum."""
_NORMAL = 1.96
_UPPER = 0.975
_ROUNDING = 1e-12
T_INTERVAL, F_INTERVAL = "t distribution", "F distribution"
LIN_INTERVAL, WILSON_INTERVAL = "Lin's z", "Wilson"


@dataclass(frozen=True)
class BlandAltman:
    """Bland & Altman, Lancet 1986 and Stat Methods Med Res 1999.

    Attributes:
        unit: of all but the slope.
        bias: mean difference.
        sd: of the differences.
        lower_limit: bias - 1.96 SD, with the interval of a limit.
        upper_limit: bias + 1.96 SD, likewise.
        slope: of the difference over the mean of both: proportional bias; NaN where all means
            are the same.
    """

    unit: str
    bias: Estimate
    sd: float
    lower_limit: Estimate
    upper_limit: Estimate
    slope: Estimate


@dataclass(frozen=True)
class RatioAgreement:
    """Bland and Altman's limits of the logarithms, turned back into ratios (1999, section 3).

    Attributes:
        ratio: geometric mean of first over second.
        lower_limit: 95 % of ratios lie above and below; with its interval.
        upper_limit: likewise.
    """

    ratio: Estimate
    lower_limit: Estimate
    upper_limit: Estimate


@dataclass(frozen=True)
class Agreement:
    """Two observers' measurements.

    Attributes:
        unit: of errors and differences.
        mean_absolute_error: in `unit`.
        ccc: Lin's concordance correlation coefficient.
        icc_2_1: two-way random, absolute agreement, single observer.
        icc_3_1: two-way mixed, consistency, single observer.
        bland_altman: bias and limits.
        ratio: the same for ratios, or None.
        no_ratio: why there is none.
    """

    unit: str
    mean_absolute_error: Estimate
    ccc: Estimate
    icc_2_1: Estimate
    icc_3_1: Estimate
    bland_altman: BlandAltman
    ratio: RatioAgreement | None
    no_ratio: str | None


@dataclass(frozen=True)
class AdequacyAgreement:
    """Whether two observers call the same biopsies adequate.

    Attributes:
        least_tracts: an adequate biopsy has as many or more.
        both: biopsies adequate for both.
        first_only: for the first alone.
        second_only: for the second alone.
        neither: for none.
        agreement_percent: of all biopsies.
        kappa: Cohen's; NaN where both call all biopsies alike.
        mcnemar_p_value: exact, two-sided: whether one calls more biopsies adequate.
    """

    least_tracts: int
    both: int
    first_only: int
    second_only: int
    neither: int
    agreement_percent: Estimate
    kappa: Estimate
    mcnemar_p_value: float


@dataclass(frozen=True)
class CountAgreement:
    """Two observers' counts of tracts.

    Attributes:
        lowest_category: of kappa, tracts: the union of both ranges, every whole number in it.
        highest_category: likewise.
        kappa_linear: weighted kappa, weights falling with the difference.
        kappa_quadratic: with its square.
        exact_percent: pairs with the same count.
        within_1_percent: pairs at most 1 tract apart.
        within_2_percent: at most 2.
        agreement: of the counts as measurements.
        adequacy: at each of `ADEQUATE_TRACTS`.
    """

    lowest_category: int
    highest_category: int
    kappa_linear: Estimate
    kappa_quadratic: Estimate
    exact_percent: Estimate
    within_1_percent: Estimate
    within_2_percent: Estimate
    agreement: Agreement
    adequacy: tuple[AdequacyAgreement, ...]


@dataclass(frozen=True)
class KappaDifference:
    """Whether one pair of observers agrees better than another, on the same slides.

    Attributes:
        weights: of kappa.
        difference: kappa of the first pair less that of the second.
    """

    weights: Weights
    difference: Estimate


def whole_counts(counts: Values) -> Values:
    """Counts as whole numbers, halves up: a count per section may be 16.5."""
    return np.floor(np.asarray(counts, float) + 0.5)


def weighted_kappa(first: Values, second: Values, weights: Weights) -> float:
    """Cohen's weighted kappa of whole counts (Cohen 1968), by statsmodels.

    Categories are every whole number in the union of both ranges; one that nobody gives adds
    nothing to observed or expected disagreement, and is left out of the table. NaN where both
    observers give one and the same count to every slide.
    """
    return _kappa(first, second, weights)


def cohen_kappa(first: Values, second: Values) -> float:
    """Cohen's kappa of yes (1) and no (0) (Cohen 1960), by statsmodels; NaN where all are alike."""
    return _kappa(first, second, None)


def _kappa(first: Values, second: Values, weights: Weights | None) -> float:
    values, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    if len(values) < 2:
        return math.nan
    counts = np.zeros((len(values), len(values)))
    np.add.at(counts, (places[: len(first)], places[len(first) :]), 1)
    distances = None if weights is None else values
    with np.errstate(all="ignore"):
        return float(cohens_kappa(counts, weights=distances, wt=weights, return_results=False))


def concordance(first: Values, second: Values) -> float:
    """Lin's CCC with variances over n (Lin, Biometrics 1989); NaN where both are constant.

    On whole counts this is the same number as quadratic weighted kappa.
    """
    covariance = float(np.mean((first - first.mean()) * (second - second.mean())))
    scale = first.var() + second.var() + (first.mean() - second.mean()) ** 2
    return 2 * covariance / float(scale) if scale > 0 else math.nan


def concordance_bounds(first: Values, second: Values) -> Bounds:
    """95 % interval of CCC by Fisher's z (Lin 1989, variance as corrected in Biometrics 2000)."""
    p, r = concordance(first, second), float(np.corrcoef(first, second)[0, 1])
    if not (abs(p) > _ROUNDING and abs(r) > _ROUNDING and 1 - p**2 > _ROUNDING):
        return math.nan, math.nan
    u2 = (first.mean() - second.mean()) ** 2 / (first.std() * second.std())
    inner = (
        (1 - r**2) * p**2 * (1 - p**2) / r**2 + 2 * p**3 * (1 - p) * u2 / r
        - p**4 * u2**2 / (2 * r**2)
    )  # fmt: skip
    half = _NORMAL * math.sqrt(max(inner, 0) / (len(first) - 2)) / (1 - p**2)
    return math.tanh(math.atanh(p) - half), math.tanh(math.atanh(p) + half)


@dataclass(frozen=True)
class _MeanSquares:
    """Of a two-way table of n slides by two observers: slides, observers, rest."""

    slides: float
    observers: float
    rest: float
    n: int


def _mean_squares(first: Values, second: Values) -> _MeanSquares:
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
    """ICC(2,1), absolute agreement (Shrout & Fleiss 1979); NaN where neither observer varies."""
    if _neither_varies(first, second):
        return math.nan
    m = _mean_squares(first, second)
    return (m.slides - m.rest) / (m.slides + m.rest + 2 * (m.observers - m.rest) / m.n)


def icc_3_1(first: Values, second: Values) -> float:
    """ICC(3,1), consistency (Shrout & Fleiss 1979); NaN where neither observer varies."""
    if _neither_varies(first, second):
        return math.nan
    m = _mean_squares(first, second)
    return (m.slides - m.rest) / (m.slides + m.rest)


def _neither_varies(first: Values, second: Values) -> bool:
    return bool(np.ptp(first) == 0 and np.ptp(second) == 0)


def icc_2_1_bounds(first: Values, second: Values) -> Bounds:
    """95 % interval of ICC(2,1) (McGraw & Wong 1996, table 7, case 2A)."""
    m, r, k = _mean_squares(first, second), icc_2_1(first, second), 2
    if min(m.rest, m.slides) <= _ROUNDING * max(m.rest, m.slides):
        return math.nan, math.nan
    a = k * r / (m.n * (1 - r))
    b = 1 + k * r * (m.n - 1) / (m.n * (1 - r))
    v = (a * m.observers + b * m.rest) ** 2 / (
        (a * m.observers) ** 2 / (k - 1) + (b * m.rest) ** 2 / ((m.n - 1) * (k - 1))
    )
    rest = k * m.observers + (k * m.n - k - m.n) * m.rest
    low_f, high_f = stats.f.ppf(_UPPER, m.n - 1, v), stats.f.ppf(_UPPER, v, m.n - 1)
    low = m.n * (m.slides - low_f * m.rest) / (low_f * rest + m.n * m.slides)
    high = m.n * (high_f * m.slides - m.rest) / (rest + m.n * high_f * m.slides)
    return float(low), float(high)


def icc_3_1_bounds(first: Values, second: Values) -> Bounds:
    """95 % interval of ICC(3,1) (Shrout & Fleiss 1979)."""
    m = _mean_squares(first, second)
    if m.rest <= _ROUNDING * m.slides:
        return math.nan, math.nan
    ratio, quantile = m.slides / m.rest, stats.f.ppf(_UPPER, m.n - 1, m.n - 1)
    low, high = ratio / quantile, ratio * quantile
    return float((low - 1) / (low + 1)), float((high - 1) / (high + 1))


def bland_altman(
    first: Values, second: Values, unit: str, bootstrap: PatientBootstrap
) -> BlandAltman:
    """Bias and 95 % limits of agreement with their intervals, and proportional bias.

    Intervals are Bland & Altman's of 1999: t SD / sqrt(n) of the bias, and
    t SD sqrt(1/n + 1.96^2 / (2 (n - 1))) of a limit.

    Raises:
        StudyError: fewer than 3 pairs.
    """
    check_pairs(first, second)
    difference, mean = first - second, (first + second) / 2
    return BlandAltman(
        unit,
        _limit(difference, 0, bootstrap),
        float(difference.std(ddof=1)),
        _limit(difference, -_NORMAL, bootstrap),
        _limit(difference, _NORMAL, bootstrap),
        bootstrap.closed(_slope, _slope_bounds, T_INTERVAL, mean, difference),
    )


def _limit(difference: Values, deviations: float, bootstrap: PatientBootstrap) -> Estimate:
    """Mean difference and so many standard deviations; none is the bias."""

    def limit(values: Values) -> float:
        return float(values.mean() + deviations * values.std(ddof=1))

    def bounds(values: Values) -> Bounds:
        n = len(values)
        error = values.std(ddof=1) * math.sqrt(1 / n + deviations**2 / (2 * (n - 1)))
        half = stats.t.ppf(_UPPER, n - 1) * error
        return limit(values) - half, limit(values) + half

    return bootstrap.closed(limit, bounds, T_INTERVAL, difference)


def _slope(mean: Values, difference: Values) -> float:
    return float(stats.linregress(mean, difference).slope) if np.ptp(mean) > 0 else math.nan


def _slope_bounds(mean: Values, difference: Values) -> Bounds:
    if np.ptp(mean) == 0:
        return math.nan, math.nan
    line = stats.linregress(mean, difference)
    half = float(stats.t.ppf(_UPPER, len(mean) - 2) * line.stderr)
    return line.slope - half, line.slope + half


def ratio_agreement(first: Values, second: Values, bootstrap: PatientBootstrap) -> RatioAgreement:
    """Limits of agreement of the ratio first over second, for errors that grow with the mean.

    Raises:
        StudyError: fewer than 3 pairs, or a value that is not above 0.
    """
    check_pairs(first, second)
    zeros = int(((first <= 0) | (second <= 0)).sum())
    if zeros:
        raise StudyError(f"{zeros} pairs hold a 0, which has no ratio.")
    logs = bland_altman(np.log(first), np.log(second), "ln", bootstrap)
    return RatioAgreement(*map(_as_ratio, (logs.bias, logs.lower_limit, logs.upper_limit)))


def _as_ratio(log: Estimate) -> Estimate:
    return Estimate(math.exp(log.value), math.exp(log.low), math.exp(log.high), log.interval)


def measure_agreement(
    first: Values, second: Values, unit: str, bootstrap: PatientBootstrap
) -> Agreement:
    """Agreement of two observers' measurements.

    Raises:
        StudyError: fewer than 3 pairs, or both observers give every slide one and the same value.
    """
    check_pairs(first, second)
    if np.ptp(np.concatenate([first, second])) == 0:
        raise StudyError(f"Both give {first[0]:g} {unit} for every case: no agreement to measure.")
    ratio, no_ratio = _ratio_or_reason(first, second, bootstrap)
    return Agreement(
        unit,
        bootstrap.estimate(_mean_absolute_error, first, second),
        bootstrap.closed(concordance, concordance_bounds, LIN_INTERVAL, first, second),
        bootstrap.closed(icc_2_1, icc_2_1_bounds, F_INTERVAL, first, second),
        bootstrap.closed(icc_3_1, icc_3_1_bounds, F_INTERVAL, first, second),
        bland_altman(first, second, unit, bootstrap),
        ratio,
        no_ratio,
    )


def _ratio_or_reason(
    first: Values, second: Values, bootstrap: PatientBootstrap
) -> tuple[RatioAgreement | None, str | None]:
    try:
        return ratio_agreement(first, second, bootstrap), None
    except StudyError as error:
        return None, str(error)


def _mean_absolute_error(first: Values, second: Values) -> float:
    return float(np.abs(first - second).mean())


def count_agreement(first: Values, second: Values, bootstrap: PatientBootstrap) -> CountAgreement:
    """Agreement of two observers' counts of tracts.

    Kappa, exact agreement and adequacy take whole counts (`whole_counts`); the others take the
    counts as they are.

    Args:
        first: (n,) tracts.
        second: (n,) tracts.
        bootstrap: of the slides' patients.

    Raises:
        StudyError: as `measure_agreement`.
    """
    agreement = measure_agreement(first, second, "tracts", bootstrap)
    a, b = whole_counts(first), whole_counts(second)
    return CountAgreement(
        int(min(a.min(), b.min())),
        int(max(a.max(), b.max())),
        bootstrap.estimate(partial(weighted_kappa, weights="linear"), a, b),
        bootstrap.estimate(partial(weighted_kappa, weights="quadratic"), a, b),
        _percent(np.abs(a - b) <= 0, bootstrap),
        _percent(np.abs(a - b) <= 1, bootstrap),
        _percent(np.abs(a - b) <= 2, bootstrap),
        agreement,
        tuple(adequacy_agreement(a, b, least, bootstrap) for least in ADEQUATE_TRACTS),
    )


def adequacy_agreement(
    first: Values, second: Values, least_tracts: int, bootstrap: PatientBootstrap
) -> AdequacyAgreement:
    """Agreement on whether a biopsy has enough tracts.

    Raises:
        StudyError: fewer than 3 pairs.
    """
    check_pairs(first, second)
    a, b = first >= least_tracts, second >= least_tracts
    both, first_only = int((a & b).sum()), int((a & ~b).sum())
    second_only, neither = int((~a & b).sum()), int((~a & ~b).sum())
    table = [[both, first_only], [second_only, neither]]
    return AdequacyAgreement(
        least_tracts=least_tracts,
        both=both,
        first_only=first_only,
        second_only=second_only,
        neither=neither,
        agreement_percent=_percent(a == b, bootstrap),
        kappa=bootstrap.estimate(cohen_kappa, a.astype(float), b.astype(float)),
        mcnemar_p_value=float(mcnemar(table, exact=True).pvalue),
    )


def _percent(yes: NDArray[np.bool_], bootstrap: PatientBootstrap) -> Estimate:
    """Share of yes, with Wilson's interval (Wilson 1927)."""

    def bounds(values: Values) -> Bounds:
        low, high = proportion_confint(values.sum(), len(values), method="wilson")
        return 100 * low, 100 * high

    return bootstrap.closed(lambda v: 100 * v.mean(), bounds, WILSON_INTERVAL, yes.astype(float))


def kappa_difference(
    first: tuple[Values, Values],
    second: tuple[Values, Values],
    weights: Weights,
    bootstrap: PatientBootstrap,
) -> KappaDifference:
    """Weighted kappa of one pair of observers less that of another, on the same slides.

    Both kappas come from the same draws of patients, so that what they share cancels.

    Raises:
        StudyError: fewer than 3 slides.
    """
    arrays = [whole_counts(each) for each in (*first, *second)]
    for each in arrays[1:]:
        check_pairs(arrays[0], each)

    def difference(a: Values, b: Values, c: Values, d: Values) -> float:
        return weighted_kappa(a, b, weights) - weighted_kappa(c, d, weights)

    return KappaDifference(weights, bootstrap.estimate(difference, *arrays))
