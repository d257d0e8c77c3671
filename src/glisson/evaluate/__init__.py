"""A model against truth: the paper's tables, intervals, borders, drift, galleries."""

from glisson.evaluate.evaluation import PAGE, evaluate_tiles
from glisson.evaluate.table import Table
from glisson.evaluate.tiles import TileSource

__all__ = ["PAGE", "Table", "TileSource", "evaluate_tiles"]
