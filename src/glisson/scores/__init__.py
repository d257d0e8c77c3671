"""How well a class map agrees with the truth: counts first, ratios last."""

from glisson.scores.bootstrap import (
    LEAST_PATIENTS,
    Interval,
    PooledScores,
    pooled_by,
    pooled_scores,
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
    "pooled_by",
    "pooled_scores",
    "scores_of",
]
