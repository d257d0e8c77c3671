"""Outlines of whole resections are thinned until QuPath bears them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import Polygon

from glisson.exchange.geojson import _simplify
from glisson.exchange.qupath.geojson_rules import MOST_VERTICES


def ragged(count: int, amplitude: float) -> Polygon:
    """A disc of 40,000 px with a toothed edge of `count` vertices."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = 20_000 + amplitude * (np.arange(count) % 2)
    return Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))


@pytest.mark.parametrize("amplitude", [1.0, 6.0, 30.0])
def test_too_many_vertices_are_thinned(amplitude: float) -> None:
    outline = ragged(MOST_VERTICES + 10_000, amplitude)
    thin = _simplify(outline)
    assert shapely.get_num_coordinates(thin) <= MOST_VERTICES // 2
    assert thin.is_valid
    assert thin.area == pytest.approx(outline.area, rel=0.005)


def test_others_stay_as_they_are() -> None:
    outline = ragged(MOST_VERTICES // 2 - 2, 6.0)
    assert _simplify(outline) is outline
