"""Evaluation of models against annotations: the paper's tables, intervals, borders, drift."""

from glisson.evaluation.models import (
    PAGE,
    Evaluation,
    EvaluationResult,
    Subject,
    evaluate_model,
    evaluate_models,
)
from glisson.evaluation.page import Link, Picture, write_page
from glisson.evaluation.paper import PAPER_TABLE_1, PAPER_TABLE_2
from glisson.evaluation.run import EvaluationSettings, evaluate
from glisson.evaluation.tables import table_one
from glisson.evaluation.tiles import check_mpp
from glisson.evaluation.tracts import TractScore, score_tracts

__all__ = [
    "PAGE",
    "PAPER_TABLE_1",
    "PAPER_TABLE_2",
    "Evaluation",
    "EvaluationResult",
    "EvaluationSettings",
    "Link",
    "Picture",
    "Subject",
    "TractScore",
    "check_mpp",
    "evaluate",
    "evaluate_model",
    "evaluate_models",
    "score_tracts",
    "table_one",
    "write_page",
]
