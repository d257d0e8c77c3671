"""Numbers move evenly across each limit, and sentences stand beside those that lie near one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from shapely import Polygon, box
from shapely.affinity import translate

from glisson.frames import BoxL0, Frame, PixelSize, Size
from glisson.measurement import (
    BiopsyMeasurements,
    Measurements,
    SectionSize,
    core_paths,
    find_cut_share,
    judge,
    list_doubts,
    mark_as_part,
    measure_biopsy,
    warn_of_part,
)
from glisson.regions import DrawnTract, Fragment, Regions, regions_from_drawn
from glisson.slides import SlideInfo
from tests.measurement.shapes import band

PIXEL = PixelSize(1.0, 1.0)
FRAME = Frame(PIXEL, 2.0)
CORE = band([(0, 0), (6000, 0)], 800)


def drawn(tissue: list[Polygon], tracts: list[Polygon] | None = None) -> Regions:
    outlines = [DrawnTract(f"PT {k}", tract) for k, tract in enumerate(tracts or [], 1)]
    return regions_from_drawn(FRAME, tissue, outlines)[0]


def measured(*tissue: Polygon) -> Measurements:
    return measure_biopsy(drawn(list(tissue)), PIXEL)


def swept(pieces: list[Polygon]) -> list[BiopsyMeasurements]:
    """A core beside each of the pieces in turn."""
    return [measured(CORE, translate(piece, 0, 3000)).biopsy for piece in pieces]


def largest_step(values: list[float | None]) -> float:
    return max(abs(float(b or 0) - float(a or 0)) for a, b in pairwise(values))


def test_no_pixel_moves_a_whole_piece_into_the_length() -> None:
    """Pieces that grow by 10 µm from 0.7 to 1.3 mm; a hard limit moves the length by 1 mm."""
    found = swept([band([(0, 0), (length, 0)], 800) for length in range(700, 1301, 10)])
    lengths = [biopsy.length_mm for biopsy in found]
    assert largest_step(lengths) < 0.08
    assert lengths[0] == pytest.approx(6.0, abs=0.02)
    assert lengths[-1] == pytest.approx(7.3, abs=0.02)
    assert largest_step([biopsy.mean_width_um for biopsy in found]) < 5


def test_no_pixel_moves_a_narrow_piece_into_the_least_width() -> None:
    """Narrow pieces that grow in area across the square of the cores' width."""
    found = swept([band([(0, 0), (length, 0)], 300) for length in range(1000, 2400, 20)])
    least = [biopsy.minimum_width_um for biopsy in found]
    assert least[0] == pytest.approx(800, rel=0.02)
    assert least[-1] == pytest.approx(300, rel=0.05)
    assert largest_step(least) < 40
    assert largest_step([biopsy.length_mm for biopsy in found]) < 0.15


def test_a_notch_of_one_pixel_is_no_least_width() -> None:
    """A cut of 4 µm to the half of a core; its narrowest 0.3 mm hardly change."""
    cut = box(3000, -500, 3004, 0)
    assert measured(CORE.difference(cut)).biopsy.minimum_width_um == pytest.approx(800, rel=0.05)


def test_no_pixel_moves_a_branch_into_the_length() -> None:
    def length_um(branch: float) -> float:
        outline = shapely.union(band([(0, 0), (8000, 0)], 600), box(3700, 0, 4300, 300 + branch))
        return sum(path.counted_um for path in core_paths(outline))

    lengths = [length_um(branch) for branch in range(600, 1500, 20)]
    assert largest_step([each / 1000 for each in lengths]) < 0.25
    assert lengths[-1] - lengths[0] == pytest.approx(1280, rel=0.05)


def test_a_piece_near_the_limit_is_named_with_its_share() -> None:
    near = band([(0, 3000), (920, 3000)], 900)
    found = measured(CORE, near)
    (warning,) = list_doubts(found, drawn([CORE, near]))
    assert "fragment 2 (0.92 mm, 60% counts)" in warning
    share = found.fragments[1].length_share
    assert share == pytest.approx(0.6, abs=0.03)
    assert found.biopsy.length_mm == pytest.approx(6.0 + share * 0.92, abs=0.02)
    whole = [CORE, band([(0, 3000), (1500, 3000)], 800), band([(0, 5000), (300, 5000)], 300)]
    assert list_doubts(measured(*whole), drawn(whole)) == ()


@pytest.mark.parametrize(("width_um", "is_doubted"), [(1200, False), (1550, False), (2650, True)])
def test_tissue_wider_than_any_needle_doubts_the_pixel_size(
    width_um: float, is_doubted: bool
) -> None:
    core = band([(0, 0), (14_000, 0)], width_um)
    found = [each for each in list_doubts(measured(core), drawn([core])) if "--mpp" in each]
    assert bool(found) is is_doubted
    assert all("14G" in each for each in found)


@pytest.mark.parametrize(
    ("length_mm", "named"),
    [(6.0, ()), (9.9, ()), (14.8, ("EASL 2015",)), (19.7, ("Cholongitas 2006",)), (22.0, ())],
)
def test_a_verdict_near_a_limit_is_named(length_mm: float, named: tuple[str, ...]) -> None:
    core = band([(0, 0), (1000 * length_mm, 0)], 800)
    found = [each for each in list_doubts(measured(core), drawn([core])) if "adequacy" in each]
    assert len(found) == bool(named)
    assert all(name in found[0] for name in named)


def test_one_tract_more_or_less_is_near_a_limit() -> None:
    """Of the model's outlines, of which another scan shows others; a person's stand."""
    core = band([(0, 0), (12_000, 0)], 1000)
    tracts = [box(x, -100, x + 200, 100) for x in range(1000, 11_000, 2000)]
    by_hand = drawn([core], tracts)
    found = measure_biopsy(by_hand, PIXEL)
    assert found.biopsy.tract_count_total == 5
    assert list_doubts(found, by_hand) == ()
    by_model = Regions(
        FRAME, by_hand.fragments, by_hand.tracts, True, None, portal_area_range_um2=(1.0, 2.0)
    )
    (warning,) = list_doubts(found, by_model)
    assert "RCPath minimum (inadequate or adequate)" in warning


def test_nothing_is_judged_where_there_is_no_tissue() -> None:
    found = measured()
    assert {each.verdict for each in found.adequacy} == {"not assessable"}
    assert {each.reason for each in found.adequacy} == {
        "Not assessable: no liver tissue was found."
    }
    assert all(each.tracts_missing is each.length_missing_mm is None for each in found.adequacy)
    assert list_doubts(found, drawn([])) == ()
    assert any(each.verdict != "not assessable" for each in judge(SectionSize(0.0, 0, 0)))


def info(width: int, height: int, bounds: BoxL0 | None = None) -> SlideInfo:
    size = Size(width, height)
    return SlideInfo("s", None, "image", size, PIXEL, "override", bounds, (1.0,))


def pieces(*outlines: Polygon) -> Regions:
    fragments = tuple(Fragment(k, each, each) for k, each in enumerate(outlines, 1))
    return Regions(FRAME, fragments, (), True, None)


def test_tissue_that_the_sides_cut_is_a_part() -> None:
    whole = pieces(box(100, 100, 10_100, 1100))
    assert find_cut_share(whole, info(12_000, 1200)) == 0
    assert warn_of_part(0.0) is None
    for size, bounds in (((10_100, 1200), None), ((20_000, 1200), BoxL0(0, 0, 10_100, 1200))):
        share = find_cut_share(whole, info(*size, bounds))
        assert share == pytest.approx(1000 / 22_000, rel=0.05)
        assert "length, counts and adequacy are of a part" in (warn_of_part(share) or "")
    assert find_cut_share(pieces(), info(100, 100)) == 0
    marked = mark_as_part(measured(CORE))
    assert all("A part of the biopsy" in each.reason for each in marked.adequacy)


def test_a_long_core_cut_across_once_is_a_part() -> None:
    share = find_cut_share(pieces(box(-0.5, 100, 20_000, 1100)), info(21_000, 1200))
    assert warn_of_part(share)
    touching = pieces(box(12, 100, 20_000, 1100))
    assert np.isclose(find_cut_share(touching, info(21_000, 1200)), 0)
