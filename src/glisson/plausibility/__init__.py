"""Whether a slide can be H&E of liver at all: measured before its numbers are believed."""

from glisson.plausibility.gate import assess_plausibility
from glisson.plausibility.parenchyma import Parenchyma
from glisson.plausibility.plausibility import Measure, Plausibility, Verdict
from glisson.plausibility.settings import PlausibilitySettings

__all__ = [
    "Measure",
    "Parenchyma",
    "Plausibility",
    "PlausibilitySettings",
    "Verdict",
    "assess_plausibility",
]
