"""Agreement of a class map with the truth: counts first, ratios last."""

from glisson.scores.bootstrap import (
    LEAST_PATIENTS,
    Interval,
    PooledScores,
    pool_scores,
    sum_by_key,
)
from glisson.scores.boundary import BoundaryScores, boundary_scores
from glisson.scores.confusion import (
    ABSENT_CLASS_RULE,
    Confusion,
    Scores,
    confusion,
    mean_of_scores,
    scores_of,
)

__all__ = [
    "ABSENT_CLASS_RULE",
    "LEAST_PATIENTS",
    "BoundaryScores",
    "Confusion",
    "Interval",
    "PooledScores",
    "Scores",
    "boundary_scores",
    "confusion",
    "mean_of_scores",
    "pool_scores",
    "scores_of",
    "sum_by_key",
]
