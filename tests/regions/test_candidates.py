"""What the model is unsure of is outlined like a tract, and is in no number."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.frames import BoxPx, Frame, PixelSize
from glisson.measurement import measure_biopsy
from glisson.regions import (
    Candidate,
    DrawnTract,
    Regions,
    RegionSettings,
    Tract,
    find_regions,
    regions_from_drawn,
    restore_untouched,
)
from tests.scenes import ArrayMap, Crop, biopsy_labels, disc

PIXEL = PixelSize(0.5, 0.5)
FRAME = Frame(PIXEL, 1.0)
CORE_L0 = shapely.box(0, 0, 20_000, 1600)


@dataclass(frozen=True)
class UnsureMap:
    """A class map with a portal probability of its own for every pixel."""

    frame: Frame
    labels: np.ndarray
    probability: np.ndarray

    def boxes(self) -> tuple[BoxPx, ...]:
        return ArrayMap(self.frame, self.labels).boxes()

    def crop(self, box_px: BoxPx) -> Crop:
        rows = slice(box_px.y_px, box_px.y_px + box_px.height_px)
        columns = slice(box_px.x_px, box_px.x_px + box_px.width_px)
        return Crop(self.labels[rows, columns], self.probability[rows, columns])


def scene() -> UnsureMap:
    """The core of four tracts, from the left ever less sure, and an unsure speck."""
    labels = biopsy_labels()
    disc(labels, 1200, 450, 15, 2)  # 700 µm²
    columns = np.linspace(0.95, 0.55, labels.shape[1], dtype=np.float32)
    return UnsureMap(FRAME, labels, np.broadcast_to(columns, labels.shape))


def found(limit: float) -> Regions:
    return find_regions(scene(), RegionSettings(min_tract_probability=limit))


def test_the_unsure_are_candidates_with_all_that_a_tract_has() -> None:
    everything = found(0).tracts
    regions = found(0.75)
    assert [tract.number for tract in regions.tracts] == [1, 2]
    assert [candidate.number for candidate in regions.candidates] == [1, 2]
    described = {each.polygon_l0.wkb: each for each in everything}
    for candidate in regions.candidates:
        assert isinstance(candidate, Candidate)
        assert not isinstance(candidate, Tract)
        as_tract = described[candidate.polygon_l0.wkb]
        told = asdict(replace(as_tract, number=candidate.number))
        assert told.pop("is_counted")
        assert (told.pop("qupath_id"), told.pop("qupath_name")) == ("", "")
        assert asdict(candidate) == told
    assert [candidate.complete for candidate in regions.candidates] == [True, False]


def test_a_speck_below_the_least_area_is_no_candidate() -> None:
    areas = [each.polygon_l0.area * PIXEL.area_um2 for each in found(1).candidates]
    assert len(areas) == 4
    assert min(areas) > 1500


@given(limit=st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_every_area_is_either_a_tract_or_a_candidate(limit: float) -> None:
    regions = found(limit)
    areas = [each.polygon_l0.wkb for each in (*regions.tracts, *regions.candidates)]
    assert sorted(areas) == sorted(each.polygon_l0.wkb for each in found(0).tracts)
    assert all((each.probability or 0) >= limit for each in regions.tracts)
    assert all((each.probability or 0) < limit for each in regions.candidates)
    for kind in (regions.tracts, regions.candidates):
        assert [each.number for each in kind] == list(range(1, len(kind) + 1))


def test_candidates_are_in_no_number() -> None:
    regions = found(0.75)
    without = replace(regions, candidates=())
    measured, plain = (measure_biopsy(each, PIXEL) for each in (regions, without))
    assert replace(measured, candidates=()) == plain
    for listed, candidate in zip(measured.candidates, regions.candidates, strict=True):
        assert listed.area_um2 == pytest.approx(candidate.polygon_l0.area * 0.25)
        assert listed.probability == candidate.probability
        assert listed.fragment_number == 1


def test_septal_candidates_do_not_forbid_the_count() -> None:
    labels = np.zeros((700, 2400), np.uint8)
    labels[100:600, 100:2300] = 1
    labels[320:380, 200:2200] = 2
    unsure = UnsureMap(FRAME, labels, np.where(labels == 2, 0.6, 0.1).astype(np.float32))
    assert not find_regions(unsure).countable
    regions = find_regions(unsure, RegionSettings(min_tract_probability=0.8))
    assert regions.countable
    assert len(regions.candidates) == 1


def drawn(tracts: dict[str, shapely.Polygon], candidates: dict[str, shapely.Polygon]):
    both = [[DrawnTract(name, shape) for name, shape in each.items()]
            for each in (tracts, candidates)]  # fmt: skip
    regions, notes = regions_from_drawn(FRAME, [CORE_L0], both[0], None, both[1])
    return regions, " ".join(notes)


def test_a_candidate_that_stays_one_changes_nothing() -> None:
    tract, open_ = shapely.box(500, 500, 700, 700), shapely.box(3000, 400, 3300, 700)
    regions, said = drawn({"PT 1": tract}, {"Candidate 1": open_})
    alone, _ = drawn({"PT 1": tract}, {})
    assert said == ""
    assert replace(regions, candidates=()) == alone
    (candidate,) = regions.candidates
    assert candidate.polygon_l0.equals(open_)
    assert (candidate.number, candidate.fragment_number, candidate.complete) == (1, 1, True)
    kept = restore_untouched(regions, alone)
    assert kept.candidates == regions.candidates


def test_a_tract_drawn_over_a_candidate_accepts_it() -> None:
    over = shapely.box(3000, 400, 3300, 700)
    regions, said = drawn({"mine": over.buffer(20)}, {"Candidate 1": over})
    assert len(regions.tracts) == 1
    assert regions.candidates == ()
    assert said == "mine lies on Candidate 1, which is no candidate any more."


def test_a_candidate_shares_no_area_with_a_tract_beside_it() -> None:
    regions, said = drawn({"mine": shapely.box(3000, 400, 3300, 700)},
                          {"Candidate 1": shapely.box(3260, 400, 3600, 700)})  # fmt: skip
    (tract,), (candidate,) = regions.tracts, regions.candidates
    assert said == ""
    assert tract.polygon_l0.intersection(candidate.polygon_l0).area == 0
    assert candidate.polygon_l0.area == pytest.approx(300 * 300)
