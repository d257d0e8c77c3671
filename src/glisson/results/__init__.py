"""The results folder: written, checked, read again; tables, report and project made from it."""

from __future__ import annotations

from glisson.results.candidates import count_in_words
from glisson.results.folder import OVERVIEW
from glisson.results.names import name_folders
from glisson.results.record import RESEARCH_USE, SlideResult

__all__ = [
    "OVERVIEW",
    "RESEARCH_USE",
    "SlideResult",
    "count_in_words",
    "name_folders",
]
