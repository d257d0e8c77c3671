"""What is left of the measurements of a slide that may not be liver."""

from __future__ import annotations

from dataclasses import replace

import pytest
from shapely import box

from glisson.frames import Frame, PixelSize
from glisson.measurement import measure_biopsy, withhold_verdicts
from glisson.regions import Fragment, Regions, Tract
from glisson.regions.tracts import explain_uncountable


def _bridged() -> Regions:
    tissue, septum = box(0, 0, 4000, 900), box(1000, 100, 3000, 700)
    tracts = (Tract(1, 1, septum, septum, 0.0, True, True, 0.9),)
    reason = explain_uncountable(tracts)
    fragments = (Fragment(1, tissue, tissue),)
    return Regions(Frame(PixelSize(1, 1), 1.0), fragments, tracts, False, reason)


def test_verdicts_and_stage_are_withheld_and_numbers_stay() -> None:
    measured = measure_biopsy(_bridged(), PixelSize(1, 1))
    assert "stage" in (measured.biopsy.tract_count_reason or "")
    assert any(each.verdict != "not assessable" for each in measured.adequacy)
    withheld = withhold_verdicts(measured, "Withheld: perhaps not liver.")
    reason = withheld.biopsy.tract_count_reason or ""
    assert "bridges between tracts." in reason
    assert "stage" not in reason
    assert "septal" not in reason
    assert {each.verdict for each in withheld.adequacy} == {"not assessable"}
    assert {each.reason for each in withheld.adequacy} == {"Withheld: perhaps not liver."}
    assert withheld.biopsy.portal_percent == pytest.approx(measured.biopsy.portal_percent)
    assert replace(withheld.biopsy, tract_count_reason=None) == replace(
        measured.biopsy, tract_count_reason=None
    )
