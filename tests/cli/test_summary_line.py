"""The line of a slide's adequacy on the terminal."""

from __future__ import annotations

from typing import Any

from glisson.cli.summary import adequacy_line
from glisson.record import BiopsyRecord
from tests.records import content, record


def _record(**more: Any) -> BiopsyRecord:
    made = content(**more)
    made["adequacy"][0]["verdict"] = "not assessable"
    return record(made)


def test_adequacy_is_withheld_in_words_and_not_on_outlines_of_a_person() -> None:
    doubted = {"verdict": "not H&E", "withheld": True}
    assert adequacy_line(_record(plausibility=doubted)) == "adequacy withheld (not H&E)"
    by_hand = _record(plausibility=doubted, source="edited")
    assert adequacy_line(by_hand) == "AASLD 2009 not assessable"
    assert adequacy_line(_record()) == "AASLD 2009 not assessable"
