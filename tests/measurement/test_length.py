"""Lengths against exact centrelines: bends, U-shapes, tapers, ragged edges, touching cores."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box
from shapely.affinity import rotate, translate

from glisson.frames import PixelSize
from glisson.measurement import core_paths, measure_biopsy
from glisson.regions import find_regions
from tests.measurement.shapes import band, map_of, mask_of, needle, outline_of, ragged, traced


def length_um(outline: Polygon) -> float:
    return sum(path.length_um for path in core_paths(outline))


@pytest.mark.parametrize("shape", ["straight", "curved", "u"])
@pytest.mark.parametrize("seed", range(8))
def test_phantom_cores_are_within_2_percent(shape, seed: int) -> None:
    for core in needle(seed, shape):
        assert length_um(outline_of(core)) == pytest.approx(core.length_um, rel=0.02)


@pytest.mark.parametrize("shape", ["straight", "curved", "u"])
@pytest.mark.parametrize("seed", range(20, 24))
def test_broken_cores_sum_to_within_2_percent(shape, seed: int) -> None:
    cores = [core for core in needle(seed, shape, breaks=2) if core.length_um >= 1000]
    found = sum(length_um(outline_of(core)) for core in cores)
    assert found == pytest.approx(sum(core.length_um for core in cores), rel=0.02)


@pytest.mark.parametrize("shape", ["straight", "curved", "u"])
@pytest.mark.parametrize("seed", range(30, 33))
def test_ragged_pixels_do_not_add(shape, seed: int) -> None:
    """Edges that go in and out by 20 µm, traced at 4 µm/px."""
    (core,) = needle(seed, shape)
    mask = ragged(mask_of(outline_of(core), 4.0), 5, seed)
    assert length_um(traced(mask, 4.0)) == pytest.approx(core.length_um, rel=0.02)


def test_a_tear_and_holes_do_not_add() -> None:
    core = band([(0, 0), (12000, 0)], 900)
    tear = LineString([(3000, 450), (3300, -100)]).buffer(40)
    split = LineString([(11000, 0), (12100, 30)]).buffer(25)
    holes = shapely.union_all([Point(x, y).buffer(r) for x, y, r in
                               [(2000, 100, 120), (6000, -200, 150), (9000, 0, 220)]])  # fmt: skip
    torn = core.difference(tear).difference(split).difference(holes)
    assert length_um(torn) == pytest.approx(12000, rel=0.02)
    assert len(core_paths(torn)) == 1


def test_a_long_hole_is_no_second_core() -> None:
    core = band([(0, 0), (10000, 0)], 1000)
    slit = LineString([(3000, 80), (7000, 80)]).buffer(90)
    assert length_um(core.difference(slit)) == pytest.approx(10000, rel=0.02)


LONG, SHORT = band([(0, 0), (10000, 0)], 800), band([(0, 0), (8000, 0)], 800)


@pytest.mark.parametrize("angle", [25, 45, 60, 75, 90])
def test_cores_that_cross_are_two(angle: float) -> None:
    crossing = translate(rotate(SHORT, angle), 1000, 0)
    assert length_um(LONG.union(crossing)) == pytest.approx(18000, rel=0.03)


def test_a_core_that_ends_at_another_is_counted_to_its_side() -> None:
    standing = band([(6000, 380), (6000, 5400)], 800)
    assert length_um(LONG.union(standing)) == pytest.approx(15000, rel=0.03)


@pytest.mark.parametrize("gap", [-20, -10])
def test_bent_cores_that_touch_side_by_side_are_two(gap: float) -> None:
    x = np.linspace(0, 10000, 80)
    bow = 600 * np.sin(np.pi * x / 10000)
    upper = band(list(zip(x, bow, strict=True)), 800)
    lower = band(list(zip(x, 2000 + gap - bow, strict=True)), 800)
    true = 2 * LineString(np.column_stack([x, bow])).length
    assert length_um(upper.union(lower)) == pytest.approx(true, rel=0.03)


def test_cores_that_touch_end_to_end_are_one_line() -> None:
    assert length_um(LONG.union(translate(LONG, 9950, 100))) == pytest.approx(19950, rel=0.01)


@pytest.mark.parametrize("gap", [50, 100, 200, 260, 300])
@pytest.mark.parametrize(("contact", "within"), [(3, 0.005), (100, 0.005), (600, 0.06)])
def test_parallel_cores_that_touch_at_one_place_are_two(
    gap: float, contact: float, within: float
) -> None:
    upper, lower = box(0, 0, 13500, 900), box(0, 900 + gap, 11800, 1800 + gap)
    touching = shapely.union_all([upper, lower, box(6000, 890, 6000 + contact, 910 + gap)])
    assert length_um(touching) == pytest.approx(25300, rel=within)


@pytest.mark.parametrize("angle", [1, 2, 4, 6, 8, 12, 20])
def test_cores_that_touch_at_their_ends_in_a_sharp_angle_are_two(angle: float) -> None:
    core = box(0, -450, 10000, 450)
    upper = translate(rotate(core, angle / 2, origin=(0, -450)), 0, 445)
    lower = translate(rotate(core, -angle / 2, origin=(0, 450)), 0, -445)
    assert length_um(upper.union(lower)) == pytest.approx(20000, rel=0.03)


@pytest.mark.parametrize("gap", [30, 100, 200, 300, 500])
def test_a_hairpin_whose_limbs_nearly_touch_is_as_long_as_both(gap: float) -> None:
    middle = (900 + gap) / 2
    angle = np.linspace(-np.pi / 2, np.pi / 2, 40)
    bend = zip(8000 + middle * np.cos(angle), middle * np.sin(angle), strict=True)
    line = [(0.0, -middle), *bend, (0.0, middle)]
    assert length_um(band(line, 900)) == pytest.approx(LineString(line).length, rel=0.01)
    touching = band(line, 900).union(box(300, -middle, 320, middle))
    assert length_um(touching) == pytest.approx(LineString(line).length, rel=0.05)


@pytest.mark.parametrize("y", [0, 150, 250])
@pytest.mark.parametrize("split", [1000, 3000, 5000, 9000])
def test_a_core_that_is_torn_along_is_one(split: float, y: float) -> None:
    core = band([(0, 0), (12000, 0)], 1000)
    tear = LineString([(12000 - split, y), (12100, y)]).buffer(40)
    assert length_um(core.difference(tear)) == pytest.approx(12000, rel=0.005)
    assert len(core_paths(core.difference(tear))) == 1


@pytest.mark.parametrize("strand", [20, 60, 100])
def test_a_core_that_hangs_on_a_strand_is_measured(strand: float) -> None:
    pieces = [box(0, 0, 7000, 900), box(7450, 0, 12950, 900)]
    joined = shapely.union_all([*pieces, box(6990, 400, 7460, 400 + strand)])
    assert length_um(joined) == pytest.approx(12500, rel=0.025)
    assert [path.length_um for path in core_paths(joined)] == pytest.approx([7000, 5500], rel=0.03)


@pytest.mark.parametrize("second", [3000, 6000])
def test_parallel_cores_on_strands_are_each_as_long_as_they_are(second: float) -> None:
    cores = [box(0, 1600 * k, 8000, 1600 * k + 1000) for k in range(3)]
    strands = [box(3000, 990, 3100, 1610), box(second, 2590, second + 100, 3210)]
    paths = core_paths(shapely.union_all([*cores, *strands]))
    assert [path.length_um for path in paths] == pytest.approx([8000] * 3, rel=0.01)


@pytest.mark.parametrize("strand", [150, 200, 300])
def test_what_one_core_took_of_another_is_not_counted_again(strand: float) -> None:
    cores = [box(0, 1600 * k, 8000, 1600 * k + 1000) for k in range(3)]
    strands = [box(x, y, x + strand, y + 620) for x, y in [(2000, 990), (6000, 2590)]]
    assert length_um(shapely.union_all([*cores, *strands])) == pytest.approx(24000, rel=0.05)


def test_what_hangs_on_a_strand_and_is_no_core_has_no_length() -> None:
    core, crumb = band([(0, 0), (9000, 0)], 800), box(4000, 700, 4700, 1400)
    joined = shapely.union_all([core, crumb, box(4300, 390, 4360, 710)])
    assert [path.length_um for path in core_paths(joined)] == pytest.approx([9000], rel=0.01)


@given(st.floats(0, 360), st.floats(-1e5, 1e5), st.floats(0.5, 2))
@settings(max_examples=15, deadline=None)
def test_moving_turning_and_scaling(angle: float, shift: float, scale: float) -> None:
    (core,) = needle(3, "curved")
    outline = outline_of(core)
    moved = translate(rotate(outline, angle), shift, -shift)
    assert length_um(moved) == pytest.approx(length_um(outline), rel=0.005)
    larger = Polygon(core.outline_um * scale)
    assert length_um(larger) == pytest.approx(scale * length_um(outline), rel=0.01)


@given(st.floats(0.2, 0.6), st.floats(0.2, 0.6))
@settings(max_examples=6, deadline=None)
def test_level_0_pixels_need_not_be_square(x_um: float, y_um: float) -> None:
    (core,) = needle(5, "u")
    label_map = map_of([outline_of(core)], PixelSize(x_um, y_um), 4.0)
    biopsy = measure_biopsy(find_regions(label_map), label_map.frame.pixel_size).biopsy
    assert biopsy.length_mm == pytest.approx(core.length_um / 1000, rel=0.02)
    area_mm2 = outline_of(core).area * 1e-6
    assert biopsy.tissue_area_mm2 == pytest.approx(area_mm2, rel=0.01)
    assert biopsy.mean_width_um == pytest.approx(1e9 * area_mm2 / core.length_um / 1e3, rel=0.03)


def test_debris_has_no_length() -> None:
    core, crumb = band([(0, 0), (9000, 0)], 800), Point(4000, 2500).buffer(350)
    label_map = map_of([core, crumb], PixelSize(0.5, 0.5), 4.0)
    measured = measure_biopsy(find_regions(label_map), label_map.frame.pixel_size)
    assert measured.biopsy.fragment_count == 2
    assert sorted(f.length_counted for f in measured.fragments) == [False, True]
    assert measured.biopsy.length_mm == pytest.approx(9, rel=0.01)
    assert measured.biopsy.longest_fragment_length_mm == measured.biopsy.length_mm


@pytest.mark.parametrize("angle", [0, 33])
def test_a_square_is_as_long_as_its_side(angle: float) -> None:
    square = rotate(band([(0, 0), (3000, 0)], 3000), angle)
    assert length_um(square) == pytest.approx(3000, rel=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_a_piece_that_lies_alone_is_no_debris(seed: int) -> None:
    """As of a wedge: hardly longer than broad."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 30))
    radius = rng.uniform(1000, 1500, 30)
    ring = np.column_stack([radius * np.cos(angles), radius * np.sin(angles)])
    label_map = map_of([Polygon(ring)], PixelSize(0.5, 0.5), 4.0)
    biopsy = measure_biopsy(find_regions(label_map), label_map.frame.pixel_size).biopsy
    assert biopsy.mean_width_um is not None
    assert biopsy.length_mm * 1000 >= 0.99 * biopsy.mean_width_um


def test_the_narrowest_place_is_not_the_tip() -> None:
    core = band([(0, 0), (8000, 0)], 900)
    bites = Point(4000, 850).buffer(700).union(Point(4000, -850).buffer(700))
    label_map = map_of([core.difference(bites)], PixelSize(0.5, 0.5), 4.0)
    biopsy = measure_biopsy(find_regions(label_map), label_map.frame.pixel_size).biopsy
    assert biopsy.minimum_width_um == pytest.approx(300, rel=0.1)
    plain = map_of([core], PixelSize(0.5, 0.5), 4.0)
    whole = measure_biopsy(find_regions(plain), plain.frame.pixel_size).biopsy
    assert whole.minimum_width_um == pytest.approx(900, rel=0.02)
    assert whole.mean_width_um == pytest.approx(900, rel=0.02)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_any_blob_has_a_length(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 40)))
    radius = rng.uniform(150, 3000, len(angles))
    blob = Polygon(np.column_stack([radius * np.cos(angles), radius * np.sin(angles)]))
    blob = max(shapely.get_parts(shapely.make_valid(blob)), key=lambda part: part.area)
    paths = core_paths(blob)
    assert paths
    assert all(np.isfinite(path.length_um) and path.length_um > 0 for path in paths)
