"""The same pixels in nine placements, with models whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from benchmarks.placements import GLASS_PX, Method, Placement, compare_placements, place_pixels

from glisson.model import find_model
from glisson.regions import RegionSettings
from glisson.segmentation import ClassMap
from tests.scenes import ColourModel, biopsy_labels, coloured

BUNDLE = find_model(None)
BY_MEAN = RegionSettings(min_tract_probability=0.8)
BY_EVIDENCE = RegionSettings(sure_probability=0.6, min_sure_area_um2=1000)


class WobblingModel(ColourModel):
    """Sure of portal to about 0.8, a little more or less by where the window lies."""

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        found = super().predict(tiles)
        middle = tiles.astype(float).mean((1, 2, 3))[:, None, None]
        portal = found[:, 2] * (0.8 + 0.04 * np.sin(5 * middle))
        return np.stack([found[:, 0], found[:, 1] + found[:, 2] - portal, portal], 1)


def scene() -> np.ndarray:
    """Pixels of a small core, with the grain that tissue has."""
    rgb = coloured(biopsy_labels(500, 1300)).astype(float)
    grain = np.random.default_rng(1).normal(0, 14, rgb.shape[:2])[..., None]
    grain *= rgb.min(axis=2, keepdims=True) < 200
    return np.clip(rgb + grain, 0, 255).astype(np.uint8)


def measure_all(model: ColourModel, limits: RegionSettings) -> list[Placement]:
    method = Method(BUNDLE, model, limits, threads=1)
    return [method.measure(name, class_map) for name, class_map in segment_all(type(model))]


@cache
def segment_all(kind: type[ColourModel]) -> list[tuple[str, ClassMap]]:
    """Segment every placement once, whatever the limits."""
    method = Method(BUNDLE, kind(), BY_MEAN, threads=1)
    return [(name, method.segment(rgb, 1.0)) for name, rgb in place_pixels(scene())]


def test_placements_are_the_same_pixels() -> None:
    rgb = scene()
    placed = dict(place_pixels(rgb))
    assert len(placed) == 9
    for left, top in GLASS_PX:
        wider = placed[f"glass {left}, {top} px"]
        assert np.array_equal(wider[top:, left:], rgb)
        assert (wider[:top] == wider[0, 0]).all()
        assert (wider[:, :left] == wider[0, 0]).all()
    assert np.array_equal(np.rot90(placed["turned by 270°"]), rgb)
    assert np.array_equal(placed["mirrored"][:, ::-1], rgb)


def test_a_perfect_model_is_repeatable() -> None:
    found = measure_all(ColourModel(), BY_EVIDENCE)
    spread = compare_placements("scene", found)
    assert spread.largest_difference_percent < 1.5
    assert spread.fewest_tracts == spread.most_tracts > 0


def test_evidence_is_repeatable_where_the_mean_is_not() -> None:
    model = WobblingModel()
    by_mean, by_evidence = (
        compare_placements("scene", measure_all(model, limits)) for limits in (BY_MEAN, BY_EVIDENCE)
    )
    assert by_mean.fewest_tracts < by_mean.most_tracts
    assert by_evidence.fewest_tracts == by_evidence.most_tracts >= by_mean.most_tracts
    assert by_evidence.largest_difference_percent < 1.5 < by_mean.largest_difference_percent
    assert by_mean.covered == by_mean.placements


def test_spread_is_counted_from_the_mean() -> None:
    one = Placement("as it is", 4, 5.0, 0.3, 3, 1, 0)
    found = [one, replace(one, portal_percent=5.5), replace(one, portal_percent=4.5, partial=2)]
    spread = compare_placements("slide", found)
    assert spread.portal_percent == pytest.approx(5.0)
    assert spread.largest_difference_percent == pytest.approx(10.0)
    assert (spread.fewest_tracts, spread.most_tracts) == (4, 5)
    assert (spread.covered, spread.placements) == (1, 3)
