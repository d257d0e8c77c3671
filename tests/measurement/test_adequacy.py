"""Standards say what their papers say, and nothing where they cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glisson.measurement import SHOWN, STANDARDS, SectionSize, judge

REASON = "Tracts cannot be counted one by one"


def verdicts(length_mm: float, tracts: float | None, complete: float | None = None):
    size = SectionSize(length_mm, tracts, tracts if complete is None else complete, REASON)
    return {each.standard: each.verdict for each in judge(size)}


@pytest.mark.parametrize(
    ("length_mm", "tracts", "expected"),
    [
        (25, 12, "adequate adequate adequate adequate adequate adequate"),
        (20, 11, "adequate adequate adequate adequate adequate compromised"),
        (19.9, 12, "compromised adequate compromised inadequate adequate compromised"),
        (19.9, 11, "compromised adequate compromised inadequate compromised compromised"),
        (22, 10, "compromised adequate compromised inadequate adequate compromised"),
        (10, 6, "compromised adequate compromised inadequate compromised inadequate"),
        (10, 5, "compromised inadequate inadequate inadequate compromised inadequate"),
        (9, 20, "compromised inadequate inadequate inadequate adequate inadequate"),
    ],
)
def test_verdicts(length_mm: float, tracts: float, expected: str) -> None:
    assert list(verdicts(length_mm, tracts).values()) == expected.split()


def test_only_complete_tracts_count_where_a_standard_says_so() -> None:
    found = verdicts(25, 12, complete=8)
    assert found["aasld_2009"] == "compromised"
    assert found["rcpath_optimum"] == "adequate"


def test_bridging_tracts_leave_open_what_hangs_on_the_count() -> None:
    long = verdicts(30, None)
    assert long["aasld_2009"] == "not assessable"
    assert long["cholongitas_2006"] == "adequate"  # long enough, and `any` is enough
    assert long["easl_2015"] == "adequate"  # asks for no count
    short = verdicts(8, None)
    assert short["rcpath_minimum"] == "inadequate"  # too short, whatever the count
    assert short["rcpath_optimum"] == "inadequate"
    assert short["cholongitas_2006"] == "not assessable"
    assert verdicts(15, None)["rcpath_optimum"] == "not assessable"


def test_reasons_say_what_is_missing() -> None:
    first = judge(SectionSize(13.2, 9.0, 8.0))[0]
    assert first.length_missing_mm == pytest.approx(6.8)
    assert first.tracts_missing == 3
    assert "6.80 missing" in first.reason
    assert "8 of 11 complete tracts (3 missing)" in first.reason
    unknown = judge(SectionSize(30, None, None, REASON))[0]
    assert unknown.tracts_missing is None
    assert REASON in unknown.reason


@given(st.floats(0, 60), st.integers(0, 60), st.floats(0, 20), st.integers(0, 20))
def test_more_is_never_worse(length: float, count: int, longer: float, more: int) -> None:
    order = ["inadequate", "compromised", "adequate"]
    small, large = verdicts(length, count), verdicts(length + longer, count + more)
    for key, verdict in small.items():
        assert order.index(large[key]) >= order.index(verdict)


def test_reasons_read_well() -> None:
    minimum = {each.standard: each for each in judge(SectionSize(5, 1234, 1234))}["rcpath_minimum"]
    assert "1234 of 6 tracts" in minimum.reason
    mean = judge(SectionSize(25, 32 / 3, 32 / 3))[0]
    assert "10.67 of 11 complete tracts (0.33 missing)" in mean.reason
    unknown = judge(SectionSize(30, None, None, f"{REASON}."))[0]
    assert f"({REASON})" in unknown.reason


def test_every_standard_has_a_source() -> None:
    assert len({standard.key for standard in STANDARDS}) == len(STANDARDS)
    assert all(standard.citation for standard in STANDARDS)
    assert set(SHOWN) <= {standard.key for standard in STANDARDS}
