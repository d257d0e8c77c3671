"""Septa of stage 3 and 4: with ductules and vessels of their own, some of them burnt out."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from glisson.phantom.plan.disease import draw_disease
from glisson.phantom.plan.layout import lay_out
from glisson.phantom.plan.needle import draw_core
from glisson.phantom.plan.shapes import Profile
from glisson.phantom.plan.tracts import Septum


def septa(seed: int = 3) -> tuple[Septum, ...]:
    rng = np.random.default_rng(seed)
    disease = draw_disease(rng, "aih", 4)
    return lay_out(rng, disease, draw_core(rng, 16_000, 1200)).septa


@pytest.fixture(scope="module")
def drawn() -> tuple[Septum, ...]:
    return septa()


def test_ductules_lie_along_the_border_and_vessels_inside(drawn: tuple[Septum, ...]) -> None:
    ductules = [depth_um(septum, each) for septum in drawn for each in septum.ductules]
    veins = [depth_um(septum, each) for septum in drawn for each in septum.veins]
    assert len(ductules) > len(drawn) > 10
    assert len(veins) > len(drawn) / 4
    assert np.mean(np.array(ductules) > -10) > 0.9
    assert np.mean(np.array(veins) > 0) > 0.97


def depth_um(septum: Septum, profile: Profile) -> float:
    """Distance from the septum's border, above 0 inside."""
    outline, spot = shapely.Polygon(septum.polygon_um), shapely.Point(profile.centre_um)
    return outline.exterior.distance(spot) * (1 if outline.contains(spot) else -1)


def test_two_of_five_septa_are_burnt_out(drawn: tuple[Septum, ...]) -> None:
    most = max(septum.infiltrate for septum in drawn)
    quiet = [septum for septum in drawn if septum.infiltrate < 0.2 * most]
    assert 0.25 < len(quiet) / len(drawn) < 0.6


def test_what_lies_in_a_septum_moves_with_it(drawn: tuple[Septum, ...]) -> None:
    septum = max(drawn, key=lambda each: len(each.ductules) * (1 + len(each.veins)))
    moved = septum.moved(np.array([100.0, -50.0]))
    for before, after in ((septum.ductules, moved.ductules), (septum.veins, moved.veins)):
        for one, other in zip(before, after, strict=True):
            assert np.allclose(other.centre_um - one.centre_um, (100, -50))
