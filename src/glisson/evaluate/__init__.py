"""A model against truth: the paper's tables, intervals, borders, drift, galleries."""

from glisson.evaluate.evaluation import PAGE, evaluate_tiles
from glisson.evaluate.table import Table

__all__ = ["PAGE", "Table", "evaluate_tiles"]
