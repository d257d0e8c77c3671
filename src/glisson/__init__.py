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

if TYPE_CHECKING:
    from glisson.clinical import StudySettings, study
    from glisson.model import add_model, find_model, list_models, open_runtime
    from glisson.phantom import PhantomSettings, render_tile
    from glisson.run import (
        AskedSlide,
        RunResult,
        RunSettings,
        Shard,
        asked_slides,
        gather,
        remeasure,
        segment,
    )
    from glisson.run.phantoms import make_phantom
    from glisson.slides import InMemorySlide, open_slide
    from glisson.tissue import find_tissue

__version__ = "0.1.0"

_HOMES = {
    "AskedSlide": "glisson.run",
    "InMemorySlide": "glisson.slides",
    "PhantomSettings": "glisson.phantom",
    "RunResult": "glisson.run",
    "RunSettings": "glisson.run",
    "StudySettings": "glisson.clinical",
    "add_model": "glisson.model",
    "Shard": "glisson.run",
    "asked_slides": "glisson.run",
    "find_model": "glisson.model",
    "find_tissue": "glisson.tissue",
    "gather": "glisson.run",
    "list_models": "glisson.model",
    "make_phantom": "glisson.run.phantoms",
    "open_runtime": "glisson.model",
    "open_slide": "glisson.slides",
    "remeasure": "glisson.run",
    "render_tile": "glisson.phantom",
    "segment": "glisson.run",
    "study": "glisson.clinical",
}

__all__ = [
    "AskedSlide",
    "InMemorySlide",
    "PhantomSettings",
    "RunResult",
    "RunSettings",
    "Shard",
    "StudySettings",
    "__version__",
    "add_model",
    "asked_slides",
    "find_model",
    "find_tissue",
    "gather",
    "list_models",
    "make_phantom",
    "open_runtime",
    "open_slide",
    "remeasure",
    "render_tile",
    "segment",
    "study",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'glisson' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
