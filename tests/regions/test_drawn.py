"""Outlines that somebody drew become fragments and tracts by the rules of traced ones."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon
from shapely.affinity import rotate

from glisson.frames import Frame, PixelSize
from glisson.measurement import measure_biopsy
from glisson.regions import DrawnTract, Regions, regions_from_drawn

PIXEL = PixelSize(0.5, 0.5)
FRAME = Frame(PIXEL, 2.0)
CORE_L0 = shapely.box(0, 0, 20_000, 1600)


def drawn(tissue_l0: list[Polygon], tracts_l0: list[Polygon]) -> tuple[Regions, str]:
    outlines = [DrawnTract(f"PT {k}", tract) for k, tract in enumerate(tracts_l0, 1)]
    regions, notes = regions_from_drawn(FRAME, tissue_l0, outlines)
    return regions, " ".join(notes)


@pytest.mark.parametrize("side_l0", [1, 20, 400])
def test_crumbs_of_edited_tissue_are_debris(side_l0: int) -> None:
    crumb = shapely.box(100, 5000, 100 + side_l0, 5000 + side_l0)
    regions, said = drawn([CORE_L0, crumb], [])
    assert len(regions.fragments) == 1
    assert "1 piece(s) of tissue are debris" in said
    assert measure_biopsy(regions, PIXEL).biopsy.fragment_count == 1


def test_a_fragment_as_small_as_traced_ones_stays() -> None:
    piece = shapely.box(100, 5000, 550, 5440)  # 49,500 µm²: 50,000 before it was smoothed
    regions, said = drawn([CORE_L0, piece], [])
    assert len(regions.fragments) == 2
    assert said == ""


def test_what_is_too_small_to_be_drawn_is_called_so() -> None:
    inside, beyond = shapely.box(500, 500, 510, 510), shapely.box(500, 3000, 600, 3100)
    regions, said = drawn([CORE_L0], [inside, beyond])
    assert regions.tracts == ()
    assert "PT 1 is smaller than 50 µm²" in said
    assert "PT 2 lies outside the tissue" in said


def test_a_small_outline_is_a_tract() -> None:
    regions, said = drawn([CORE_L0], [shapely.box(500, 500, 530, 530)])  # 225 µm²
    assert [tract.complete for tract in regions.tracts] == [True]
    assert said == ""


def test_a_tract_cut_by_the_tissue_is_partial() -> None:
    regions, said = drawn([CORE_L0], [shapely.box(1000, 1400, 1400, 1800)])
    (tract,) = regions.tracts
    assert not tract.complete
    assert tract.edge_contact_fraction == pytest.approx(412 / 1200, abs=0.01)
    assert "outside the tissue" in said


def test_a_hole_in_the_tissue_is_an_edge() -> None:
    hole = shapely.box(3000, 400, 3600, 900)
    beside = shapely.box(2600, 500, 3000, 800)
    regions, _ = drawn([CORE_L0.difference(hole)], [beside])
    assert not regions.tracts[0].complete
    (measured,) = measure_biopsy(regions, PIXEL).tracts
    assert measured.distance_to_edge_um == pytest.approx(0, abs=1e-6)


def test_a_hole_in_a_tract_is_no_part_of_its_area() -> None:
    outline = shapely.box(1000, 400, 1600, 1000).difference(shapely.box(1200, 600, 1400, 800))
    regions, _ = drawn([CORE_L0], [outline])
    (measured,) = measure_biopsy(regions, PIXEL).tracts
    assert measured.area_um2 == pytest.approx(80_000)
    assert measured.complete


def test_a_tract_over_two_fragments_is_two() -> None:
    other = shapely.box(0, 1700, 20_000, 3300)
    regions, said = drawn([CORE_L0, other], [shapely.box(1000, 1300, 1400, 2000)])
    assert [tract.fragment_number for tract in regions.tracts] == [1, 2]
    assert "count as 2 tracts" in said


def test_an_outline_that_another_crosses_is_one_tract() -> None:
    """The septum keeps the crossing, and gets what lies beyond it: no area is lost."""
    septum, tract = shapely.box(4000, 200, 4120, 1500), shapely.box(3600, 800, 4500, 1100)
    for order in ([septum, tract], [tract, septum]):
        regions, said = drawn([CORE_L0], order)
        assert len(regions.tracts) == 2
        assert said == "PT 1 cuts PT 2 in two and gets the smaller part."
        areas = [tract.polygon_l0.area for tract in regions.tracts]
        assert sum(areas) == pytest.approx(septum.union(tract).area)
        assert max(areas) > tract.area / 2


def test_slivers_along_a_shared_border_are_no_tracts() -> None:
    rows = [(1000 + 7 * (k % 2), 400 + 40 * k) for k in range(21)]
    left, right = Polygon([*rows, (600, 1200), (600, 400)]), shapely.box(1003, 400, 1400, 1200)
    regions, said = drawn([CORE_L0], [left, right])
    assert len(regions.tracts) == 2
    assert said == ""


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_outlines_give_no_more_tracts_and_no_less_area(data: st.DataObject) -> None:
    places = st.tuples(st.floats(2000, 6000), st.floats(400, 1200), st.floats(0, 180))
    sizes = st.tuples(st.floats(100, 1500), st.floats(60, 300))
    given_l0 = [
        rotate(shapely.box(x, y, x + wide, y + high), angle)
        for (x, y, angle), (wide, high) in data.draw(st.lists(st.tuples(places, sizes), max_size=7))
    ]
    tissue = shapely.box(0, -3000, 12_000, 5000)
    regions, _ = drawn([tissue], given_l0)
    outlines = [tract.polygon_l0 for tract in regions.tracts]
    assert len(outlines) <= len(given_l0)
    whole = shapely.union_all(given_l0).area
    crumbs_l0 = 50 / PIXEL.area_um2 * len(given_l0)
    assert shapely.union_all(outlines).area == pytest.approx(whole, abs=crumbs_l0)
    assert sum(outline.area for outline in outlines) == pytest.approx(whole, abs=crumbs_l0)
