"""Assess whether a slide can be H&E of liver, before its numbers are trusted."""

from glisson.plausibility.doubts import doubt_slide_size
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
    "doubt_slide_size",
]
