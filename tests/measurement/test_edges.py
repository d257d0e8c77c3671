from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from glisson.measurement.edges import to_nearest

discs = st.tuples(st.floats(0, 500), st.floats(0, 500), st.floats(1, 120))


@given(st.lists(discs, min_size=2, max_size=12))
def test_the_nearest_neighbour_is_found_whatever_lies_between(
    rounds: list[tuple[float, float, float]],
) -> None:
    """Large discs have far middles and near rims, and some cover others."""
    shapes = np.array([shapely.Point(x, y).buffer(radius) for x, y, radius in rounds], object)
    expected = [min(shapely.distance(each, np.delete(shapes, k))) for k, each in enumerate(shapes)]
    assert to_nearest(shapes) == pytest.approx(expected, abs=1e-9)


def test_rings_with_one_middle() -> None:
    middle = shapely.Point(0, 0)
    rings = [middle.buffer(r + 10, 64).difference(middle.buffer(r, 64)) for r in (0, 30, 80)]
    assert to_nearest(np.array(rings, object)) == pytest.approx([20, 20, 40], abs=0.1)
