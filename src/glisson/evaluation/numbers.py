"""Numbers of an evaluation as text."""

from __future__ import annotations

import math

from glisson.scores import Interval


def format_number(value: float, digits: int = 3) -> str:
    """Format a number; a dash stands for NaN."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def format_interval(value: Interval) -> str:
    """Format a score with its interval, which a single patient does not give."""
    if math.isnan(value.low):
        return format_number(value.value)
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"
