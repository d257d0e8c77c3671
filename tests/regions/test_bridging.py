"""Whether tracts can be counted does not hang on how the core lies, or on how ragged it is."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from shapely import Polygon
from shapely.affinity import rotate

from glisson.frames import Frame, PixelSize
from glisson.measurement import measure_biopsy
from glisson.regions import find_regions, smooth_outline, trace_mask
from glisson.regions.bridging import measure_core_widths
from tests.regions.test_contact import drawn_again
from tests.scenes import ArrayMap

MPP = 2.0
LENGTH_UM, WIDTH_UM = 6500.0, 600.0
DEGREES = [0, 10, 22.5, 45, 90]


def core(ragged_um: float, tears: int) -> Polygon:
    """A core of 6.5 x 0.6 mm round 0, its edges ragged, torn inside along its lower half."""
    rng = np.random.default_rng(5)
    x = np.arange(0, LENGTH_UM, 4.0) - LENGTH_UM / 2
    rough = ndimage.gaussian_filter1d(rng.normal(size=(2, len(x))), 2.0, axis=1) * 2.5
    upper, lower = WIDTH_UM / 2 + ragged_um * rough[0], -WIDTH_UM / 2 - ragged_um * rough[1]
    outline = Polygon([*zip(x, upper, strict=True), *zip(x[::-1], lower[::-1], strict=True)])
    starts = np.linspace(-3000, 2000, tears)
    return outline.difference(
        shapely.union_all([shapely.box(s, -120, s + 1000, 10) for s in starts])
    )


def turned(degrees: float, outline: Polygon, tracts: list[Polygon]) -> ArrayMap:
    """A class map of a core with tracts, at an angle."""
    shapes = [rotate(shape, degrees, origin=(0, 0)) for shape in (outline, *tracts)]
    left, top, right, bottom = shapes[0].bounds
    labels = np.zeros((int((bottom - top) / MPP) + 40, int((right - left) / MPP) + 40), np.uint8)
    for value, shape in zip([1, *[2] * len(tracts)], shapes, strict=True):
        rings = [
            (((shapely.get_coordinates(ring) - (left, top)) / MPP + 20) * 16).round().astype(int)
            for ring in shapely.get_rings(shape)
        ]
        cv2.fillPoly(labels, [ring.astype(np.int32) for ring in rings], (value,), shift=4)
    return ArrayMap(Frame(PixelSize(0.5, 0.5), MPP), labels)


def tracts_of(length_um: float) -> list[Polygon]:
    half = length_um / 2
    return [shapely.box(x - half, 50, x + half, 230) for x in (-2000, 0, 2000)]


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize(("ragged_um", "tears"), [(0, 0), (12, 0), (0, 5), (12, 5)])
def test_ordinary_tracts_are_counted(degrees: float, ragged_um: float, tears: int) -> None:
    regions = find_regions(turned(degrees, core(ragged_um, tears), tracts_of(950)))
    assert [tract.bridging for tract in regions.tracts] == [False] * 3
    assert measure_biopsy(regions, PixelSize(0.5, 0.5)).biopsy.tract_count_total == 3
    assert not any(tract.bridging for tract in drawn_again(regions).tracts)


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("ragged_um", [0, 12])
def test_long_ones_are_not(degrees: float, ragged_um: float) -> None:
    regions = find_regions(turned(degrees, core(ragged_um, 0), tracts_of(1500)))
    assert [tract.bridging for tract in regions.tracts] == [True] * 3
    assert not regions.countable
    assert not drawn_again(regions).countable


@given(st.floats(0, 180), st.floats(0, 20), st.integers(0, 5), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_width_is_that_of_the_core(
    degrees: float, ragged_um: float, tears: int, traced: bool
) -> None:
    outline = rotate(core(ragged_um, tears), degrees, origin=(0, 0))
    if traced:
        labels = turned(degrees, core(ragged_um, tears), []).labels
        outline = max(trace_mask(labels > 0), key=lambda polygon: polygon.area)
        outline = smooth_outline(outline)
    (width,) = measure_core_widths(np.array([outline])) * (MPP if traced else 1)
    assert width == pytest.approx(WIDTH_UM, rel=0.1)


def test_widths_of_shapes_that_are_no_strip() -> None:
    """A square, a disc, a core with a narrow place, two cores that touch at both ends."""
    disc = shapely.Point(0, 0).buffer(500)
    waist = shapely.box(0, 0, 9000, 800).difference(shapely.box(2000, 0, 3000, 400))
    ring = shapely.box(0, 0, 6000, 2000).difference(shapely.box(600, 600, 5400, 1400))
    found = measure_core_widths(np.array([shapely.box(0, 0, 1000, 1000), disc, waist, ring]))
    assert found == pytest.approx([700, 700, 800, 600], rel=0.1)


@given(st.floats(0, 360), st.floats(0.01, 100), st.floats(-1e6, 1e6))
@settings(max_examples=30, deadline=None)
def test_widths_go_with_the_unit_and_not_with_the_place(
    degrees: float, scale: float, shift: float
) -> None:
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shape = shapely.box(0, 0, 5000, 700)
    moved = shapely.transform(shape, lambda points: points @ turn * scale + shift)
    (width,) = measure_core_widths(np.array([moved]))
    assert width == pytest.approx(700 * scale, rel=0.05)
