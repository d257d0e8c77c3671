"""How a measurement goes with another, or with the stage of fibrosis.

Arrays hold one value a slide, the same slides in the same order.
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
    Bounds,
    Estimate,
    PatientBootstrap,
    Values,
    check_pairs,
    check_varies,
)
from glisson.errors import StudyError

_NORMAL = 1.96
FISHER_INTERVAL, DELONG_INTERVAL = "Fisher's z", "DeLong's variance"


@dataclass(frozen=True)
class Correlation:
    """One coefficient of correlation.

    Attributes:
        coefficient: -1 to 1.
        p_value: of no correlation, two-sided; takes slides as independent.
    """

    coefficient: Estimate
    p_value: float


@dataclass(frozen=True)
class StageCorrelations:
    """Of a measurement with stage.

    Attributes:
        pearson: r, which takes the steps of the scale as equal: the paper's.
        spearman: rho.
        kendall: tau-b.
    """

    pearson: Correlation
    spearman: Correlation
    kendall: Correlation


@dataclass(frozen=True)
class KruskalWallis:
    """Whether groups differ (Kruskal & Wallis 1952).

    Attributes:
        groups: stages compared.
        sizes: slides of each.
        single: stages of one slide, left out.
        h: the statistic, corrected for ties.
        degrees_of_freedom: groups less 1.
        p_value: by the chi-square approximation; takes slides as independent.
        epsilon_squared: H / (n - 1) (Tomczak & Tomczak 2014); 0 no effect, 1 all of it.
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
    """Two groups compared by Dunn's test (1964).

    Attributes:
        first: stage.
        second: stage.
        z: of the mean ranks, second less first.
        p_value: two-sided.
        p_holm: the same, adjusted for all pairs (Holm 1979).
    """

    first: int
    second: int
    z: float
    p_value: float
    p_holm: float


@dataclass(frozen=True)
class Trend:
    """The Jonckheere-Terpstra test of a trend over ordered groups.

    Attributes:
        j: pairs of slides in the order of their stages; ties count half.
        z: standardised, with the variance for ties.
        p_value: two-sided, normal approximation; takes slides as independent.
    """

    j: float
    z: float
    p_value: float


@dataclass(frozen=True)
class Discrimination:
    """How well a measurement tells slides from a stage on from those below.

    Attributes:
        from_stage: the lowest stage counted as positive.
        positive: slides of that stage or more.
        negative: slides below.
        auc: area under the ROC curve: the chance that a positive slide measures more.
    """

    from_stage: int
    positive: int
    negative: int
    auc: Estimate


def pearson(first: Values, second: Values, bootstrap: PatientBootstrap) -> Correlation:
    """Pearson's r of two measurements, with Fisher's z interval.

    Raises:
        StudyError: fewer than 3 pairs, or a constant column.
    """
    _check(first, second)
    estimate = bootstrap.closed(_pearson, _fisher_bounds, FISHER_INTERVAL, first, second)
    return Correlation(estimate, float(stats.pearsonr(first, second).pvalue))


def stage_correlations(
    values: Values, stages: Values, bootstrap: PatientBootstrap
) -> StageCorrelations:
    """Pearson's r (the paper's), Spearman's rho and Kendall's tau-b with stage.

    Intervals are drawn: a stage is a rank of few values, so no formula fits.

    Raises:
        StudyError: as `pearson`.
    """
    _check(values, stages)
    return StageCorrelations(
        _correlation(stats.pearsonr, values, stages, bootstrap),
        _correlation(stats.spearmanr, values, stages, bootstrap),
        _correlation(stats.kendalltau, values, stages, bootstrap),
    )


def _correlation(
    test: Callable[..., tuple[float, float]], first: Values, second: Values,
    bootstrap: PatientBootstrap,
) -> Correlation:  # fmt: skip
    estimate = bootstrap.estimate(lambda a, b: test(a, b)[0], first, second)
    return Correlation(estimate, float(test(first, second)[1]))


def _check(first: Values, second: Values) -> None:
    check_pairs(first, second)
    check_varies(first, "The first measurement")
    check_varies(second, "The second measurement")


def _pearson(first: Values, second: Values) -> float:
    return float(np.corrcoef(first, second)[0, 1])


def _fisher_bounds(first: Values, second: Values) -> Bounds:
    low, high = stats.pearsonr(first, second).confidence_interval(0.95)
    return float(low), float(high)


def kruskal_wallis(values: Values, stages: Values) -> KruskalWallis:
    """Whether a measurement differs between stages; stages of one slide are left out.

    Raises:
        StudyError: fewer than two stages have two slides, or all values are the same.
    """
    groups = _groups(values, stages)
    single = tuple(stage for stage, group in groups.items() if len(group) == 1)
    kept = _kept(groups)
    h, p_value = stats.kruskal(*kept.values())
    n = sum(map(len, kept.values()))
    return KruskalWallis(
        tuple(kept), tuple(map(len, kept.values())), single, float(h), len(kept) - 1,
        float(p_value), float(h) / (n - 1),
    )  # fmt: skip


def dunn(values: Values, stages: Values) -> tuple[DunnPair, ...]:
    """Every two stages compared after Kruskal-Wallis, on the ranks of all (Dunn 1964, with ties).

    Raises:
        StudyError: as `kruskal_wallis`.
    """
    kept = _kept(_groups(values, stages))
    everything = np.concatenate(list(kept.values()))
    ranks = np.split(stats.rankdata(everything), np.cumsum([len(g) for g in kept.values()])[:-1])
    by_stage = dict(zip(kept, ranks, strict=True))
    variance = _rank_variance(everything)
    pairs = list(combinations(kept, 2))
    scores = [_dunn_z(by_stage[a], by_stage[b], variance) for a, b in pairs]
    p_values = [float(2 * stats.norm.sf(abs(z))) for z in scores]
    adjusted = multipletests(p_values, method="holm")[1]
    return tuple(
        DunnPair(a, b, z, p, float(holm))
        for (a, b), z, p, holm in zip(pairs, scores, p_values, adjusted, strict=True)
    )


def _rank_variance(values: Values) -> float:
    n = len(values)
    _, ties = np.unique(values, return_counts=True)
    return n * (n + 1) / 12 - float((ties.astype(float) ** 3 - ties).sum()) / (12 * (n - 1))


def _dunn_z(first: Values, second: Values, variance: float) -> float:
    error = math.sqrt(variance * (1 / len(first) + 1 / len(second)))
    return float(second.mean() - first.mean()) / error


def _groups(values: Values, stages: Values) -> dict[int, Values]:
    check_pairs(values, stages)
    check_varies(values, "The measurement")
    return {int(stage): values[stages == stage] for stage in np.unique(stages)}


def _kept(groups: dict[int, Values]) -> dict[int, Values]:
    kept = {stage: group for stage, group in groups.items() if len(group) > 1}
    if len(kept) < 2:
        raise StudyError(
            f"Only {len(kept)} of {len(groups)} stages have two cases or more; two such stages "
            "are needed."
        )
    check_varies(np.concatenate(list(kept.values())), "The measurement")
    return kept


def trend(values: Values, stages: Values) -> Trend:
    """Jonckheere-Terpstra (Hollander & Wolfe, Nonparametric Statistical Methods, section 6.2).

    Raises:
        StudyError: fewer than 3 slides, or a constant column.
    """
    _check(values, stages)
    groups = _groups(values, stages)
    j = float(sum(_wins(groups[a], groups[b]) for a, b in combinations(groups, 2)))
    n, sizes = len(values), np.array([len(group) for group in groups.values()], float)
    mean = (n**2 - float((sizes**2).sum())) / 4
    z = (j - mean) / math.sqrt(_trend_variance(n, sizes, values))
    return Trend(j, z, float(2 * stats.norm.sf(abs(z))))


def _trend_variance(n: int, sizes: Values, values: Values) -> float:
    """Variance of J under no trend, with ties among the values."""
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


def _wins(low: Values, high: Values) -> float:
    """Pairs in which the value of `high` is the larger; ties count half."""
    difference = high[:, None] - low[None, :]
    return float((difference > 0).sum() + (difference == 0).sum() / 2)


def discrimination(
    values: Values, stages: Values, from_stage: int, bootstrap: PatientBootstrap
) -> Discrimination:
    """AUC of a measurement for a stage or more, with DeLong's interval (DeLong et al. 1988).

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
    auc = bootstrap.closed(_auc, _delong_bounds, DELONG_INTERVAL, values, positive.astype(float))
    return Discrimination(from_stage, *sides, auc)


def _auc(values: Values, positive: Values) -> float:
    high, low = values[positive == 1], values[positive == 0]
    return _wins(low, high) / (len(low) * len(high)) if len(low) and len(high) else math.nan


def _delong_bounds(values: Values, positive: Values) -> Bounds:
    """None for a perfect or a useless curve, whose variance DeLong's formula puts at 0."""
    high, low = values[positive == 1], values[positive == 0]
    difference = high[:, None] - low[None, :]
    placed = (difference > 0) + (difference == 0) / 2
    variance = placed.mean(axis=1).var(ddof=1) / len(high) + placed.mean(axis=0).var(ddof=1) / len(
        low
    )
    if variance == 0:
        return math.nan, math.nan
    half = _NORMAL * math.sqrt(variance)
    return max(0.0, float(placed.mean()) - half), min(1.0, float(placed.mean()) + half)
