"""Numbers as text for tables, figures and notes."""

from __future__ import annotations

import math

from glisson.clinical.estimates import Estimate

DASH = "–"


def format_number(value: float, digits: int = 2) -> str:
    """Format a number; NaN is a dash, and zero has no sign."""
    return f"{value:z.{digits}f}" if math.isfinite(value) else DASH


def format_estimate(value: Estimate, digits: int = 2) -> str:
    """Format an estimate with its interval, if it has one."""
    if math.isnan(value.low):
        return format_number(value.value, digits)
    low, high = format_number(value.low, digits), format_number(value.high, digits)
    return f"{format_number(value.value, digits)} ({low} to {high})"


def format_p_value(value: float) -> str:
    """Format a p value with two digits, never as 0."""
    if math.isnan(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"
