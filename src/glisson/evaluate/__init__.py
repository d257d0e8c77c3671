"""A model against truth: the paper's tables, intervals, borders, drift, galleries."""

from glisson.evaluate.evaluation import PAGE, evaluate_tiles
from glisson.evaluate.page import Picture, write_page
from glisson.evaluate.paper import PAPER_TABLE_1, PAPER_TABLE_2
from glisson.evaluate.table import Table
from glisson.evaluate.tiles import TileSource

__all__ = [
    "PAGE",
    "PAPER_TABLE_1",
    "PAPER_TABLE_2",
    "Picture",
    "Table",
    "TileSource",
    "evaluate_tiles",
    "write_page",
]
