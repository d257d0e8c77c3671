"""Association of a measurement with another measurement or with the stage of fibrosis.

Arrays hold one value for each slide, in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

from glisson.clinical.estimates import (
    NORMAL_QUANTILE,
    Bounds,
    Estimate,
    PatientBootstrap,
    Values,
    check_pairs,
    check_varies,
)
from glisson.errors import StudyError

FISHER_INTERVAL, DELONG_INTERVAL = "Fisher's z", "DeLong's variance"


@dataclass(frozen=True)
class Correlation:
    """Coefficient of correlation.

    Attributes:
        coefficient: -1 to 1.
        p_value: of no correlation, two-sided; treats slides as independent.
    """

    coefficient: Estimate
    p_value: float


@dataclass(frozen=True)
class StageCorrelations:
    """Correlations of a measurement with stage.

    Attributes:
        pearson: r (the paper's), which treats the steps of the scale as equal.
        spearman: rho.
        kendall: tau-b.
    """

    pearson: Correlation
    spearman: Correlation
    kendall: Correlation


@dataclass(frozen=True)
class KruskalWallis:
    """Test whether stages differ (Kruskal & Wallis 1952).

    Attributes:
        groups: stages compared.
        sizes: number of slides of each stage.
        single: stages of one slide, left out.
        h: the statistic, corrected for ties.
        degrees_of_freedom: groups less 1.
        p_value: by the chi-square approximation; treats slides as independent.
        epsilon_squared: H / (n - 1) (Tomczak & Tomczak 2014); 0 is no effect, 1 the largest.
    """

    groups: tuple[int, ...]
    sizes: tuple[int, ...]
    single: tuple[int, ...]
    h: float
    degrees_of_freedom: int
    p_value: float
    epsilon_squared: float


@dataclass(frozen=True)
class DunnPair:
    """Comparison of two stages by Dunn's test (1964).

    Attributes:
        first: stage.
        second: stage.
        z: of the mean ranks, second minus first.
        p_value: two-sided.
        p_holm: p value adjusted for all pairs (Holm 1979).
    """

    first: int
    second: int
    z: float
    p_value: float
    p_holm: float


@dataclass(frozen=True)
class Trend:
    """Jonckheere-Terpstra test of a trend over ordered stages.

    Attributes:
        j: number of pairs of slides in the order of their stages; ties count half.
        z: standardised, with the variance for ties.
        p_value: two-sided, normal approximation; treats slides as independent.
    """

    j: float
    z: float
    p_value: float


@dataclass(frozen=True)
class Discrimination:
    """Discrimination of a stage or more from lower stages by a measurement.

    Attributes:
        from_stage: lowest positive stage.
        positive: number of slides of this stage or more.
        negative: number of slides below.
        auc: area under the ROC curve: the chance that a positive slide measures more.
    """

    from_stage: int
    positive: int
    negative: int
    auc: Estimate


def pearson(first: Values, second: Values, bootstrap: PatientBootstrap) -> Correlation:
    """Estimate Pearson's r of two measurements, with Fisher's z interval.

    Raises:
        StudyError: fewer than 3 pairs, or a constant column.
    """
    _check_measurements(first, second)
    estimate = bootstrap.estimate_by_formula(
        lambda a, b: float(np.corrcoef(a, b)[0, 1]),
        lambda a, b: stats.pearsonr(a, b).confidence_interval(0.95),
        FISHER_INTERVAL,
        first,
        second,
    )
    return Correlation(estimate, float(stats.pearsonr(first, second).pvalue))


def stage_correlations(
    values: Values, stages: Values, bootstrap: PatientBootstrap
) -> StageCorrelations:
    """Estimate Pearson's r (the paper's), Spearman's rho and Kendall's tau-b with stage.

    Intervals come from the bootstrap: a stage is a rank of few values, so no formula fits.

    Raises:
        StudyError: as `pearson`.
    """
    _check_measurements(values, stages)
    return StageCorrelations(
        _correlate(stats.pearsonr, values, stages, bootstrap),
        _correlate(stats.spearmanr, values, stages, bootstrap),
        _correlate(stats.kendalltau, values, stages, bootstrap),
    )


def _correlate(
    test: Callable[..., tuple[float, float]],
    first: Values,
    second: Values,
    bootstrap: PatientBootstrap,
) -> Correlation:
    estimate = bootstrap.estimate(lambda a, b: test(a, b)[0], first, second)
    return Correlation(estimate, float(test(first, second)[1]))


def _check_measurements(first: Values, second: Values) -> None:
    check_pairs(first, second)
    check_varies(first, "The first measurement")
    check_varies(second, "The second measurement")


def kruskal_wallis(values: Values, stages: Values) -> KruskalWallis:
    """Test whether a measurement differs between stages; skip stages of one slide.

    Raises:
        StudyError: fewer than two stages have two slides, or all values are equal.
    """
    every = _group_by_stage(values, stages)
    groups = _drop_single(every)
    h, p_value = stats.kruskal(*groups.values())
    sizes = tuple(map(len, groups.values()))
    return KruskalWallis(
        groups=tuple(groups),
        sizes=sizes,
        single=tuple(stage for stage, group in every.items() if len(group) == 1),
        h=float(h),
        degrees_of_freedom=len(groups) - 1,
        p_value=float(p_value),
        epsilon_squared=float(h) / (sum(sizes) - 1),
    )


def dunn(values: Values, stages: Values) -> tuple[DunnPair, ...]:
    """Compare every two stages after Kruskal-Wallis, on the ranks of all (Dunn 1964, with ties).

    Raises:
        StudyError: as `kruskal_wallis`.
    """
    groups = _drop_single(_group_by_stage(values, stages))
    pooled = np.concatenate(list(groups.values()))
    ranks = np.split(stats.rankdata(pooled), np.cumsum([len(g) for g in groups.values()])[:-1])
    n, (_, ties) = len(pooled), np.unique(pooled, return_counts=True)
    for_ties = float((ties.astype(float) ** 3 - ties).sum()) / (12 * (n - 1))
    variance = n * (n + 1) / 12 - for_ties
    pairs, scores = list(combinations(groups, 2)), []
    for first, second in combinations(ranks, 2):
        error = math.sqrt(variance * (1 / len(first) + 1 / len(second)))
        scores.append(float(second.mean() - first.mean()) / error)
    p_values = [float(2 * stats.norm.sf(abs(z))) for z in scores]
    adjusted = multipletests(p_values, method="holm")[1]
    return tuple(
        DunnPair(a, b, z, p, float(holm))
        for (a, b), z, p, holm in zip(pairs, scores, p_values, adjusted, strict=True)
    )


def _group_by_stage(values: Values, stages: Values) -> dict[int, Values]:
    check_pairs(values, stages)
    check_varies(values, "The measurement")
    return {int(stage): values[stages == stage] for stage in np.unique(stages)}


def _drop_single(groups: dict[int, Values]) -> dict[int, Values]:
    """Return the stages of two slides or more."""
    several = {stage: group for stage, group in groups.items() if len(group) > 1}
    if len(several) < 2:
        raise StudyError(
            f"Only {len(several)} of {len(groups)} stages have two cases or more; two such stages "
            "are needed."
        )
    check_varies(np.concatenate(list(several.values())), "The measurement")
    return several


def trend(values: Values, stages: Values) -> Trend:
    """Test for a trend by Jonckheere-Terpstra.

    Source: Hollander & Wolfe, Nonparametric Statistical Methods, section 6.2.

    Raises:
        StudyError: fewer than 3 slides, or a constant column.
    """
    _check_measurements(values, stages)
    groups = _group_by_stage(values, stages)
    j = float(sum(_count_wins(groups[a], groups[b]) for a, b in combinations(groups, 2)))
    n, sizes = len(values), np.array([len(group) for group in groups.values()], float)
    mean = (n**2 - float((sizes**2).sum())) / 4
    z = (j - mean) / math.sqrt(_compute_trend_variance(n, sizes, values))
    return Trend(j, z, float(2 * stats.norm.sf(abs(z))))


def _compute_trend_variance(n: int, sizes: Values, values: Values) -> float:
    """Return the variance of J without a trend, with ties among the values."""
    _, counts = np.unique(values, return_counts=True)
    ties = counts.astype(float)

    def cubic(m: Values | float) -> float:
        return float(np.sum(m * (m - 1) * (2 * m + 5)))

    def triples(m: Values) -> float:
        return float(np.sum(m * (m - 1) * (m - 2)))

    def pairs(m: Values) -> float:
        return float(np.sum(m * (m - 1)))

    return (
        (cubic(float(n)) - cubic(sizes) - cubic(ties)) / 72
        + triples(sizes) * triples(ties) / (36 * n * (n - 1) * (n - 2))
        + pairs(sizes) * pairs(ties) / (8 * n * (n - 1))
    )


def _count_wins(low: Values, high: Values) -> float:
    """Count the pairs in which the value of `high` is larger; ties count half."""
    difference = high[:, None] - low[None, :]
    return float((difference > 0).sum() + (difference == 0).sum() / 2)


def discrimination(
    values: Values, stages: Values, from_stage: int, bootstrap: PatientBootstrap
) -> Discrimination:
    """Estimate the AUC for a stage or more, with DeLong's interval (DeLong et al. 1988).

    Raises:
        StudyError: fewer than 2 slides on one side.
    """
    check_pairs(values, stages)
    positive = stages >= from_stage
    sides = int(positive.sum()), int((~positive).sum())
    if min(sides) < 2:
        raise StudyError(
            f"Cases of stage {from_stage} or more: {sides[0]}; below: {sides[1]}; two of each are "
            "needed."
        )

    def auc(drawn: Values, positive: Values) -> float:
        high, low = drawn[positive == 1], drawn[positive == 0]
        pairs = len(low) * len(high)
        return _count_wins(low, high) / pairs if pairs else math.nan

    return Discrimination(
        from_stage,
        *sides,
        bootstrap.estimate_by_formula(
            auc, _bound_auc, DELONG_INTERVAL, values, positive.astype(float)
        ),
    )


def _bound_auc(values: Values, positive: Values) -> Bounds:
    """Return DeLong's interval; NaN for a perfect curve, whose variance the formula puts at 0."""
    high, low = values[positive == 1], values[positive == 0]
    difference = high[:, None] - low[None, :]
    placed = (difference > 0) + (difference == 0) / 2
    by_high, by_low = placed.mean(axis=1), placed.mean(axis=0)
    variance = by_high.var(ddof=1) / len(high) + by_low.var(ddof=1) / len(low)
    if variance == 0:
        return math.nan, math.nan
    half = NORMAL_QUANTILE * math.sqrt(variance)
    return max(0.0, float(placed.mean()) - half), min(1.0, float(placed.mean()) + half)
