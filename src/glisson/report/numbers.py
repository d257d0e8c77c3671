"""Cells of the report's tables."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev

from glisson.measurement import DASH, Measurement
from glisson.pages import Cell


def make_cell(row: Measurement, block: object) -> Cell:
    """Make a cell of a measurement in a block of a record; it sorts by its value."""
    value = row.value_of(block)
    return Cell(row.text(value), "" if value is None else f"{value:.7g}")


def mean_sd(values: Sequence[float], style: str) -> str:
    """Format mean ± sample standard deviation; a dash stands for fewer than two values."""
    return DASH if len(values) < 2 else f"{mean(values):{style}} ± {stdev(values):{style}}"
