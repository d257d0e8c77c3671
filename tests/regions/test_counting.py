"""Which portal areas count: by their width, or in drawn outlines by their class."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon
from shapely.affinity import rotate, translate

from glisson.frames import Frame, PixelSize
from glisson.measurement import measure_biopsy
from glisson.regions import DrawnTract, find_regions, measure_width_um, regions_from_drawn
from tests.scenes import ArrayMap

PIXEL = PixelSize(0.5, 0.5)
FRAME = Frame(PIXEL, 1.0)
CORE_L0 = shapely.box(0, 0, 6000, 1600)


@given(st.floats(10, 300), st.floats(1.2, 20), st.floats(0, 180), st.floats(-500, 500))
@settings(max_examples=30, deadline=None)
def test_the_width_of_a_strip_is_its_short_side(
    short_um: float, stretch: float, turn: float, shift: float
) -> None:
    strip = rotate(shapely.box(0, 0, short_um * stretch, short_um), turn)
    assert measure_width_um(translate(strip, shift, -shift)) == pytest.approx(short_um, abs=1.0)


def test_a_lumen_does_not_make_a_tract_narrow() -> None:
    disc, lumen = shapely.Point(0, 0).buffer(60, 64), shapely.Point(10, 0).buffer(40, 64)
    ring = disc.difference(lumen)
    assert isinstance(ring, Polygon)
    assert measure_width_um(ring) == pytest.approx(120, abs=1.5)


def core_with(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """A core of 1 µm/px with rectangles of portal: left, top, right, bottom."""
    labels = np.zeros((700, 2400), np.uint8)
    labels[100:600, 100:2300] = 1
    for left, top, right, bottom in boxes:
        labels[top:bottom, left:right] = 2
    return labels


@pytest.mark.parametrize(
    ("box", "complete", "is_counted"),
    [
        ((300, 300, 356, 356), True, True),
        ((300, 300, 344, 460), True, False),  # a tail: larger, but 44 µm wide
        ((300, 100, 460, 188), False, False),  # at the edge, 88 µm deep
        ((300, 100, 460, 212), False, True),
    ],
)
def test_tracts_count_by_width_and_partial_ones_must_be_wider(
    box: tuple[int, int, int, int], complete: bool, is_counted: bool
) -> None:
    (tract,) = find_regions(ArrayMap(FRAME, core_with(box))).tracts
    assert (tract.complete, tract.is_counted) == (complete, is_counted)


def test_what_does_not_count_is_in_the_area_and_in_no_count() -> None:
    labels = core_with((300, 300, 400, 400), (600, 300, 640, 500), (900, 100, 1060, 260))
    measured = measure_biopsy(find_regions(ArrayMap(FRAME, labels)), PIXEL)
    biopsy = measured.biopsy
    counts = biopsy.tract_count_total, biopsy.tract_count_complete, biopsy.tract_count_partial
    assert counts == (2, 1, 1)
    assert (biopsy.uncounted_area_count, biopsy.tract_count_per_section) == (1, 2)
    assert [fragment.tract_count for fragment in measured.fragments] == [2]
    of_area = {tract.area_um2: tract.is_counted for tract in measured.tracts}
    assert of_area == {10_000: True, 8000: False, 25_600: True}
    assert biopsy.portal_area_mm2 * 1e6 == pytest.approx((labels == 2).sum())
    verdict = next(each for each in measured.adequacy if each.standard == "rcpath_minimum")
    assert "2" in verdict.reason


def drawn(*outlines: tuple[Polygon, bool]) -> list[DrawnTract]:
    return [DrawnTract(f"PT {n}", outline, own) for n, (outline, own) in enumerate(outlines, 1)]


def test_the_class_of_a_drawn_outline_decides_whatever_its_width() -> None:
    narrow, wide = shapely.box(500, 500, 560, 800), shapely.box(1000, 500, 1400, 900)
    for own in (True, False):
        outlines = drawn((narrow, own), (wide, not own))
        regions, _ = regions_from_drawn(FRAME, [CORE_L0], outlines)
        by_left = sorted(regions.tracts, key=lambda tract: tract.polygon_l0.bounds[0])
        assert [tract.is_counted for tract in by_left] == [own, not own]


def test_outlines_that_are_one_count_if_either_does() -> None:
    one, other = shapely.box(500, 500, 900, 900), shapely.box(600, 600, 1000, 1000)
    for owns in ((True, False), (False, True), (False, False)):
        outlines = drawn((one, owns[0]), (other, owns[1]))
        regions, _ = regions_from_drawn(FRAME, [CORE_L0], outlines)
        assert [tract.is_counted for tract in regions.tracts] == [any(owns)]
