"""A run: slides from end to end, and the results folder.

What draws phantoms is imported from its own modules: segmenting a slide needs none of it.
"""

from __future__ import annotations

from glisson.run.candidates import count_in_words
from glisson.run.cohort import RunResult, segment
from glisson.run.corrected import EditedRun, EditedSlide, remeasure
from glisson.run.folder import OVERVIEW
from glisson.run.joined import gather
from glisson.run.names import result_names
from glisson.run.observer import RunObserver, SilentObserver
from glisson.run.pseudonyms import with_pseudonyms
from glisson.run.settings import RunSettings
from glisson.run.shard import Shard
from glisson.run.slide import RESEARCH_USE, SlideResult, segment_one
from glisson.run.slide_list import AskedSlide, asked_slides

__all__ = [
    "OVERVIEW",
    "RESEARCH_USE",
    "AskedSlide",
    "EditedRun",
    "EditedSlide",
    "RunObserver",
    "RunResult",
    "RunSettings",
    "Shard",
    "SilentObserver",
    "SlideResult",
    "asked_slides",
    "count_in_words",
    "gather",
    "remeasure",
    "result_names",
    "segment",
    "segment_one",
    "with_pseudonyms",
]
