"""Portal tracts by their contents: two of bile duct, artery and portal vein."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.regions import (
    BILE_DUCT,
    HEPATIC_ARTERY,
    LEAST_TRIAD_KINDS,
    PORTAL_VEIN,
    TRIAD,
    count_triad_kinds,
)

AREA = shapely.box(0, 0, 100, 100)
ELSEWHERE = shapely.box(300, 0, 400, 100)


def disc(x: float, y: float, radius: float = 8) -> shapely.Polygon:
    return shapely.Point(x, y).buffer(radius)


@given(st.lists(st.sampled_from(TRIAD), max_size=8))
@settings(deadline=None)
def test_each_kind_counts_once_however_many_profiles_there_are(names: list[str]) -> None:
    profiles = {name: [disc(50, 50)] * names.count(name) for name in names}
    assert count_triad_kinds([AREA, ELSEWHERE], profiles).tolist() == [len(set(names)), 0]


def test_ducts_alone_or_other_structures_make_no_tract() -> None:
    profiles = {BILE_DUCT: [disc(20, 20), disc(60, 60)], "Central vein": [disc(50, 50)]}
    (kinds,) = count_triad_kinds([AREA], profiles)
    assert kinds == 1 < LEAST_TRIAD_KINDS


@pytest.mark.parametrize(("x", "kinds"), [(95, 2), (105, 1)])
def test_a_profile_is_seen_where_its_middle_lies(x: float, kinds: int) -> None:
    """What the core's edge leaves of a tract counts by what is left in it."""
    profiles = {HEPATIC_ARTERY: [disc(50, 50)], PORTAL_VEIN: [disc(x, 50, 20)]}
    assert count_triad_kinds([AREA], profiles).tolist() == [kinds]


def test_without_areas_or_profiles_nothing_is_counted() -> None:
    assert count_triad_kinds([], {BILE_DUCT: [disc(0, 0)]}).tolist() == []
    assert count_triad_kinds([AREA], {}).tolist() == [0]
