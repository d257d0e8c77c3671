"""What is computed in parts, in runs or from a few values is what the plain way gives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.tissue import features, find_tissue
from glisson.tissue.density import density, median
from glisson.tissue.morphology import dilate, disc
from tests.scenes import some_mask

from . import scenes


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
