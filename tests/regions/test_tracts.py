"""Tracts are whole, counted by the rules, and do not depend on where the slide lies."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.frames import Frame, PixelSize
from glisson.measurement import measure_biopsy
from glisson.regions import find_regions
from tests.regions.nasty_masks import NASTY
from tests.scenes import ArrayMap, biopsy_labels, disc

PIXEL = PixelSize(0.5, 0.5)
FRAME = Frame(PIXEL, 1.0)


OUTLINED = {
    "interface_area_mm2", "lobule_beyond_interface_area_mm2", "length_mm", "mean_width_um",
    "minimum_width_um", "longest_fragment_length_mm", "length_per_section_mm",
}  # fmt: skip
"""What is measured on smoothed outlines: turned ones are thinned elsewhere."""


def regions_of(labels: np.ndarray, frame: Frame = FRAME):
    return find_regions(ArrayMap(frame, labels))


def test_counts_and_completeness() -> None:
    regions = regions_of(biopsy_labels())
    assert len(regions.fragments) == 1
    assert [tract.complete for tract in regions.tracts] == [True, True, True, False]
    assert regions.countable


def test_lumen_is_portal_and_central_vein_is_lobule() -> None:
    labels = biopsy_labels()
    disc(labels, 1200, 300, 40, 0)
    regions = regions_of(labels)
    vein_tract = regions.tracts[1].polygon_l0
    assert not vein_tract.interiors
    assert vein_tract.area * PIXEL.area_um2 == pytest.approx(np.pi * 90**2, rel=0.01)
    (fragment,) = regions.fragments
    assert not fragment.polygon_l0.interiors
    assert len(regions.tracts) == 4


def test_a_large_hole_is_kept() -> None:
    labels = biopsy_labels()
    disc(labels, 1200, 350, 230, 0)
    (fragment,) = regions_of(labels).fragments
    assert len(fragment.polygon_l0.interiors) == 1


def test_specks_and_debris_are_dropped() -> None:
    labels = biopsy_labels()
    disc(labels, 1200, 300, 15, 2)
    disc(labels, 300, 50, 20, 1)
    regions = regions_of(labels)
    assert len(regions.tracts) == 4
    assert len(regions.fragments) == 1


def test_bridges_are_not_counted() -> None:
    labels = biopsy_labels()
    labels[320:360, 300:2200] = 2
    regions = regions_of(labels)
    assert not regions.countable
    measured = measure_biopsy(regions, PIXEL).biopsy
    assert measured.tract_count_total is None
    assert "bridges" in (measured.tract_count_reason or "")
    assert measured.portal_area_mm2 > 0


@pytest.mark.parametrize("name", NASTY)
def test_nasty_maps_do_not_fall_over(name: str) -> None:
    labels = np.zeros((400, 500), np.uint8)
    labels[50:350, 50:450] = 1
    mask = np.kron(NASTY[name], np.ones((4, 4), bool))[:300, :400]
    labels[50 : 50 + mask.shape[0], 50 : 50 + mask.shape[1]][mask] = 2
    regions = regions_of(labels)
    biopsy = measure_biopsy(regions, PIXEL).biopsy
    assert biopsy.tissue_area_mm2 == pytest.approx(0.12, rel=1e-9)
    assert 0 <= biopsy.portal_area_mm2 <= biopsy.tissue_area_mm2 + 1e-12


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=12, deadline=None)
def test_shifting_the_slide_changes_nothing(right: int, down: int) -> None:
    labels = biopsy_labels(500, 1300)
    moved = np.pad(labels, ((down, 300 - down), (right, 300 - right)))
    here = measure_biopsy(regions_of(labels), PIXEL)
    there = measure_biopsy(regions_of(moved), PIXEL)
    assert here.biopsy == there.biopsy
    for one, other in zip(here.tracts, there.tracts, strict=True):
        assert one.area_um2 == other.area_um2
        assert one.perimeter_um == pytest.approx(other.perimeter_um, rel=0.005)
        assert other.centroid_x_l0 - one.centroid_x_l0 == pytest.approx(2 * right, abs=1e-6)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning_the_slide_changes_nothing(turns: int) -> None:
    here = measure_biopsy(regions_of(biopsy_labels()), PIXEL)
    there = measure_biopsy(regions_of(np.rot90(biopsy_labels(), turns).copy()), PIXEL)
    before, after = asdict(here.biopsy), asdict(there.biopsy)
    for name, value in before.items():
        close = 0.005 if name in OUTLINED else 0.0
        assert after[name] == (pytest.approx(value, rel=close) if close else value), name
    areas = sorted(tract.area_um2 for tract in here.tracts)
    assert areas == sorted(tract.area_um2 for tract in there.tracts)
    perimeters = sorted(tract.perimeter_um for tract in here.tracts)
    turned = sorted(tract.perimeter_um for tract in there.tracts)
    assert perimeters == pytest.approx(turned, rel=0.005)


@given(st.floats(0.2, 0.6), st.floats(0.2, 0.6), st.floats(0.7, 2.0))
@settings(max_examples=10, deadline=None)
def test_measurements_do_not_depend_on_pixels(x_um: float, y_um: float, mpp: float) -> None:
    """Areas come from the class map's pixels, whatever the level-0 pixel's shape."""
    labels = biopsy_labels()
    frame = Frame(PixelSize(x_um, y_um), mpp)
    biopsy = measure_biopsy(regions_of(labels, frame), frame.pixel_size).biopsy
    assert biopsy.tissue_area_mm2 == pytest.approx((labels > 0).sum() * mpp**2 / 1e6, rel=0.01)


def test_areas_add_up() -> None:
    measured = measure_biopsy(regions_of(biopsy_labels()), PIXEL)
    total_um2 = sum(tract.area_um2 for tract in measured.tracts)
    assert measured.biopsy.portal_area_mm2 == pytest.approx(total_um2 / 1e6, rel=1e-12)
    share = measured.biopsy.portal_fraction
    assert share is not None
    assert measured.biopsy.portal_percent == pytest.approx(100 * share)


def test_no_tissue_gives_no_share() -> None:
    biopsy = measure_biopsy(regions_of(np.zeros((300, 300), np.uint8)), PIXEL).biopsy
    assert biopsy.tissue_area_mm2 == 0
    assert biopsy.portal_fraction is None
    assert biopsy.tract_count_total == 0
