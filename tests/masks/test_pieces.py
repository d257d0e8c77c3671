"""Connected pieces against SciPy's labels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from glisson.masks.pieces import find_pieces
from tests.scenes import some_mask


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([4, 8]))
def test_pieces_are_those_of_scipy(seed: int, connectivity: int) -> None:
    mask = some_mask(seed)
    around = np.ones((3, 3)) if connectivity == 8 else None
    labels, count = ndimage.label(mask, around)
    found = find_pieces(mask, connectivity)
    assert len(found) == count
    numbers = numbered(found.pixels, mask.shape)
    of_label = np.zeros(count + 1, int)  # scipy's order of numbers is another one at times
    of_label[labels] = numbers
    np.testing.assert_array_equal(of_label[labels][mask], numbers[mask])
    np.testing.assert_array_equal(found.area_px[of_label[1:]], np.bincount(labels[mask])[1:])
    for piece, (rows, columns) in zip(of_label[1:], ndimage.find_objects(labels), strict=True):
        left, top, width, height = found.boxes_px[piece]
        assert (rows, columns) == (slice(top, top + height), slice(left, left + width))


def numbered(pixels: tuple[np.ndarray, ...], shape: tuple[int, ...]) -> np.ndarray:
    """(H, W) the piece of each pixel, -1 for none."""
    row, column, number = pixels
    numbers = np.full(shape, -1)
    numbers[row, column] = number
    return numbers


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6))
def test_counting_choosing_and_writing(seed: int) -> None:
    mask, rng = some_mask(seed), np.random.default_rng(seed)
    found, other = find_pieces(mask), rng.random(mask.shape) < 0.4
    numbers = numbered(found.pixels, mask.shape)
    chosen = rng.random(len(found)) < rng.random()
    plain = np.append(chosen, False)[numbers]
    counts = np.bincount(numbers[other & mask], minlength=len(found))
    values = np.zeros(mask.shape, np.uint8)
    found.write(values, chosen, 3)
    np.testing.assert_array_equal(found.select(chosen), plain)
    np.testing.assert_array_equal(found.filter(chosen).count(mask), found.area_px * chosen)
    np.testing.assert_array_equal(found.count(other), counts)
    np.testing.assert_array_equal(values, 3 * plain)
    assert all(found.at(int(r), int(c)) == numbers[r, c] for r, c in np.argwhere(mask)[::17])
