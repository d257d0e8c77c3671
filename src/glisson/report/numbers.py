"""Numbers as text; what is missing is a dash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

DASH = "–"


@dataclass(frozen=True)
class Cell:
    """A table's cell.

    Attributes:
        text: what is read.
        sort: what the column is sorted by; empty goes last.
    """

    text: str
    sort: str = ""


def number(value: float | None, style: str) -> str:
    """A number in a format, or a dash."""
    return DASH if value is None else format(value, style)


def count(value: float | None) -> str:
    """A count; a mean over sections may have a decimal."""
    if value is None:
        return DASH
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def mean_sd(values: Sequence[float], style: str) -> str:
    """Mean ± sample standard deviation; a dash for fewer than two."""
    return DASH if len(values) < 2 else f"{mean(values):{style}} ± {stdev(values):{style}}"


def cell(value: float | None, style: str = ".0f") -> Cell:
    """A cell that sorts by its value."""
    return Cell(number(value, style), "" if value is None else f"{value:.7g}")
