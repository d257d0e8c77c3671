"""Measurements of a slide that may not be H&E of liver: without verdicts and words of stage."""

from __future__ import annotations

from dataclasses import replace

from glisson.measurement.adequacy import Adequacy
from glisson.measurement.measurements import Measurements
from glisson.regions import remove_stage


def withhold_verdicts(measured: Measurements, why: str) -> Measurements:
    """Return the same numbers with no verdict of adequacy and no word of stage.

    Args:
        measured: of the slide.
        why: a sentence that stands as the reason of every standard.
    """
    reason = measured.biopsy.tract_count_reason
    biopsy = replace(
        measured.biopsy,
        tract_count_reason=None if reason is None else remove_stage(reason),
    )
    adequacy = tuple(_withhold(each, why) for each in measured.adequacy)
    return replace(measured, biopsy=biopsy, adequacy=adequacy)


def _withhold(adequacy: Adequacy, why: str) -> Adequacy:
    return replace(
        adequacy,
        verdict="not assessable",
        reason=why,
        length_missing_mm=None,
        tracts_missing=None,
    )
