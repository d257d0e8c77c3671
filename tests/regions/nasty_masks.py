"""Masks that break tracers, by name; everything in this folder runs over all of them."""

from __future__ import annotations

import numpy as np

Mask = np.ndarray


def _empty() -> Mask:
    return np.zeros((60, 80), bool)


def _boxes(*boxes: tuple[int, int, int, int]) -> Mask:
    mask = _empty()
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def _disc(radius: float, size: int = 80) -> Mask:
    y, x = np.mgrid[:size, :size] + 0.5
    return np.hypot(x - size / 2, y - size / 2) < radius


def _ring() -> Mask:
    return _disc(30) & ~_disc(14)


def _island_in_hole() -> Mask:
    return _ring() | _disc(6)


def _blobs() -> Mask:
    rng = np.random.default_rng(5)
    return rng.random((70, 90)) < 0.55


NASTY = {
    "empty": _empty(),
    "one pixel": _boxes((10, 10, 11, 11)),
    "one line": _boxes((10, 10, 11, 60)),
    "corner touching": _boxes((10, 10, 20, 20), (20, 20, 30, 30)),
    "corner touching hole": _boxes((5, 5, 50, 70)) & ~_boxes((10, 10, 20, 20), (20, 20, 30, 30)),
    "square with hole": _boxes((10, 10, 20, 20)) & ~_boxes((13, 13, 17, 17)),
    "hole touching edge": _boxes((10, 10, 30, 30)) & ~_boxes((10, 15, 20, 20)),
    "septum of 8 px": _boxes((20, 0, 28, 80)),
    "full": np.ones((60, 80), bool),
    "at the border": _boxes((0, 0, 12, 12), (50, 70, 60, 80)),
    "disc": _disc(25),
    "ring": _ring(),
    "island in a hole": _island_in_hole(),
    "speckle": _blobs(),
    "comb": _boxes((0, 0, 60, 3), *[(3 * k, 3, 3 * k + 1, 70) for k in range(20)]),
}
