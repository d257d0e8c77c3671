"""Portal areas of a low probability are candidates, and lobule in the class map."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import shapely

from glisson.classes import LOBULE, PORTAL
from glisson.frames import BoxPx, Frame, PixelSize, Size
from glisson.masks.blocks import BLOCK_PX
from glisson.regions import RegionSettings, find_regions
from glisson.segmentation import ClassMap
from tests.scenes import disc

FRAME = Frame(PixelSize(0.5, 0.5), 2.0)
SURE, UNSURE = 0.9, 0.6


@pytest.fixture
def two_tracts() -> ClassMap:
    """A sure tract and an unsure one that lies over four blocks, with a vein in it."""
    side = 2 * BLOCK_PX
    labels = np.full((side, side), LOBULE.index, np.uint8)
    disc(labels, 200, 200, 50, PORTAL.index)
    disc(labels, BLOCK_PX, BLOCK_PX, 60, PORTAL.index)
    disc(labels, BLOCK_PX + 10, BLOCK_PX, 9, LOBULE.index)
    portal = np.where(labels == PORTAL.index, UNSURE, 0.1).astype(np.float32)
    portal[:300, :300] = np.where(labels[:300, :300] == PORTAL.index, SURE, 0.1)
    class_map = ClassMap(FRAME, Size(side, side))
    for row in range(2):
        for column in range(2):
            rows = slice(row * BLOCK_PX, (row + 1) * BLOCK_PX)
            columns = slice(column * BLOCK_PX, (column + 1) * BLOCK_PX)
            class_map.put(row, column, labels[rows, columns].copy(), portal[rows, columns])
    return class_map


def test_an_unsure_tract_becomes_a_candidate(two_tracts: ClassMap) -> None:
    assert len(find_regions(two_tracts).tracts) == 2
    regions = find_regions(two_tracts, RegionSettings(min_tract_probability=0.7))
    (tract,) = regions.tracts
    assert tract.number == 1
    assert tract.probability == pytest.approx(SURE, abs=0.01)
    (candidate,) = regions.candidates
    assert candidate.number == 1
    assert candidate.complete
    assert candidate.probability == pytest.approx(UNSURE, abs=0.02), "its vein is in it"
    um2 = candidate.polygon_l0.area * FRAME.pixel_size.area_um2
    assert um2 == pytest.approx(np.pi * 120**2, rel=0.01)
    (outline_px,) = regions.candidates_px
    assert outline_px.area == pytest.approx(np.pi * 60**2, rel=0.01)
    corners = shapely.get_coordinates(outline_px)
    assert (corners == np.rint(corners)).all()


def test_the_class_map_agrees_with_the_tracts(two_tracts: ClassMap) -> None:
    """Corrections are compared with what is traced from the stored map, which has no candidates."""
    regions = find_regions(two_tracts, RegionSettings(min_tract_probability=0.7))
    two_tracts.relabel_portal(regions.candidates_px)
    again = find_regions(two_tracts)
    assert [asdict(each) for each in again.tracts] == [asdict(each) for each in regions.tracts]
    labels = two_tracts.crop(BoxPx(0, 0, 2 * BLOCK_PX, 2 * BLOCK_PX)).labels
    assert (labels == PORTAL.index).sum() == pytest.approx(np.pi * 50**2, rel=0.01)
    assert (labels[300:, 300:] == LOBULE.index).all()
