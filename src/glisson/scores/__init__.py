"""How well a class map agrees with the truth: counts first, ratios last."""

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
    "Confusion",
    "Scores",
    "confusion",
    "mean_of_scores",
    "scores_of",
]
