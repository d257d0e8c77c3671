"""Synthetic liver biopsies (phantoms) with exact ground truth.

The package plans a biopsy in numbers and vectors (`plan`), draws dye concentrations (`draw`) and
turns them into pixels by stain, glass and scanner (`light`). Every random value is a hash of the
seed and a place in the `world`, so any part of a slide can be drawn alone.

`make_phantom` writes a slide and its truth as files; `render_phantom` keeps both in memory;
`render_tile` draws one field for training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glisson.regions.triad import (
    BILE_DUCT,
    HEPATIC_ARTERY,
    LEAST_TRIAD_KINDS,
    PORTAL_VEIN,
    TRIAD,
    count_triad_kinds,
)
from glisson_phantom.annotator import FIRST_READER, SECOND_READER, Annotator, annotate
from glisson_phantom.biopsy import Chunk, PhantomBiopsy, PhantomSettings, plan_biopsy
from glisson_phantom.cohort import (
    TEST_DIAGNOSES,
    TRAINING_DIAGNOSES,
    Case,
    Readings,
    draw_readings,
    plan_cohort,
)
from glisson_phantom.features import Feature
from glisson_phantom.plan.disease import DIAGNOSES, Disease
from glisson_phantom.sites import SITES, Site
from glisson_phantom.slide import render_phantom, write_phantom
from glisson_phantom.tile import Tile, TileLook, render_tile
from glisson_phantom.truth import PhantomTruth, reduce_labels

if TYPE_CHECKING:
    from glisson_phantom.output.phantom_slide import MadePhantom, make_phantom
    from glisson_phantom.output.study import make_cohort

__all__ = [
    "BILE_DUCT",
    "DIAGNOSES",
    "FIRST_READER",
    "HEPATIC_ARTERY",
    "LEAST_TRIAD_KINDS",
    "PORTAL_VEIN",
    "SECOND_READER",
    "SITES",
    "TEST_DIAGNOSES",
    "TRAINING_DIAGNOSES",
    "TRIAD",
    "Annotator",
    "Case",
    "Chunk",
    "Disease",
    "Feature",
    "MadePhantom",
    "PhantomBiopsy",
    "PhantomSettings",
    "PhantomTruth",
    "Readings",
    "Site",
    "Tile",
    "TileLook",
    "annotate",
    "count_triad_kinds",
    "draw_readings",
    "make_cohort",
    "make_phantom",
    "plan_biopsy",
    "plan_cohort",
    "reduce_labels",
    "render_phantom",
    "render_tile",
    "write_phantom",
]

_LAZY = {
    "MadePhantom": "glisson_phantom.output.phantom_slide",
    "make_cohort": "glisson_phantom.output.study",
    "make_phantom": "glisson_phantom.output.phantom_slide",
}
"""Names whose modules import measurement and exchange, and themselves import this package."""


def __getattr__(name: str) -> Any:
    """Import the functions that write files when they are first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
