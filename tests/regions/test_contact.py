"""How much of a contour lies at the edge of the tissue, whatever way the edge runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glisson.frames import Frame, PixelSize
from glisson.regions import DrawnTract, Regions, find_regions, regions_from_drawn
from tests.scenes import ArrayMap

SIDE_UM, WIDTH_UM, RADIUS_UM, REACH_UM = 1500.0, 800.0, 120.0, 3.0


def at_the_edge(inside_um: float, degrees: float, mpp: float) -> ArrayMap:
    """A piece of core at an angle, and a tract, a disc whose middle lies so far from the edge."""
    middles = (np.arange(round(SIDE_UM / mpp)) + 0.5) * mpp - SIDE_UM / 2
    x, y = np.meshgrid(middles, middles)
    angle = math.radians(degrees)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle)
    across = across - x * math.sin(angle)
    core = (np.abs(along) < WIDTH_UM / 2) & (np.abs(across) < WIDTH_UM / 2)
    labels = core.astype(np.uint8)
    labels[core & (np.hypot(along, across - (WIDTH_UM / 2 - inside_um)) < RADIUS_UM)] = 2
    return ArrayMap(Frame(PixelSize(0.5, 0.5), mpp), labels)


def true_contact(inside_um: float) -> float:
    """The chord that the edge cuts, and the arcs within reach of it, over the whole contour."""
    beyond = math.acos(min(1.0, inside_um / RADIUS_UM))
    within = math.acos(min(1.0, (inside_um - REACH_UM) / RADIUS_UM))
    chord = 2 * RADIUS_UM * math.sin(beyond)
    whole = chord + 2 * RADIUS_UM * (math.pi - beyond)
    return (chord + 2 * RADIUS_UM * (within - beyond)) / whole


def drawn_again(regions: Regions) -> Regions:
    outlines = [DrawnTract(str(tract.number), tract.outline_l0) for tract in regions.tracts]
    tissue = [fragment.outline_l0 for fragment in regions.fragments]
    return regions_from_drawn(regions.frame, tissue, outlines)[0]


@given(st.sampled_from([60.0, 90.0, 105.0, 112.0, 116.0, 118.0, 121.0]), st.floats(0, 90))
@example(60.0, 76.0625)  # smoothing takes the tract's thin ends out of the tissue
@example(112.0, 23.593211657099054)  # a line of the edge lies just at the reach
@settings(max_examples=25, deadline=None)
def test_traced_and_drawn_contact_is_the_true_one(inside_um: float, degrees: float) -> None:
    traced = find_regions(at_the_edge(inside_um, degrees, 1.5))
    (one,), (other,) = traced.tracts, drawn_again(traced).tracts
    assert one.edge_contact_fraction == pytest.approx(true_contact(inside_um), abs=0.015)
    assert other.edge_contact_fraction == pytest.approx(one.edge_contact_fraction, abs=0.003)


@pytest.mark.parametrize(("mpp", "close"), [(0.5, 0.01), (1.0, 0.01), (2.0, 0.015), (4.0, 0.03)])
@pytest.mark.parametrize("degrees", [0, 10, 22.5, 45])
def test_contact_does_not_depend_on_the_pixel(mpp: float, close: float, degrees: float) -> None:
    """At 4 µm/px, 3 µm are less than smoothing moves an outline."""
    for inside_um in (60.0, 105.0):
        (tract,) = find_regions(at_the_edge(inside_um, degrees, mpp)).tracts
        assert tract.edge_contact_fraction == pytest.approx(true_contact(inside_um), abs=close)
        assert not tract.complete


@pytest.mark.parametrize("gap_um", [1.0, 2.5, 3.5, 6.0])
@pytest.mark.parametrize("degrees", [0, 90])
def test_the_reach_is_3_um(gap_um: float, degrees: int) -> None:
    """A square tract beside the edge: a side, and as much of two more as is in reach."""
    labels = np.zeros((800, 800), np.uint8)
    labels[100:700, 100:700] = 1
    top = 100 + round(gap_um / 0.5)
    labels[top : top + 200, 300:500] = 2
    (tract,) = find_regions(
        ArrayMap(Frame(PixelSize(0.5, 0.5), 0.5), np.rot90(labels, degrees // 90).copy())
    ).tracts
    expected = 0.25 + max(0, 2 * (REACH_UM - gap_um) / 400) if gap_um <= REACH_UM else 0
    assert tract.edge_contact_fraction == pytest.approx(expected, abs=0.005)
    assert tract.complete == (gap_um > REACH_UM)


def test_the_rim_of_an_open_hole_is_an_edge() -> None:
    labels = np.zeros((900, 900), np.uint8)
    labels[50:850, 50:850] = 1
    labels[250:650, 300:700] = 0
    labels[400:500, 200:300] = 2
    (tract,) = find_regions(ArrayMap(Frame(PixelSize(0.5, 0.5), 1.0), labels)).tracts
    assert tract.edge_contact_fraction == pytest.approx(106 / 400, abs=0.01)


def test_tracts_far_from_the_edge_are_free_of_it() -> None:
    tissue, frame = shapely.box(0, 0, 3000, 1000), Frame(PixelSize(1, 1), 1.0)
    tracts = [DrawnTract(str(k), shapely.box(k, 100, k + 80, 180)) for k in range(100, 2800, 100)]
    regions, _ = regions_from_drawn(frame, [tissue], tracts)
    assert {tract.edge_contact_fraction for tract in regions.tracts} == {0.0}
