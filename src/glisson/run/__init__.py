"""A run: slides from end to end, and the results folder."""

from __future__ import annotations

from glisson.run.cohort import RunResult, result_names, segment
from glisson.run.observer import RunObserver, SilentObserver
from glisson.run.settings import RunSettings
from glisson.run.slide import RESEARCH_USE, SlideResult, segment_one

__all__ = [
    "RESEARCH_USE",
    "RunObserver",
    "RunResult",
    "RunSettings",
    "SilentObserver",
    "SlideResult",
    "result_names",
    "segment",
    "segment_one",
]
