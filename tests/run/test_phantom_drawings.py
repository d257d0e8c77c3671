from __future__ import annotations

import numpy as np
import pytest
import shapely

from glisson.run.phantom_drawings import pieces


def test_long_outlines_are_cut_and_nothing_is_lost() -> None:
    """The interface of a cirrhotic slide once had more vertices than QuPath takes."""
    rng = np.random.default_rng(0)
    blobs = [shapely.Point(*rng.uniform(0, 900, 2)).buffer(9, 64) for _ in range(900)]
    outline = shapely.union_all(blobs)
    assert shapely.get_num_coordinates(outline) > 50_000
    found = pieces(outline)
    assert max(shapely.get_num_coordinates(found)) <= 5_000
    assert sum(piece.area for piece in found) == pytest.approx(outline.area)
    assert shapely.union_all(found).symmetric_difference(outline).area < 1e-3


def test_short_outlines_stay_as_they_are() -> None:
    disc = shapely.Point(0, 0).buffer(5)
    assert pieces(disc) == [disc]
