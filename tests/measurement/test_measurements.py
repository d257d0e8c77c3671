"""Shapes, distances, compartments and sections, against figures that geometry gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon
from shapely.affinity import rotate, scale, translate

from glisson.frames import Frame, PixelSize
from glisson.measurement import measure_biopsy
from glisson.measurement.compartments import interface_area_um2
from glisson.measurement.sections import Piece, find_sections
from glisson.measurement.shape import ellipse_axes, shape_of
from glisson.regions import DrawnTract, regions_from_drawn
from tests.measurement.shapes import needle, outline_of

PIXEL = PixelSize(0.5, 0.25)
FRAME = Frame(PIXEL, 2.0)
CORE_UM = shapely.box(0, 0, 10_000, 1000)


def l0(shape_um):
    return scale(shape_um, 1 / PIXEL.x_um, 1 / PIXEL.y_um, origin=(0, 0))


def measured(tissue_um: list[Polygon], tracts_um: list[Polygon], **how):
    drawn = [DrawnTract(f"PT {k}", l0(tract)) for k, tract in enumerate(tracts_um, 1)]
    regions, _ = regions_from_drawn(FRAME, [l0(piece) for piece in tissue_um], drawn)
    return measure_biopsy(regions, PIXEL, **how)


@given(st.floats(20, 400), st.floats(20, 400), st.floats(0, 180))
@settings(max_examples=25, deadline=None)
def test_an_ellipse_has_its_own_axes(a: float, b: float, angle: float) -> None:
    ellipse = rotate(scale(Point(7, -9).buffer(1, quad_segs=64), a, b), angle)
    assert ellipse_axes(ellipse) == pytest.approx((2 * max(a, b), 2 * min(a, b)), rel=0.005)
    assert shape_of(ellipse).solidity == pytest.approx(1, abs=1e-9)
    assert 0 < shape_of(ellipse).circularity <= 1


def test_shapes_of_known_figures() -> None:
    square = shape_of(shapely.box(0, 0, 100, 100))
    assert square.circularity == pytest.approx(math.pi / 4)
    assert square.major_axis_um == pytest.approx(4 * 100 / math.sqrt(12))
    l_shape = shapely.box(0, 0, 100, 100).difference(shapely.box(50, 50, 100, 100))
    assert shape_of(l_shape).solidity == pytest.approx(0.75 / 0.875)
    ring = Point(0, 0).buffer(100).difference(Point(0, 0).buffer(50))
    assert shape_of(ring).solidity == pytest.approx(0.75, rel=0.01)


def test_distances_in_level_0_pixels_that_are_not_square() -> None:
    tracts = [Point(1000, 300).buffer(100), Point(1500, 300).buffer(100),
              shapely.box(4000, 0, 4200, 150)]  # fmt: skip
    touching, first, second = measured([CORE_UM], tracts).tracts
    assert first.distance_to_edge_um == pytest.approx(200, rel=0.01)
    assert first.nearest_tract_um == pytest.approx(300, rel=0.01)
    assert second.nearest_tract_um == first.nearest_tract_um
    assert touching.distance_to_edge_um == 0
    assert not touching.complete
    (alone,) = measured([CORE_UM], tracts[:1]).tracts
    assert alone.nearest_tract_um is None
    assert alone.circularity == pytest.approx(1, rel=0.01)


def test_a_tract_in_another_fragment_is_not_the_nearest() -> None:
    other = translate(CORE_UM, 0, 1500)
    tracts = [Point(1000, 500).buffer(100), Point(1000, 2000).buffer(100)]
    assert [t.nearest_tract_um for t in measured([CORE_UM, other], tracts).tracts] == [None, None]


@pytest.mark.parametrize("width_um", [10.0, 25.0, 60.0])
def test_the_interface_is_a_band_on_the_lobular_side(width_um: float) -> None:
    tract = Point(1000, 500).buffer(100, quad_segs=64)
    biopsy = measured([CORE_UM], [tract], interface_width_um=width_um).biopsy
    ring = math.pi * ((100 + width_um) ** 2 - 100**2)
    assert biopsy.interface_area_mm2 == pytest.approx(ring * 1e-6, rel=0.01)
    parts = (biopsy.portal_area_mm2 + biopsy.interface_area_mm2
             + biopsy.lobule_beyond_interface_area_mm2)  # fmt: skip
    assert parts == pytest.approx(biopsy.tissue_area_mm2, rel=1e-9)


def test_the_interface_stops_at_glass_and_at_other_tracts() -> None:
    edge = shapely.box(4000, 0, 4200, 200)
    assert interface_area_um2([edge], [CORE_UM], 25) == pytest.approx(
        2 * 200 * 25 + 200 * 25 + 2 * math.pi * 25**2 / 4, rel=0.01
    )
    pair = [shapely.box(1000, 400, 1100, 600), shapely.box(1110, 400, 1210, 600)]
    together = interface_area_um2(pair, [CORE_UM], 25)
    apart = interface_area_um2([shapely.box(1000, 400, 1210, 600)], [CORE_UM], 25)
    assert together == pytest.approx(apart + 10 * 200, rel=0.01)


def sections_of(
    seed: int, copies: int, count: int | None = None, passes: int = 1, turned: float = 0.0
):
    """Ribbons as the phantom lays them: the same cores again, further down, tracts a bit off."""
    rng = np.random.default_rng(seed)
    pieces: list[Piece] = []
    for number in range(passes):
        core = needle(seed + 100 * number, "curved")[0]
        outline = translate(outline_of(core), 0, 30_000 * number)
        tracts = np.array([outline.centroid.coords[0]] * 9) + rng.uniform(-1, 1, (9, 2)) * 2500
        for copy in range(copies):
            shift = np.array([0, 90_000 * copy + 0.0])
            wobble = rng.normal(0, 8, tracts.shape)
            moved = rotate(translate(outline, *shift), turned * copy)
            points = rotate(shapely.multipoints(tracts + shift + wobble), turned * copy,
                            origin=translate(outline, *shift).centroid)  # fmt: skip
            pieces.append(Piece(moved, shapely.get_coordinates(points), True))
    return find_sections(pieces, count)


@pytest.mark.parametrize("copies", [1, 2, 3, 4])
@pytest.mark.parametrize("passes", [1, 2])
def test_sections_of_the_same_cores_are_found(copies: int, passes: int) -> None:
    found = sections_of(5, copies, passes=passes)
    assert found.count == copies
    assert found.numbers == tuple(range(1, copies + 1)) * passes
    assert not found.given


def test_sections_may_lie_turned() -> None:
    assert sections_of(5, 3, turned=6.0).count == 3


def test_two_passes_that_look_alike_are_not_two_sections() -> None:
    outline = shapely.box(0, 0, 9000, 800)
    rng = np.random.default_rng(1)
    pieces = [
        Piece(
            translate(outline, 0, 2000 * k),
            rng.uniform((0, 2000 * k), (9000, 2000 * k + 800), (10, 2)),
            True,
        )
        for k in range(2)
    ]
    assert find_sections(pieces).count == 1


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ([2000, 5000], [9000, 12_000], 1),
        ([2000, 5000], [2000, 12_000], 1),
        ([2000], [9000, 12_000], 1),
        ([2000], [], 1),
        ([2000, 5000], [2050, 4950], 2),
        ([2000], [2050, 9000], 2),
        ([], [], 2),
    ],
)
def test_few_tracts_must_lie_at_the_same_places(
    first: list[float], second: list[float], count: int
) -> None:
    cores = [shapely.box(0, 0, 13_500, 900), shapely.box(0, 3000, 13_400, 3900)]
    places = [np.reshape([(x, y) for x in xs], (-1, 2))
              for xs, y in [(first, 400.0), (second, 3400.0)]]  # fmt: skip
    pieces = [Piece(core, tracts, True) for core, tracts in zip(cores, places, strict=True)]
    assert find_sections(pieces).count == count


def test_sections_can_be_given() -> None:
    found = sections_of(5, 1, count=1, passes=2)
    assert (found.count, found.given) == (1, True)
    dealt = sections_of(5, 1, count=2, passes=2)
    assert (dealt.count, sorted(dealt.numbers)) == (2, [1, 2])
    assert find_sections([], 3).count == 3


def test_one_section_of_three_is_what_counts() -> None:
    rows = [translate(CORE_UM, 0, 2000 * k) for k in range(3)]
    spots = [(800, 400), (2600, 620), (4100, 350), (7000, 500), (9000, 480)]
    tracts = [Point(x, y + 2000 * k).buffer(90) for k in range(3) for x, y in spots]
    biopsy = measured(rows, tracts).biopsy
    assert biopsy.section_count == 3
    assert biopsy.length_mm == pytest.approx(30, rel=0.02)
    assert biopsy.length_per_section_mm == pytest.approx(10, rel=0.02)
    assert biopsy.tract_count_total == 15
    assert biopsy.tract_count_per_section == 5
    given_one = measured(rows, tracts, sections=1).biopsy
    assert given_one.length_per_section_mm == given_one.length_mm
    assert given_one.section_count_given


def test_bridging_tracts_are_counted_nowhere() -> None:
    septum = shapely.box(500, 450, 9500, 550)
    measurements = measured([CORE_UM], [septum, Point(1000, 200).buffer(60)])
    assert measurements.biopsy.tract_count_total is None
    assert measurements.biopsy.tract_count_per_section is None
    assert [fragment.tract_count for fragment in measurements.fragments] == [None]
    (plain,) = measured([CORE_UM], [Point(1000, 200).buffer(60)]).fragments
    assert plain.tract_count == 1


def test_tissue_that_is_all_portal_leaves_no_less_than_nothing() -> None:
    tissue = Point(3000.7, 800.3).buffer(733.3)
    assert measured([tissue], [tissue]).biopsy.lobule_area_mm2 >= 0


def test_no_tissue() -> None:
    measurements = measured([], [])
    assert measurements.biopsy.length_mm == 0
    assert measurements.biopsy.mean_width_um is None
    assert measurements.biopsy.section_count == 1
    assert {each.verdict for each in measurements.adequacy} == {"not assessable"}
