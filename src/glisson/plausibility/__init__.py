"""Whether a slide can be H&E of liver at all: measured before its numbers are believed."""

from glisson.plausibility.gate import assess_plausibility
from glisson.plausibility.plausibility import Plausibility, Verdict
from glisson.plausibility.settings import PlausibilitySettings

__all__ = ["Plausibility", "PlausibilitySettings", "Verdict", "assess_plausibility"]
