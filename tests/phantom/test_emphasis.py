"""Training tiles that show more of what biopsies rarely show."""

from __future__ import annotations

from collections import Counter

import numpy as np
import shapely

from glisson.phantom import AS_IN_BIOPSIES, Emphasis, render_tile
from glisson.phantom.plan.disease import draw_disease
from glisson.phantom.plan.layout import Layout, lay_out
from glisson.phantom.plan.needle import draw_core
from glisson.phantom.plan.tracts import Tract
from glisson.phantom.tile import _small_ones


def diagnoses(quiet: float) -> Counter[str]:
    return Counter(
        draw_disease(np.random.default_rng(seed), quiet=quiet).diagnosis for seed in range(600)
    )


def layout() -> Layout:
    rng = np.random.default_rng(8)
    return lay_out(rng, draw_disease(rng, "normal"), draw_core(rng, 20_000, 1200))


def test_quiet_livers_are_as_much_more_common_as_asked_for() -> None:
    usual, more = diagnoses(1.0), diagnoses(4.0)
    for each in ("normal", "gvhd", "vascular"):
        odds = [counts[each] / (600 - quiet_ones(counts)) for counts in (usual, more)]
        assert 2.8 < odds[1] / odds[0] < 5.6
    assert 1.0 < more["aih"] / more["pbc"] < 2.4


def quiet_ones(counts: Counter[str]) -> int:
    return sum(counts[each] for each in ("normal", "gvhd", "vascular", "iron"))


def test_the_smaller_half_of_the_tracts_is_looked_at_as_often_as_asked_for() -> None:
    tracts = layout().tracts
    rng = np.random.default_rng(1)
    looks = [_small_ones(rng, tracts, 0.5) for _ in range(400)]
    few = [each for each in looks if len(each) < len(tracts)]
    assert 160 < len(few) < 240
    assert mean_area(few[0]) < 0.7 * mean_area(tracts)


def mean_area(tracts: tuple[Tract, ...]) -> float:
    return float(np.mean([shapely.Polygon(tract.polygons_um[0]).area for tract in tracts]))


def test_no_emphasis_is_a_tile_as_in_biopsies() -> None:
    plain, asked = render_tile(11, 64, 2.0), render_tile(11, 64, 2.0, emphasis=AS_IN_BIOPSIES)
    assert Emphasis() == AS_IN_BIOPSIES
    assert np.array_equal(plain.rgb, asked.rgb)
