"""A polygon's area is its pixels' area, whatever the mask."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from glisson.regions import on_qupath_grid, smooth_outline, trace_mask
from tests.regions.nasty_masks import NASTY

masks = arrays(bool, st.tuples(st.integers(1, 24), st.integers(1, 24)))


def check_trace(mask: np.ndarray) -> None:
    polygons = trace_mask(mask)
    _, components = ndimage.label(mask)
    assert len(polygons) == components
    assert sum(polygon.area for polygon in polygons) == mask.sum()
    assert all(polygon.is_valid for polygon in polygons)


@pytest.mark.parametrize("name", NASTY)
def test_area_is_exact_on_nasty_masks(name: str) -> None:
    check_trace(NASTY[name])


@given(masks)
@settings(max_examples=150, deadline=None)
def test_area_is_exact_on_any_mask(mask: np.ndarray) -> None:
    check_trace(mask)


@given(masks, st.integers(-500, 500), st.integers(-500, 500))
@settings(max_examples=60, deadline=None)
def test_an_origin_only_moves(mask: np.ndarray, x: int, y: int) -> None:
    here, there = trace_mask(mask), trace_mask(mask, (x, y))
    for one, other in zip(here, there, strict=True):
        assert shapely.affinity.translate(one, x, y).equals(other)


def test_holes_are_kept() -> None:
    (ring,) = trace_mask(NASTY["ring"])
    assert len(ring.interiors) == 1


@pytest.mark.parametrize("name", [name for name in NASTY if name != "empty"])
def test_outlines_are_valid_on_nasty_masks(name: str) -> None:
    for polygon in trace_mask(NASTY[name]):
        outline = smooth_outline(polygon)
        assert outline.is_valid
        assert outline.area > 0
        on_grid = on_qupath_grid(outline)
        assert on_grid is None or on_grid.is_valid


@given(masks, st.floats(1.0, 8.0), st.floats(0, 90_000))
@settings(max_examples=150, deadline=None)
def test_outlines_are_valid_on_the_grid_of_qupath(
    mask: np.ndarray, scale: float, shift: float
) -> None:
    for polygon in trace_mask(mask):
        moved = shapely.affinity.affine_transform(
            smooth_outline(polygon), (scale, 0, 0, scale, shift, shift)
        )
        on_grid = on_qupath_grid(moved)
        if on_grid is None:
            continue
        assert on_grid.is_valid
        points = shapely.get_coordinates(on_grid)
        assert np.array_equal(points, np.round(points, 2))


@pytest.mark.parametrize("radius_px", [20, 50, 100, 300])
def test_the_perimeter_is_that_of_the_disc(radius_px: int) -> None:
    size = 2 * radius_px + 8
    y, x = np.mgrid[:size, :size] + 0.5
    (polygon,) = trace_mask(np.hypot(x - size / 2, y - size / 2) < radius_px)
    outline = smooth_outline(polygon)
    assert outline.exterior.length == pytest.approx(2 * np.pi * radius_px, rel=0.03)
    assert outline.area == pytest.approx(polygon.area, rel=0.005)


@given(st.integers(0, 10_000))
@example(4598)  # a lobe hangs on a neck of one pixel
@settings(max_examples=40, deadline=None)
def test_smoothing_keeps_the_area_of_tracts(seed: int) -> None:
    """Ragged blobs of at least 100 px diameter change by less than 0.5 %."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=(260, 260)), 18)
    y, x = np.mgrid[:260, :260]
    mask = field / field.std() - np.hypot(x - 130, y - 130) / 55 + 1.2 > 0
    polygon = max(trace_mask(mask), key=lambda p: p.area)
    if polygon.area >= np.pi * 50**2:
        assert smooth_outline(polygon).area == pytest.approx(polygon.area, rel=0.005)


def test_opencv_would_not_do() -> None:
    """Pixel centres lose a tenth of a thin septum."""
    cv2 = pytest.importorskip("cv2")
    mask = np.pad(NASTY["septum of 8 px"], 4)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    assert cv2.contourArea(contours[0]) < 0.9 * mask.sum()
    assert sum(polygon.area for polygon in trace_mask(mask)) == mask.sum()
