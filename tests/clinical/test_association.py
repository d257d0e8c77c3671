"""Association with stage against second implementations: SciPy, scikit-posthocs, scikit-learn."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from glisson.clinical.association import (
    discrimination,
    dunn,
    kruskal_wallis,
    pearson,
    stage_correlations,
    trend,
)
from glisson.clinical.estimates import BOOTSTRAP, PatientBootstrap, Values
from glisson.errors import StudyError

seeds = st.integers(0, 10_000)


def study(seed: int, digits: int = 1, n: int = 35) -> tuple[Values, Values]:
    """Portal percent that grows with stage; few digits make ties."""
    rng = np.random.default_rng(seed)
    stages = rng.permutation(np.resize([0, 0, 1, 1, 1, 2, 2, 3, 4], n)).astype(float)
    return np.round(rng.lognormal(1.5 + 0.5 * stages, 0.5), digits), stages


def each_its_own(n: int, resamples: int = 200) -> PatientBootstrap:
    return PatientBootstrap(tuple(map(str, range(n))), resamples)


def test_correlations_against_scipy_and_pingouin() -> None:
    values, stages = study(1)
    found = stage_correlations(values, stages, each_its_own(35))
    r, rho, tau = found.pearson, found.spearman, found.kendall
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pingouin

        for ours, method in ((r, "pearson"), (rho, "spearman"), (tau, "kendall")):
            theirs = pingouin.corr(values, stages, method=method)
            assert ours.coefficient.value == pytest.approx(float(theirs["r"].iloc[0]))
            assert ours.coefficient.interval == BOOTSTRAP
            assert ours.coefficient.low < ours.coefficient.value < ours.coefficient.high
    assert rho.p_value == stats.spearmanr(values, stages).pvalue


def test_pearson_interval_is_fishers() -> None:
    values, stages = study(2)
    found = pearson(values, stages, each_its_own(35)).coefficient
    z, half = math.atanh(np.corrcoef(values, stages)[0, 1]), stats.norm.ppf(0.975) / math.sqrt(32)
    assert (found.low, found.high) == pytest.approx((math.tanh(z - half), math.tanh(z + half)))


@given(seed=seeds, digits=st.integers(-1, 2))
@settings(max_examples=12, deadline=None)
def test_kruskal_wallis_and_dunn_against_others(seed: int, digits: int) -> None:
    values, stages = study(seed, digits)
    groups = [values[stages == s] for s in range(5)]
    found = kruskal_wallis(values, stages)
    ranks = stats.rankdata(values)
    # H is the share of the ranks' variance that lies between groups, times n - 1
    between = sum(len(g) * (ranks[stages == s].mean() - 18) ** 2 for s, g in enumerate(groups))
    assert found.epsilon_squared == pytest.approx(between / ((ranks - 18) ** 2).sum())
    assert found.p_value == pytest.approx(stats.kruskal(*groups).pvalue)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import scikit_posthocs

        plain = scikit_posthocs.posthoc_dunn(groups).to_numpy()
        holm = scikit_posthocs.posthoc_dunn(groups, p_adjust="holm").to_numpy()
    for pair in dunn(values, stages):
        assert pair.p_value == pytest.approx(plain[pair.first, pair.second])
        assert pair.p_holm == pytest.approx(holm[pair.first, pair.second])


@given(seed=seeds, digits=st.integers(-1, 2))
@settings(max_examples=40, deadline=None)
def test_trend_is_kendalls_test(seed: int, digits: int) -> None:
    """J counts Kendall's concordant pairs, so both tests are one, ties and all."""
    values, stages = study(seed, digits)
    found = trend(values, stages)
    expected = stats.kendalltau(values, stages, method="asymptotic")
    assert found.p_value == pytest.approx(expected.pvalue)
    assert math.copysign(1, found.z) == math.copysign(1, expected.statistic)


def test_trend_against_permutations() -> None:
    values, stages = study(6, 0, 14)
    values = np.random.default_rng(0).permutation(values)
    rng, found = np.random.default_rng(1), trend(values, stages)
    drawn = np.array([trend(values, rng.permutation(stages)).z for _ in range(3000)])
    assert drawn.mean() == pytest.approx(0, abs=0.06)
    assert drawn.std() == pytest.approx(1, abs=0.05)
    assert found.p_value == pytest.approx(np.mean(np.abs(drawn) >= abs(found.z) - 1e-9), abs=0.04)


def _delong_by_loops(values: Values, positive: Values) -> float:
    """Variance of the AUC, written out from the paper's structural components."""
    x, y = values[positive], values[~positive]

    def psi(a: float, b: float) -> float:
        return 1.0 if a > b else 0.5 if a == b else 0.0

    v10 = [sum(psi(a, b) for b in y) / len(y) for a in x]
    v01 = [sum(psi(a, b) for a in x) / len(x) for b in y]
    auc = sum(v10) / len(x)
    s10 = sum((v - auc) ** 2 for v in v10) / (len(x) - 1)
    s01 = sum((v - auc) ** 2 for v in v01) / (len(y) - 1)
    return s10 / len(x) + s01 / len(y)


@given(seed=seeds, digits=st.integers(-1, 2), from_stage=st.sampled_from([3, 4]))
@settings(max_examples=40, deadline=None)
def test_auc_against_scikit_learn_and_delong_by_loops(
    seed: int, digits: int, from_stage: int
) -> None:
    values, stages = study(seed, digits)
    found = discrimination(values, stages, from_stage, each_its_own(35))
    positive = stages >= from_stage
    assert found.auc.value == pytest.approx(roc_auc_score(positive, values))
    variance = _delong_by_loops(values, positive)
    if variance > 0:
        low = max(0, found.auc.value - 1.96 * math.sqrt(variance))
        assert found.auc.low == pytest.approx(low)
        assert found.auc.high <= 1
    else:
        assert math.isnan(found.auc.low)


def test_delong_against_the_bootstrap() -> None:
    values, stages = study(3, 2, 135)
    formula = discrimination(values, stages, 3, each_its_own(135)).auc
    twice = PatientBootstrap((*map(str, range(134)), "133"), 2000)
    drawn = discrimination(values, stages, 3, twice).auc
    assert drawn.interval == BOOTSTRAP
    assert (formula.low, formula.high) == pytest.approx((drawn.low, drawn.high), abs=0.02)


def test_a_perfect_curve_has_no_interval() -> None:
    stages = np.repeat([0.0, 4], 6)
    auc = discrimination(np.arange(12.0), stages, 4, each_its_own(12)).auc
    assert auc.value == 1
    assert "DeLong" in auc.interval


def test_a_stage_of_one_case_is_left_out_of_comparisons_and_named() -> None:
    values = np.array([1.0, 2, 3, 4, 5, 6, 9])
    stages = np.array([0.0, 0, 0, 1, 1, 1, 4])
    found = kruskal_wallis(values, stages)
    assert (found.single, found.groups, found.sizes) == ((4,), (0, 1), (3, 3))
    assert len(dunn(values, stages)) == 1
    with pytest.raises(StudyError, match="two of each"):
        discrimination(values, stages, 4, each_its_own(7))


def test_constant_columns_are_refused() -> None:
    with pytest.raises(StudyError, match="in every case"):
        trend(np.full(9, 2.0), np.arange(9.0))
    with pytest.raises(StudyError, match="in every case"):
        pearson(np.arange(9.0), np.full(9, 2.0), each_its_own(9))
    with pytest.raises(StudyError, match="stages"):
        kruskal_wallis(np.arange(5.0), np.arange(5.0))
