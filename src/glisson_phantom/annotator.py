"""Outlines as people would draw them: smooth, a few µm off the truth, now and then wrong.

Two pathologists who outline the same tract agree to a Dice of about 0.9; an offset of 4 µm on
a tract of 150 µm gives that. The figures are design values, not measured on readers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import Polygon

_STEP_UM = 6.0


@dataclass(frozen=True)
class Annotator:
    """One reader's hand.

    Attributes:
        wobble_um: standard deviation of the outline's distance from the truth.
        wavelength_um: length over which the hand errs to one side.
        bias_um: mean distance outwards.
        smoothing_um: details smaller than this are cut off.
        least_area_um2: tracts below this are seen half of the time.
        misses: share of other tracts that the reader overlooks.
    """

    wobble_um: float = 3.0
    wavelength_um: float = 70.0
    bias_um: float = 0.0
    smoothing_um: float = 10.0
    least_area_um2: float = 1500.0
    misses: float = 0.01


FIRST_READER = Annotator()
SECOND_READER = Annotator(wobble_um=4.5, wavelength_um=90.0, bias_um=2.0, smoothing_um=14.0,
                          least_area_um2=3000.0, misses=0.05)  # fmt: skip


def annotate(
    outlines_um: list[Polygon], annotator: Annotator, seed: int
) -> list[tuple[int, Polygon]]:
    """Draw outlines by hand: (index of the true outline, outline), without overlooked tracts.

    Readers outline every portal area; contents decide which areas they count (`triad.py`).
    """
    rng = np.random.default_rng([seed, 0xA7])
    outlines = []
    for index, outline in enumerate(outlines_um):
        if _is_overlooked(outline, annotator, rng):
            continue
        by_hand = _draw_by_hand(outline, annotator, rng)
        if by_hand is not None:
            outlines.append((index, by_hand))
    return outlines


def _is_overlooked(outline: Polygon, annotator: Annotator, rng: np.random.Generator) -> bool:
    chance = 0.5 if outline.area < annotator.least_area_um2 else annotator.misses
    return bool(rng.random() < chance)


def _draw_by_hand(
    outline: Polygon, annotator: Annotator, rng: np.random.Generator
) -> Polygon | None:
    """Round the corners, fill the holes, then move the outline in and out along its length."""
    r = annotator.smoothing_um
    smooth = Polygon(outline.exterior).buffer(r).buffer(-2 * r).buffer(r)
    largest = _find_largest(smooth if not smooth.is_empty else Polygon(outline.exterior))
    if largest is None:
        return None
    ring = shapely.segmentize(largest.exterior.simplify(1.0), _STEP_UM)
    points = np.asarray(ring.coords)[:-1]
    edges = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    normal = np.stack([edges[:, 1], -edges[:, 0]], 1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    if not largest.exterior.is_ccw:
        normal = -normal
    moved = Polygon(points + normal * _draw_offsets(len(points), annotator, rng)[:, None])
    return _find_largest(moved if moved.is_valid else shapely.make_valid(moved))


def _draw_offsets(count: int, annotator: Annotator, rng: np.random.Generator) -> np.ndarray:
    """Draw offsets in µm along a closed outline, smooth over the hand's wavelength."""
    frequency = np.fft.rfftfreq(count, _STEP_UM)
    keep = np.exp(-0.5 * (frequency * annotator.wavelength_um) ** 2)
    offsets = np.fft.irfft(np.fft.rfft(rng.normal(0, 1, count)) * keep, count)
    return annotator.bias_um + annotator.wobble_um * offsets / (offsets.std() + 1e-9)


def _find_largest(geometry: shapely.Geometry) -> Polygon | None:
    parts = [p for p in shapely.get_parts(geometry) if isinstance(p, Polygon) and p.area > 0]
    return max(parts, key=lambda part: part.area) if parts else None
