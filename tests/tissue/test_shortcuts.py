"""What is computed in parts, in runs or from a few values is what the plain way gives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from glisson.tissue import features, find_tissue
from glisson.tissue.density import density, median
from glisson.tissue.morphology import dilate, disc, pieces

from . import scenes


def some_mask(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.random(rng.integers(1, 50, 2)).astype(np.float32)
    noise = cv2.blur(noise, (3, 3)) if seed % 2 else noise
    return np.asarray(noise < rng.random())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([4, 8]))
def test_pieces_are_those_of_scipy(seed: int, connectivity: int) -> None:
    mask = some_mask(seed)
    around = np.ones((3, 3)) if connectivity == 8 else None
    labels, count = ndimage.label(mask, around)
    found = pieces(mask, connectivity)
    number = np.zeros(count + 1, int)  # scipy's order of numbers is another one at times
    number[labels] = found.labels
    np.testing.assert_array_equal(number[labels], found.labels)
    np.testing.assert_array_equal(found.area_px[number][1:], np.bincount(labels.ravel())[1:])
    for piece, (rows, columns) in zip(number[1:], ndimage.find_objects(labels), strict=True):
        left, top, width, height = found.boxes_px[piece]
        assert (rows, columns) == (slice(top, top + height), slice(left, left + width))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6))
def test_counting_choosing_and_writing(seed: int) -> None:
    mask, rng = some_mask(seed), np.random.default_rng(seed)
    found, other = pieces(mask), rng.random(mask.shape) < 0.4
    chosen = rng.random(len(found.area_px)) < rng.random()
    plain = chosen[found.labels] & mask
    counts = np.bincount(found.labels[other & mask], minlength=len(chosen))
    values = np.zeros(mask.shape, np.uint8)
    found.write(values, chosen, 3)
    np.testing.assert_array_equal(found.select(chosen), plain)
    np.testing.assert_array_equal(found.count(other), counts)
    np.testing.assert_array_equal(values, 3 * plain)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(1, 40))
def test_growing_around_what_is_set(seed: int, radius_um: float) -> None:
    mask = some_mask(seed) & (np.random.default_rng(seed).random() < 0.8)
    plain = cv2.dilate(mask.view(np.uint8), disc(radius_um, 4.0)).view(bool)
    np.testing.assert_array_equal(dilate(mask, radius_um, 4.0), plain)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5000), st.sampled_from([0, 1, 3]))
def test_median_is_numpys(seed: int, count: int, decimals: int) -> None:
    values = np.random.default_rng(seed).standard_normal(count).astype(np.float32)
    for tried in (values.round(decimals), np.sort(values)):
        assert median(tried.copy()) == np.median(tried)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (5, 7), (5, 7, 3), (0, 3)])
def test_density_of_any_shape(shape: tuple[int, ...]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    expected = -np.log10(np.maximum(rgb, 1) / 255.0)
    np.testing.assert_allclose(density(rgb), expected, atol=1e-6)


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pale tissue, of which texture is asked, and ink, whose rim is."""
    for scene in (scenes.scene("grey", 0.2), scenes.with_ink(scenes.scene(), "blue", True)):
        whole = find_tissue(scene.slide())
        with monkeypatch.context() as patch:
            patch.setattr(features, "TILE_PX", (37, 61))
            patch.setattr(features, "SMALL_TILE_PX", (29, 23))
            cut = find_tissue(scene.slide())
        np.testing.assert_array_equal(whole.causes, cut.causes)
        np.testing.assert_array_equal(whole.mask, cut.mask)
