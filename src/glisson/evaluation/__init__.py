"""A model against truth: the paper's tables, intervals, borders, drift, galleries."""

from glisson.evaluation.page import Picture, write_page
from glisson.evaluation.paper import PAPER_TABLE_1, PAPER_TABLE_2
from glisson.evaluation.table import Table
from glisson.evaluation.tables import table_one
from glisson.evaluation.tracts import TractScore, score_tracts
from glisson.evaluation.whole import PAGE, Evaluation, evaluate_tiles

__all__ = [
    "PAGE",
    "PAPER_TABLE_1",
    "PAPER_TABLE_2",
    "Evaluation",
    "Picture",
    "Table",
    "TractScore",
    "evaluate_tiles",
    "score_tracts",
    "table_one",
    "write_page",
]
