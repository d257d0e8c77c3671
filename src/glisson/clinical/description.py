"""Numbers described: how many, mean and SD, median and range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glisson.clinical.estimates import Values


@dataclass(frozen=True)
class Description:
    """One column of numbers.

    Attributes:
        n: values that are there.
        mean: NaN without a value, as are the following.
        sd: with n - 1; NaN below two values.
        median: half of the values lie below.
        lowest: smallest value.
        highest: largest value.
    """

    n: int
    mean: float
    sd: float
    median: float
    lowest: float
    highest: float


def describe(values: Values) -> Description:
    """Describe a column; missing values are left out."""
    known = values[np.isfinite(values)]
    if not len(known):
        return Description(0, *(math.nan,) * 5)
    sd = float(known.std(ddof=1)) if len(known) > 1 else math.nan
    middle = float(np.median(known))
    return Description(
        len(known), float(known.mean()), sd, middle, float(known.min()), float(known.max())
    )
