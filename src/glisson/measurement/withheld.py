"""Verdicts that a slide does not bear: it may not be liver, has no tissue, or shows a part."""

from __future__ import annotations

from dataclasses import replace

from glisson.measurement.adequacy import Adequacy
from glisson.measurement.measurements import Measurements
from glisson.regions import remove_stage

NO_TISSUE = "Not assessable: no liver tissue was found."


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


def mark_as_part(measured: Measurements) -> Measurements:
    """Return the same verdicts, whose reasons say that the picture shows a part of the biopsy."""
    part = "A part of the biopsy: the picture's sides cut it."
    adequacy = tuple(replace(each, reason=f"{each.reason} {part}") for each in measured.adequacy)
    return replace(measured, adequacy=adequacy)


def _withhold(adequacy: Adequacy, why: str) -> Adequacy:
    return replace(
        adequacy,
        verdict="not assessable",
        reason=why,
        length_missing_mm=None,
        tracts_missing=None,
    )
