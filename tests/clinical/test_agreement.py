"""Agreement against second implementations: scikit-learn, pingouin, SciPy, and derivations."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from glisson.clinical.agreement import (
    adequacy_agreement,
    count_agreement,
    kappa_difference,
    measure_agreement,
    round_counts,
)
from glisson.clinical.bland_altman import BlandAltman, bland_altman, ratio_agreement
from glisson.clinical.coefficients import (
    concordance,
    concordance_bounds,
    icc_2_1,
    icc_2_1_bounds,
    icc_3_1,
    icc_3_1_bounds,
    kappa,
)
from glisson.clinical.estimates import BOOTSTRAP, Estimate, PatientBootstrap, Values
from glisson.errors import StudyError
from glisson.scores import LEAST_PATIENTS

seeds = st.integers(0, 10_000)


def counts(seed: int, n: int = 30) -> tuple[Values, Values]:
    """Two readers of the same biopsies, the second with a bias of its own."""
    rng = np.random.default_rng(seed)
    true = rng.normal(17, 6, n).clip(1)
    first = np.round(true * rng.normal(1, 0.08, n) + rng.normal(0, 1, n)).clip(0)
    second = np.round(0.95 * true + rng.normal(rng.uniform(-2, 2), 1.5, n)).clip(0)
    return first, second


def each_its_own(n: int, resamples: int = 300) -> PatientBootstrap:
    return PatientBootstrap(tuple(map(str, range(n))), resamples)


@given(seed=seeds, weights=st.sampled_from(["linear", "quadratic"]))
@settings(max_examples=40, deadline=None)
def test_weighted_kappa_against_scikit_learn(seed: int, weights: str) -> None:
    first, second = counts(seed)
    labels = np.arange(min(first.min(), second.min()), max(first.max(), second.max()) + 1)
    expected = cohen_kappa_score(first, second, labels=labels, weights=weights)
    assert kappa(first, second, weights) == pytest.approx(expected)  # type: ignore[arg-type]


@given(seed=seeds)
@settings(max_examples=40, deadline=None)
def test_quadratic_kappa_of_counts_is_ccc(seed: int) -> None:
    first, second = counts(seed)
    assert kappa(first, second, "quadratic") == pytest.approx(concordance(first, second))


@given(seed=seeds, n=st.integers(4, 60))
@settings(max_examples=30, deadline=None)
def test_icc_against_pingouin(seed: int, n: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        import pingouin

        first, second = counts(seed, n)
        rows = [(i, reader, value) for reader, values in (("a", first), ("b", second))
                for i, value in enumerate(values)]  # fmt: skip
        table = pd.DataFrame(rows, columns=["slide", "reader", "count"])
        found = pingouin.intraclass_corr(table, "slide", "reader", "count")
    found = found.set_index("Type")
    ours = {
        "ICC(A,1)": (icc_2_1(first, second), icc_2_1_bounds(first, second)),
        "ICC(C,1)": (icc_3_1(first, second), icc_3_1_bounds(first, second)),
    }
    for kind, (value, bounds) in ours.items():
        assert value == pytest.approx(found.loc[kind, "ICC"])
        interval = found.loc[kind].filter(like="CI95").iloc[0]
        assert bounds == pytest.approx(interval, abs=0.0051), "pingouin rounds to two digits"


def _ccc_of_moments(moments: Values) -> float:
    mean_a, mean_b, var_a, var_b, covariance = moments
    return 2 * covariance / (var_a + var_b + (mean_a - mean_b) ** 2)


def _delta_method_error(first: Values, second: Values) -> float:
    """Standard error of z(CCC) from the normal distribution of sample moments."""
    n, s = len(first), np.cov(first, second, ddof=0)
    moments = np.array([first.mean(), second.mean(), s[0, 0], s[1, 1], s[0, 1]])
    pairs = [(0, 0), (1, 1), (0, 1)]
    spread = np.zeros((5, 5))
    spread[:2, :2] = s
    for i, (a, b) in enumerate(pairs):
        for j, (c, d) in enumerate(pairs):
            spread[2 + i, 2 + j] = s[a, c] * s[b, d] + s[a, d] * s[b, c]
    steps = 1e-5 * np.eye(5)
    slope = np.array([
        (math.atanh(_ccc_of_moments(moments + h)) - math.atanh(_ccc_of_moments(moments - h))) / 2e-5
        for h in steps
    ])  # fmt: skip
    return math.sqrt(float(slope @ spread @ slope) / n)


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_ccc_interval_against_the_delta_method(seed: int) -> None:
    """Lin's formula divides by n - 2 where the delta method divides by n; all else agrees."""
    first, second = counts(seed, 40)
    low, high = concordance_bounds(first, second)
    half = (math.atanh(high) - math.atanh(low)) / 2 * math.sqrt(38 / 40)
    assert half == pytest.approx(1.96 * _delta_method_error(first, second), rel=1e-3)


def test_ccc_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(5)
    truth = _ccc_of_moments(np.array([0.0, 0.3, 1.0, 1.2, 0.9]))
    hits = 0
    for _ in range(600):
        first, second = rng.multivariate_normal([0, 0.3], [[1, 0.9], [0.9, 1.2]], 40).T
        low, high = concordance_bounds(first, second)
        hits += low <= truth <= high
    assert 0.92 < hits / 600 < 0.98


def test_bland_altman_against_its_definition() -> None:
    first, second = counts(3, 26)
    found = bland_altman(first, second, "tracts", each_its_own(26))
    difference = first - second
    t_test = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert found.bias.value == pytest.approx(difference.mean())
    assert (found.bias.low, found.bias.high) == pytest.approx(tuple(t_test))
    assert found.upper_limit.value - found.lower_limit.value == pytest.approx(
        2 * 1.96 * difference.std(ddof=1)
    )
    assert found.upper_limit.low < found.upper_limit.value < found.upper_limit.high
    import statsmodels.api as sm

    model = sm.OLS(difference, sm.add_constant((first + second) / 2)).fit()
    assert found.slope.value == pytest.approx(model.params[1])
    assert (found.slope.low, found.slope.high) == pytest.approx(tuple(model.conf_int()[1]))


def _limits_covered(rng: np.random.Generator) -> bool:
    found = bland_altman(rng.normal(1, 2, 35), np.zeros(35), "mm", each_its_own(35))
    return found.upper_limit.low <= 1 + 1.96 * 2 <= found.upper_limit.high


def test_interval_of_a_limit_covers_it() -> None:
    rng = np.random.default_rng(11)
    assert 0.92 < np.mean([_limits_covered(rng) for _ in range(600)]) < 0.98


@given(seed=seeds, factor=st.floats(0.5, 2))
@settings(max_examples=20, deadline=None)
def test_a_constant_factor_is_a_ratio_without_spread(seed: int, factor: float) -> None:
    second = np.random.default_rng(seed).uniform(5, 30, 12)
    found = ratio_agreement(factor * second, second, each_its_own(12))
    for each in (found.ratio, found.lower_limit, found.upper_limit):
        assert each.value == pytest.approx(factor)


def test_a_zero_has_no_ratio_and_the_rest_is_computed() -> None:
    first, second = counts(1, 12)
    first[0] = 0
    found = measure_agreement(first, second, "tracts", each_its_own(12))
    assert found.ratio is None
    assert "0" in (found.no_ratio or "")
    assert math.isfinite(found.ccc.value)


def test_shares_within_and_mean_error() -> None:
    first = np.array([10, 11, 12, 13, 14, 15, 16, 17, 18, 19.0])
    second = first + np.array([0, 0, 1, -1, 2, -2, 3, 0, 0, 0])
    found = count_agreement(first, second, each_its_own(10))
    assert found.exact_percent.value == 50
    assert found.within_1_percent.value == 70
    assert found.within_2_percent.value == 90
    assert found.agreement.mean_absolute_error.value == pytest.approx(0.9)
    assert (found.lowest_category, found.highest_category) == (10, 19)


def test_adequacy_against_scikit_learn_and_the_binomial() -> None:
    first, second = counts(8, 40)
    first, second = first - 6, second - 6
    found = adequacy_agreement(first, second, 11, each_its_own(40))
    a, b = first >= 11, second >= 11
    assert found.kappa.value == pytest.approx(cohen_kappa_score(a, b))
    assert (found.both, found.neither) == (int((a & b).sum()), int((~a & ~b).sum()))
    discordant = found.first_only + found.second_only
    assert found.mcnemar_p_value == pytest.approx(
        stats.binomtest(found.first_only, discordant).pvalue
    )


def test_adequacy_where_all_are_adequate_has_agreement_but_no_kappa() -> None:
    found = adequacy_agreement(np.full(9, 12.0), np.full(9, 13.0), 6, each_its_own(9))
    assert found.agreement_percent.value == 100
    assert math.isnan(found.kappa.value)
    assert found.kappa.interval.startswith("none")
    assert found.mcnemar_p_value == 1


def test_difference_of_a_pair_from_itself_is_nothing() -> None:
    pair = counts(4)
    found = kappa_difference(pair, pair, "quadratic", each_its_own(30))
    assert found.difference.value == 0
    assert found.difference.interval == "none: the same in every draw"


def test_a_worse_reader_shows_in_the_difference() -> None:
    rng = np.random.default_rng(2)
    true = rng.integers(5, 30, 40).astype(float)
    good, report = true + rng.integers(-1, 2, 40), true
    bad = (true + rng.integers(-9, 10, 40)).clip(0)
    found = kappa_difference((good, report), (report, bad), "linear", each_its_own(40))
    assert found.difference.low > 0


def test_below_six_patients_no_interval() -> None:
    first, second = counts(1, LEAST_PATIENTS - 1)
    found = count_agreement(first, second, each_its_own(LEAST_PATIENTS - 1))
    for each in _estimates(found):
        assert math.isnan(each.low)
        assert str(LEAST_PATIENTS) in each.interval


def _estimates(found: object) -> list[Estimate]:
    if isinstance(found, Estimate):
        return [found]
    if isinstance(found, tuple):
        return [e for each in found for e in _estimates(each)]
    return [e for each in getattr(found, "__dict__", {}).values() for e in _estimates(each)]


def test_repeated_patients_turn_formulas_into_draws() -> None:
    first, second = counts(1, 20)
    pairs = PatientBootstrap(tuple(str(i // 2) for i in range(20)), 200)
    assert pairs.repeats
    found = bland_altman(first, second, "tracts", pairs)
    assert isinstance(found, BlandAltman)
    assert found.bias.interval == BOOTSTRAP
    assert bland_altman(first, second, "tracts", each_its_own(20)).bias.interval != BOOTSTRAP


def test_drawing_patients_not_slides_widens_the_interval_of_copies() -> None:
    """Every slide three times is no more evidence than once."""
    values = np.random.default_rng(0).normal(0, 1, 20)
    once = each_its_own(20, 2000).estimate(np.mean, values)
    thrice = PatientBootstrap(tuple(str(i) for i in range(20)) * 3, 2000)
    tripled = thrice.estimate(np.mean, np.tile(values, 3))
    assert (tripled.low, tripled.high) == pytest.approx((once.low, once.high))


def test_bootstrap_against_scipy() -> None:
    values = np.random.default_rng(9).exponential(1, 40)
    ours = each_its_own(40, 4000).estimate(np.mean, values)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", rng=1).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_what_cannot_be_compared_is_refused_with_a_reason() -> None:
    with pytest.raises(StudyError, match="Too few"):
        count_agreement(np.array([1.0, 2]), np.array([1.0, 2]), each_its_own(2))
    with pytest.raises(StudyError, match="missing"):
        bland_altman(np.array([1, 2, np.nan]), np.array([1.0, 2, 3]), "mm", each_its_own(3))
    with pytest.raises(StudyError, match="Both give 7 tracts"):
        count_agreement(np.full(8, 7.0), np.full(8, 7.0), each_its_own(8))


def test_perfect_agreement_is_one_everywhere() -> None:
    first, _ = counts(1, 20)
    found = count_agreement(first, first.copy(), each_its_own(20))
    for each in (found.kappa_linear, found.kappa_quadratic, found.agreement.ccc,
                 found.agreement.icc_2_1, found.agreement.icc_3_1):  # fmt: skip
        assert each.value == pytest.approx(1)
        assert not each.low < 1 - 1e-9


def test_halves_are_counted_up() -> None:
    assert round_counts(np.array([16.5, 15.5, 16.4])).tolist() == [17, 16, 16]


def test_two_readers_who_never_vary_have_no_icc() -> None:
    found = count_agreement(np.full(8, 5.0), np.full(8, 7.0), each_its_own(8)).agreement
    assert found.bland_altman.bias.value == -2
    for icc in (found.icc_2_1, found.icc_3_1):
        assert math.isnan(icc.value)
        assert math.isnan(icc.low)


def test_a_draw_in_which_nobody_varies_is_one_without_icc() -> None:
    first = np.array([5.0, 5, 5, 5, 5, 5, 5, 9])
    twice = PatientBootstrap(("a", "a", "b", "c", "d", "e", "f", "g"), 200)
    icc = measure_agreement(first, first.copy(), "tracts", twice).icc_3_1
    assert icc.value == 1
    assert "more than 5 %" in icc.interval


def test_opposite_readers_have_an_icc_without_interval() -> None:
    first = np.arange(1.0, 7)
    assert icc_2_1(first, first[::-1]) == pytest.approx(-1.5)
    assert all(map(math.isnan, icc_2_1_bounds(first, first[::-1])))


def test_unrelated_counts_have_a_ccc_without_interval() -> None:
    """Their covariance is 0, but for what rounding leaves of it on one of two ways."""
    first = np.array([12.0, 17, 19, 23, 17, 10, 23, 18, 5])
    second = np.array([5.0, 20, 12, 12, 20, 16, 16, 10, 16])
    ccc = measure_agreement(first, second, "tracts", each_its_own(9)).ccc
    assert ccc.value == pytest.approx(0)
    assert ccc.interval == "none: Lin's z gives none for these values"


def test_kappa_of_a_count_far_from_all_others() -> None:
    first, second = counts(5)
    first[0] = 2_000_000
    found = kappa(first, second, "quadratic")
    assert found == pytest.approx(concordance(first, second))
