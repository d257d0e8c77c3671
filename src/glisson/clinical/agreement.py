"""Agreement of two observers on counts, lengths and adequacy.

Arrays hold one value for each slide, in the same order. Differences are first minus second.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from glisson.clinical.bland_altman import (
    BlandAltman,
    RatioAgreement,
    bland_altman,
    ratio_agreement,
)
from glisson.clinical.coefficients import (
    F_INTERVAL,
    LIN_INTERVAL,
    Weights,
    concordance,
    concordance_bounds,
    icc_2_1,
    icc_2_1_bounds,
    icc_3_1,
    icc_3_1_bounds,
    kappa,
)
from glisson.clinical.estimates import Bounds, Estimate, PatientBootstrap, Values, check_pairs
from glisson.errors import StudyError

ADEQUATE_TRACTS = (6, 11)
"""Fewest tracts of an adequate biopsy: RCPath's minimum, and AASLD 2009 with RCPath's optimum."""
WILSON_INTERVAL = "Wilson"


@dataclass(frozen=True)
class Agreement:
    """Agreement of two observers' measurements.

    Attributes:
        unit: of errors and differences.
        mean_absolute_error: in `unit`.
        ccc: Lin's concordance correlation coefficient.
        icc_2_1: two-way random, absolute agreement, single observer.
        icc_3_1: two-way mixed, consistency, single observer.
        bland_altman: bias and limits.
        ratio: limits of the ratios, or None.
        no_ratio: reason for a missing ratio, or None.
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
    """Agreement of two observers on adequacy.

    Attributes:
        least_tracts: fewest tracts of an adequate biopsy.
        both: number of biopsies adequate for both observers.
        first_only: for the first alone.
        second_only: for the second alone.
        neither: for no observer.
        agreement_percent: of all biopsies.
        kappa: Cohen's; NaN if both observers give every biopsy the same answer.
        mcnemar_p_value: exact, two-sided: whether an observer calls more biopsies adequate.
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
    """Agreement of two observers' counts of tracts.

    Attributes:
        lowest_category: of kappa, in tracts; categories are all whole numbers of both ranges.
        highest_category: of kappa, in tracts.
        kappa_linear: weighted kappa, weights fall with the difference.
        kappa_quadratic: weighted kappa, weights fall with the squared difference.
        exact_percent: share of pairs with equal counts.
        within_1_percent: share of pairs at most 1 tract apart.
        within_2_percent: share of pairs at most 2 tracts apart.
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
    """Difference in agreement of two pairs of observers on the same slides.

    Attributes:
        weights: of kappa.
        difference: kappa of the first pair minus kappa of the second pair.
    """

    weights: Weights
    difference: Estimate


def round_counts(counts: Values) -> Values:
    """Round counts to whole numbers, halves up; a count per section may be 16.5."""
    return np.floor(np.asarray(counts, float) + 0.5)


def measure_agreement(
    first: Values, second: Values, unit: str, bootstrap: PatientBootstrap
) -> Agreement:
    """Measure the agreement of two observers' measurements.

    Raises:
        StudyError: fewer than 3 pairs, or both observers give every slide the same value.
    """
    check_pairs(first, second)
    if np.ptp(np.concatenate([first, second])) == 0:
        raise StudyError(f"Both give {first[0]:g} {unit} for every case: no agreement to measure.")
    ratio, no_ratio = None, None
    try:
        ratio = ratio_agreement(first, second, bootstrap)
    except StudyError as error:
        no_ratio = str(error)
    return Agreement(
        unit,
        bootstrap.estimate(lambda a, b: float(np.abs(a - b).mean()), first, second),
        bootstrap.estimate_by_formula(concordance, concordance_bounds, LIN_INTERVAL, first, second),
        bootstrap.estimate_by_formula(icc_2_1, icc_2_1_bounds, F_INTERVAL, first, second),
        bootstrap.estimate_by_formula(icc_3_1, icc_3_1_bounds, F_INTERVAL, first, second),
        bland_altman(first, second, unit, bootstrap),
        ratio,
        no_ratio,
    )


def count_agreement(first: Values, second: Values, bootstrap: PatientBootstrap) -> CountAgreement:
    """Measure the agreement of two observers' counts of tracts.

    Kappa, shares of equal counts and adequacy use rounded counts (`round_counts`), the other
    numbers the counts themselves.

    Args:
        first: (n,) tracts.
        second: (n,) tracts.
        bootstrap: of the slides' patients.

    Raises:
        StudyError: as `measure_agreement`.
    """
    agreement = measure_agreement(first, second, "tracts", bootstrap)
    a, b = round_counts(first), round_counts(second)
    return CountAgreement(
        int(min(a.min(), b.min())),
        int(max(a.max(), b.max())),
        bootstrap.estimate(partial(kappa, weights="linear"), a, b),
        bootstrap.estimate(partial(kappa, weights="quadratic"), a, b),
        _estimate_percent(np.abs(a - b) <= 0, bootstrap),
        _estimate_percent(np.abs(a - b) <= 1, bootstrap),
        _estimate_percent(np.abs(a - b) <= 2, bootstrap),
        agreement,
        tuple(adequacy_agreement(a, b, least, bootstrap) for least in ADEQUATE_TRACTS),
    )


def adequacy_agreement(
    first: Values, second: Values, least_tracts: int, bootstrap: PatientBootstrap
) -> AdequacyAgreement:
    """Measure the agreement on whether a biopsy has enough tracts.

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
        agreement_percent=_estimate_percent(a == b, bootstrap),
        kappa=bootstrap.estimate(kappa, a.astype(float), b.astype(float)),
        mcnemar_p_value=float(mcnemar(table, exact=True).pvalue),
    )


def _estimate_percent(yes: NDArray[np.bool_], bootstrap: PatientBootstrap) -> Estimate:
    """Estimate the share of yes with Wilson's interval (Wilson 1927)."""

    def bounds(values: Values) -> Bounds:
        low, high = proportion_confint(values.sum(), len(values), method="wilson")
        return 100 * low, 100 * high

    return bootstrap.estimate_by_formula(
        lambda v: 100 * v.mean(), bounds, WILSON_INTERVAL, yes.astype(float)
    )


def kappa_difference(
    first: tuple[Values, Values],
    second: tuple[Values, Values],
    weights: Weights,
    bootstrap: PatientBootstrap,
) -> KappaDifference:
    """Estimate weighted kappa of one pair of observers minus that of another pair.

    Both kappas come from the same draws of patients, so their common variation cancels.

    Raises:
        StudyError: fewer than 3 slides.
    """
    arrays = [round_counts(each) for each in (*first, *second)]
    for each in arrays[1:]:
        check_pairs(arrays[0], each)

    def difference(a: Values, b: Values, c: Values, d: Values) -> float:
        return kappa(a, b, weights) - kappa(c, d, weights)

    return KappaDifference(weights, bootstrap.estimate(difference, *arrays))
