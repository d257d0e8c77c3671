"""A run: slides from end to end, and the results folder."""

from __future__ import annotations

from glisson.run.cohort import RunResult, segment
from glisson.run.corrected import EditedRun, EditedSlide, remeasure
from glisson.run.folder import OVERVIEW
from glisson.run.joined import gather
from glisson.run.names import result_names
from glisson.run.observer import RunObserver, SilentObserver
from glisson.run.phantom_cohort import make_cohort
from glisson.run.phantoms import MadePhantom, make_phantom
from glisson.run.pseudonyms import with_pseudonyms
from glisson.run.reproduce import ReproduceSettings, reproduce
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
    "MadePhantom",
    "ReproduceSettings",
    "RunObserver",
    "RunResult",
    "RunSettings",
    "Shard",
    "SilentObserver",
    "SlideResult",
    "asked_slides",
    "gather",
    "make_cohort",
    "make_phantom",
    "remeasure",
    "reproduce",
    "result_names",
    "segment",
    "segment_one",
    "with_pseudonyms",
]
