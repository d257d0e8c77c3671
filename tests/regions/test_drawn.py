"""Outlines that somebody drew become fragments and tracts by the rules of traced ones."""

from __future__ import annotations

import pytest
import shapely
from shapely import Polygon

from glisson.frames import Frame, PixelSize
from glisson.measure import measure_biopsy
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
