"""Glisson: portal tracts of H&E liver biopsies, found, outlined, counted and measured.

The verbs of the command line are functions here:

    import glisson

    result = glisson.segment("biopsy.svs", "results")
    with glisson.open_slide("biopsy.svs") as slide:
        tissue = glisson.find_tissue(slide)

Importing this package is quick: what a function needs is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from glisson.version import __version__

if TYPE_CHECKING:
    from glisson.clinical import StudySettings, study
    from glisson.inputs import SlideEntry, list_slides
    from glisson.model import add_model, find_model, list_models, open_runtime
    from glisson.run.executors import Shard
    from glisson.run.gather import gather
    from glisson.run.remeasure import measure
    from glisson.run.segment import RunResult, segment
    from glisson.run.settings import RunSettings
    from glisson.slides import InMemorySlide, open_slide
    from glisson.tissue import find_tissue

_HOMES = {
    "SlideEntry": "glisson.inputs",
    "InMemorySlide": "glisson.slides",
    "RunResult": "glisson.run.segment",
    "RunSettings": "glisson.run.settings",
    "StudySettings": "glisson.clinical",
    "add_model": "glisson.model",
    "Shard": "glisson.run.executors",
    "list_slides": "glisson.inputs",
    "find_model": "glisson.model",
    "find_tissue": "glisson.tissue",
    "gather": "glisson.run.gather",
    "list_models": "glisson.model",
    "open_runtime": "glisson.model",
    "open_slide": "glisson.slides",
    "measure": "glisson.run.remeasure",
    "segment": "glisson.run.segment",
    "study": "glisson.clinical",
}

__all__ = [
    "InMemorySlide",
    "RunResult",
    "RunSettings",
    "Shard",
    "SlideEntry",
    "StudySettings",
    "__version__",
    "add_model",
    "find_model",
    "find_tissue",
    "gather",
    "list_models",
    "list_slides",
    "measure",
    "open_runtime",
    "open_slide",
    "segment",
    "study",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'glisson' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
