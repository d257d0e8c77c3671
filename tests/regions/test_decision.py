"""The decision on a tract rises with its probabilities, and small changes move it little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from glisson.frames import Frame, PixelSize
from glisson.measurement import measure_biopsy
from glisson.model import TractEvidence, find_model
from glisson.model.spec import parse_spec
from glisson.regions import DrawnTract, RegionSettings, find_regions, regions_from_drawn
from glisson.regions.decision import (
    are_certain,
    are_near_limit,
    portal_area_range_um2,
    sure_area_um2,
)
from tests.regions.test_candidates import UnsureMap
from tests.scenes import biopsy_labels

PIXEL = PixelSize(0.5, 0.5)
FRAME = Frame(PIXEL, 1.0)
RULE = RegionSettings(sure_probability=0.8, min_sure_area_um2=1500)
SHIFTS = st.floats(0, 0.2)


def some_areas(seed: int, count: int = 6) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        rng.beta(8, 1 + 3 * rng.random(), int(rng.integers(1500, 60_000))).astype(np.float32)
        for _ in range(count)
    ]


@given(st.integers(0, 10_000), SHIFTS)
@settings(max_examples=30, deadline=None)
def test_more_probability_takes_no_tract_away(seed: int, shift: float) -> None:
    rule = replace(RULE, min_tract_probability=0.75)
    before = are_certain(some_areas(seed), 1.0, rule)
    after = are_certain(some_areas(seed), 1.0, rule, shift)
    assert (after >= before).all()


@given(st.integers(0, 10_000), st.floats(0, 0.05))
@settings(max_examples=30, deadline=None)
def test_a_small_change_moves_the_sure_area_little(seed: int, change: float) -> None:
    """At most by the area times the change over what lies above the limit."""
    rng = np.random.default_rng(seed)
    (values,) = some_areas(seed, 1)
    moved = np.clip(values + rng.uniform(-change, change, len(values)), 0, 1).astype(np.float32)
    difference = abs(sure_area_um2(moved, 1.5, RULE) - sure_area_um2(values, 1.5, RULE))
    assert difference <= len(values) * 1.5**2 * change / (1 - RULE.sure_probability) + 0.1


@given(st.integers(0, 10_000), st.floats(0.001, 0.05))
@settings(max_examples=50, deadline=None)
def test_only_small_or_weak_areas_come_and_go(seed: int, change: float) -> None:
    """What a change flips lies within it of the limit: a large sure tract never does."""
    areas = some_areas(seed)
    flipped = are_certain(areas, 1.0, RULE) != are_certain(areas, 1.0, RULE, -change)
    for values, came in zip(areas, flipped, strict=True):
        mean_above = sure_area_um2(values, 1.0, RULE) / len(values)
        if came:
            most = RULE.min_sure_area_um2 + len(values) * change / (1 - RULE.sure_probability)
            assert mean_above * len(values) <= most * 1.0001


def test_a_large_tract_at_the_mean_limit_does_not_come_and_go() -> None:
    """Its mean lies on either side of 0.8; its evidence is twenty times the limit."""
    ramp = np.linspace(0.6, 1.0, 120_000, dtype=np.float32)
    areas = [ramp + np.float32(0.002), ramp - np.float32(0.002)]
    assert list(are_certain(areas, 1.0, RegionSettings(min_tract_probability=0.8))) == [True, False]
    assert are_certain(areas, 1.0, RULE).all()
    assert sure_area_um2(ramp, 1.0, RULE) == pytest.approx(30_000, rel=0.01)


def test_large_and_unsure_is_no_evidence() -> None:
    assert not are_certain([np.full(1_000_000, 0.75, np.float32)], 1.0, RULE).any()


def test_limits_are_areas_whatever_the_pixel() -> None:
    fine, coarse = np.full(4000, 0.9, np.float32), np.full(1000, 0.9, np.float32)
    assert sure_area_um2(fine, 1.0, RULE) == pytest.approx(sure_area_um2(coarse, 2.0, RULE))


def test_without_limits_every_area_is_a_tract() -> None:
    assert are_certain([np.zeros(700, np.float32)], 1.0, RegionSettings()).all()


@given(st.integers(0, 10_000), st.floats(0, 0.3), st.floats(0, 0.3))
@settings(max_examples=30, deadline=None)
def test_the_range_holds_the_area_and_grows_with_the_spread(
    seed: int, one: float, other: float
) -> None:
    areas = some_areas(seed)
    less, more = (
        portal_area_range_um2(areas, 1.0, replace(RULE, probability_spread=spread))
        for spread in sorted((one, other))
    )
    certain = are_certain(areas, 1.0, RULE)
    area = sum(len(values) for values, kept in zip(areas, certain, strict=True) if kept)
    assert more[0] <= less[0] <= area <= less[1] <= more[1]


def soft_map(top: float) -> UnsureMap:
    """The core of four tracts, each as sure as `top` in its middle, with borders of some µm."""
    labels = biopsy_labels()
    portal = ndimage.gaussian_filter((labels == 2).astype(np.float32), 6) * np.float32(top)
    labels = np.where((labels > 0) & (portal >= 0.5), 2, np.minimum(labels, 1)).astype(np.uint8)
    return UnsureMap(FRAME, labels, portal)


def test_the_uncertainty_is_the_border_of_sure_tracts() -> None:
    found = find_regions(soft_map(0.98), replace(RULE, min_sure_area_um2=500))
    biopsy = measure_biopsy(found, PIXEL).biopsy
    assert len(found.tracts) == 4
    assert biopsy.portal_percent is not None
    assert biopsy.portal_percent_uncertainty is not None
    borders_um = sum(tract.polygon_l0.length * PIXEL.x_um for tract in found.tracts)
    width_um = 6 * np.sqrt(2 * np.pi) * 0.2 / 0.98  # from 0.6 to 0.4, over the slope
    expected = 100 * borders_um * width_um / 2 / (biopsy.tissue_area_mm2 * 1e6)
    assert 0.4 * expected < biopsy.portal_percent_uncertainty < 1.2 * expected


def test_the_uncertainty_covers_what_a_shift_does() -> None:
    """Also where a shift makes tracts come and go."""
    rule = replace(RULE, min_sure_area_um2=2500)
    shares = {
        top: measure_biopsy(find_regions(soft_map(top), rule), PIXEL).biopsy
        for top in (0.86, 0.9, 0.94, 0.98)
    }
    counts = [share.tract_count_total for share in shares.values()]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    for top in (0.86, 0.9, 0.94):
        here, there = shares[top], shares[round(top + 0.04, 2)]
        assert here.portal_percent_uncertainty is not None
        assert there.portal_percent - here.portal_percent <= 2 * here.portal_percent_uncertainty


def test_a_map_without_doubt_has_no_uncertainty() -> None:
    labels = biopsy_labels()
    found = find_regions(UnsureMap(FRAME, labels, (labels == 2).astype(np.float32)), RULE)
    assert measure_biopsy(found, PIXEL).biopsy.portal_percent_uncertainty == 0


def test_drawn_outlines_have_no_uncertainty() -> None:
    found = find_regions(soft_map(0.98), RULE)
    drawn = [DrawnTract(f"PT {tract.number}", tract.outline_l0) for tract in found.tracts]
    tissue = [piece.outline_l0 for piece in found.fragments]
    again, _ = regions_from_drawn(FRAME, tissue, drawn)
    assert measure_biopsy(again, PIXEL).biopsy.portal_percent_uncertainty is None


def test_limits_are_those_of_the_bundle() -> None:
    evidence = TractEvidence(sure_probability=0.7, min_sure_area_um2=900, probability_spread=0.05)
    spec = find_model(None).spec.model_copy(update={"tract_evidence": evidence})
    limits = RegionSettings.of_model(spec, min_tract_area_um2=2000)
    assert (limits.sure_probability, limits.min_sure_area_um2) == (0.7, 900)
    assert (limits.probability_spread, limits.min_tract_area_um2) == (0.05, 2000)
    assert limits.min_tract_probability == spec.min_tract_probability
    assert parse_spec(spec.model_dump_json(), "model.json") == spec


def test_a_bundle_without_evidence_is_decided_by_its_mean_alone() -> None:
    old = find_model(None).spec.model_dump_json(exclude={"tract_evidence"})
    limits = RegionSettings.of_model(parse_spec(old, "model.json"))
    assert limits.min_sure_area_um2 == 0
    assert limits.min_tract_area_um2 == RegionSettings().min_tract_area_um2


def test_areas_near_either_limit_are_named() -> None:
    """At 1,500 µm² above 0.8, and at a mean of 0.75; a sure tract and a weak area are not."""
    rule = replace(RULE, min_tract_probability=0.75)
    areas = [np.full(size, p, np.float32) for size, p in
             [(9000, 0.97), (9000, 0.84), (20_000, 0.77), (9000, 0.5), (2000, 0.95)]]  # fmt: skip
    assert are_near_limit(areas, 1.0, rule).tolist() == [False, True, True, False, True]
    assert not are_near_limit(areas, 1.0, RegionSettings()).any()
