"""Synthetic liver biopsies with exact ground truth.

A biopsy is planned in numbers and vectors (`plan`), drawn as dye concentrations (`draw`) and
turned into pixels by stain, glass and scanner (`light`); everything random belongs to a place
in the `world`, so that any part can be drawn alone.
"""

from __future__ import annotations

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
from glisson_phantom.slide import phantom_in_memory, write_phantom
from glisson_phantom.tile import Tile, render_tile
from glisson_phantom.truth import PhantomTruth, commonest

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
    "PhantomBiopsy",
    "PhantomSettings",
    "PhantomTruth",
    "Readings",
    "Site",
    "Tile",
    "annotate",
    "commonest",
    "count_triad_kinds",
    "draw_readings",
    "phantom_in_memory",
    "plan_biopsy",
    "plan_cohort",
    "render_tile",
    "write_phantom",
]
