"""Masks as spans: the same regions, holes and areas as on the whole array, block by block."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio.features
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from shapely import Polygon

from glisson.frames import BoxPx, Frame, PixelSize
from glisson.masks.blocks import BLOCK_PX
from glisson.regions import RegionSettings, trace_mask
from glisson.regions.clean import clean_labels
from glisson.regions.reading import read_labels, read_probabilities
from glisson.regions.spans import Grid, Spans, count_pixels, find_spans, label_components
from glisson.regions.trace import trace_spans
from tests.regions.nasty_masks import NASTY
from tests.scenes import ArrayMap

masks = arrays(bool, st.tuples(st.integers(1, 24), st.integers(1, 24)))
label_arrays = arrays(
    np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24)), elements=st.integers(0, 2)
)
FRAME = Frame(PixelSize(0.5, 0.5), 1.0)


def on_line(mask: np.ndarray) -> tuple[Spans, Grid]:
    grid = Grid(mask.shape[1], mask.shape[0])
    return find_spans(mask, grid), grid


def pixels(spans: Spans, grid: Grid, values: np.ndarray | int = 1) -> np.ndarray:
    line = np.zeros(grid.line_length, np.int64)
    for start, stop, value in zip(
        spans.start, spans.stop, np.broadcast_to(values, len(spans)), strict=True
    ):
        line[start:stop] = value
    return line.reshape(-1, grid.stride)[1:-1, :-1]


def same_regions(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two labellings are the same but for the numbers."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return pairs.shape[1] == len(np.unique(one)) == len(np.unique(other))


@given(masks)
@settings(max_examples=150, deadline=None)
def test_regions_are_those_of_the_whole_array(mask: np.ndarray) -> None:
    spans, grid = on_line(mask)
    component = label_components(spans, grid.stride)
    whole, count = ndimage.label(mask)
    assert same_regions(pixels(spans, grid, component + 1), whole)
    sizes = ndimage.sum_labels(mask, whole, np.arange(1, count + 1))
    assert sorted(count_pixels(spans, component)) == sorted(sizes)


@given(masks)
@settings(max_examples=80, deadline=None)
def test_gaps_are_the_other_pixels(mask: np.ndarray) -> None:
    spans, grid = on_line(mask)
    gaps = spans.gaps(grid.line_length)
    assert np.array_equal(pixels(gaps, grid) == 1, ~mask)
    framed = np.pad(~mask, 1, constant_values=True)
    component = pixels(gaps, grid, label_components(gaps, grid.stride) + 1)
    assert same_regions(component, (ndimage.label(framed)[0] * framed)[1:-1, 1:-1])


@pytest.mark.parametrize("density", [0.02, 0.4, 0.6, 0.98])
def test_blocks_are_joined(density: float) -> None:
    """Regions that cross the borders of blocks are one."""
    rng = np.random.default_rng(3)
    labels = (rng.random((BLOCK_PX + 40, 2 * BLOCK_PX + 30)) < density).astype(np.uint8)
    read = read_labels(ArrayMap(FRAME, labels), BoxPx(0, 0, labels.shape[1], labels.shape[0]))
    component = label_components(read.tissue, read.grid.stride)
    assert same_regions(pixels(read.tissue, read.grid, component + 1), ndimage.label(labels)[0])


def small(mask: np.ndarray, most_px: float) -> np.ndarray:
    whole, count = ndimage.label(mask)
    sizes = ndimage.sum_labels(mask, whole, np.arange(count + 1))
    few = sizes < most_px
    few[0] = False
    return few[whole]


def small_holes(mask: np.ndarray, most_px: float) -> np.ndarray:
    holes = ndimage.binary_fill_holes(mask, ndimage.generate_binary_structure(2, 1)) & ~mask
    return small(holes, most_px)


def cleaned_array(labels: np.ndarray, limits: RegionSettings) -> np.ndarray:
    """The rules, step by step on pixels."""
    labels = labels.copy()
    labels[small_holes(labels > 0, limits.max_tissue_hole_um2)] = 1
    labels[small(labels > 0, limits.min_fragment_area_um2)] = 0
    labels[small_holes(labels == 2, limits.max_portal_hole_um2)] = 2
    labels[small(labels == 2, limits.min_tract_area_um2)] = 1
    return labels


@given(label_arrays, st.tuples(*[st.integers(1, 30)] * 4))
@settings(max_examples=150, deadline=None)
def test_cleaning_follows_the_rules(labels: np.ndarray, sizes: tuple[int, int, int, int]) -> None:
    limits = RegionSettings(sizes[0], 0.0, sizes[1], sizes[2], sizes[3])
    box = BoxPx(0, 0, labels.shape[1], labels.shape[0])
    found = clean_labels(read_labels(ArrayMap(FRAME, labels), box), 1.0, limits)
    expected = cleaned_array(labels, limits)
    assert np.array_equal(pixels(found.tissue, found.grid) == 1, expected > 0)
    assert np.array_equal(pixels(found.portal, found.grid) == 1, expected == 2)


def traced_by_gdal(mask: np.ndarray) -> list[Polygon]:
    shapes = rasterio.features.shapes(mask.astype(np.uint8), mask=mask, connectivity=4)
    rings = [shape["coordinates"] for shape, _ in shapes]
    polygons = [Polygon(each[0], each[1:]) for each in rings]
    return sorted(polygons, key=lambda polygon: (polygon.bounds[1], polygon.bounds[0]))


@pytest.mark.parametrize("name", NASTY)
def test_nasty_polygons_are_those_of_gdal(name: str) -> None:
    assert [p.wkb for p in trace_mask(NASTY[name])] == [p.wkb for p in traced_by_gdal(NASTY[name])]


@given(masks)
@settings(max_examples=150, deadline=None)
def test_polygons_are_those_of_gdal(mask: np.ndarray) -> None:
    """The same rings, from the same vertex in the same direction."""
    assert [p.wkb for p in trace_mask(mask)] == [p.wkb for p in traced_by_gdal(mask)]


def test_probabilities_are_read_over_blocks() -> None:
    rng = np.random.default_rng(1)
    labels = np.ones((BLOCK_PX + 100, BLOCK_PX + 100), np.uint8)
    labels[BLOCK_PX - 20 : BLOCK_PX + 30, BLOCK_PX - 10 : BLOCK_PX + 60] = 2
    labels[10:40, 20:50] = 2
    sure = rng.random(labels.shape).astype(np.float32)

    class Map(ArrayMap):
        def crop(self, box_px: BoxPx):
            here = np.s_[
                box_px.y_px : box_px.y_px + box_px.height_px,
                box_px.x_px : box_px.x_px + box_px.width_px,
            ]
            return type("Crop", (), {"labels": labels[here], "portal_probability": sure[here]})

    box = BoxPx(0, 0, labels.shape[1], labels.shape[0])
    read = read_labels(Map(FRAME, labels), box)
    region = trace_spans(read.portal, read.grid, (0, 0)).region
    found = read_probabilities(Map(FRAME, labels), box, read.portal, region)
    whole, _ = ndimage.label(labels == 2)
    for k, values in enumerate(found, 1):
        assert np.array_equal(np.sort(values), np.sort(sure[whole == k]))
