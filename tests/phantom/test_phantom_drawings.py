from __future__ import annotations

import numpy as np
import pytest
import shapely
from rasterio.features import rasterize

from glisson.frames import RegionUm
from glisson.regions import BILE_DUCT, HEPATIC_ARTERY, Regions
from glisson.slides import open_slide
from glisson_phantom import MadePhantom, PhantomSettings, plan_biopsy
from glisson_phantom.output.drawings import outline_profiles, split_outline
from tests.conftest import PHANTOM


def test_long_outlines_are_cut_and_nothing_is_lost() -> None:
    """The interface of a cirrhotic slide once had more vertices than QuPath takes."""
    rng = np.random.default_rng(0)
    blobs = [shapely.Point(*rng.uniform(0, 900, 2)).buffer(9, 64) for _ in range(900)]
    outline = shapely.union_all(blobs)
    assert shapely.get_num_coordinates(outline) > 50_000
    found = split_outline(outline)
    assert max(shapely.get_num_coordinates(found)) <= 5_000
    assert sum(piece.area for piece in found) == pytest.approx(outline.area)
    assert shapely.union_all(found).symmetric_difference(outline).area < 1e-3


def test_short_outlines_stay_as_they_are() -> None:
    disc = shapely.Point(0, 0).buffer(5)
    assert split_outline(disc) == [disc]


def test_ducts_and_arteries_lie_in_tracts_and_on_their_epithelium(
    shared_phantom: MadePhantom,
) -> None:
    """Epithelium is packed with nuclei, so a duct is darker than the stroma beside it."""
    regions = shared_phantom.regions
    profiles = outline_profiles(plan_biopsy(PHANTOM), regions)
    tracts = shapely.union_all([tract.polygon_l0 for tract in regions.tracts])
    assert {BILE_DUCT, HEPATIC_ARTERY} <= {profile.name for profile in profiles}
    assert all(tracts.contains(profile.outline_l0.centroid) for profile in profiles)
    ducts = shapely.union_all([p.outline_l0 for p in profiles if p.name == BILE_DUCT])
    with open_slide(shared_phantom.path) as slide:
        size = slide.info.size_l0
        red = slide.read(RegionUm(0, 0, size.width, size.height), 1.0).rgb[..., 0]
    for shift in ((25, 0), (-25, 0), (0, 25), (0, -25)):
        beside = shapely.affinity.translate(ducts, *shift).intersection(tracts)
        assert _mean(red, ducts) < 0.95 * _mean(red, beside)


def test_where_no_tract_is_left_no_duct_is() -> None:
    biopsy = plan_biopsy(PhantomSettings(seed=3, length_mm=1, stage=1))
    nothing = Regions(biopsy.truth_frame, (), (), True, None)
    assert outline_profiles(biopsy, nothing) == []


def _mean(values: np.ndarray, area_l0: shapely.Geometry) -> float:
    inside = rasterize([area_l0], out_shape=values.shape)
    return float(values[inside > 0].mean())
