"""Find air bubbles: circles fitted to dark arcs, and confirmed along the whole rim."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.settings import ArtefactSettings
from glisson.masks.pieces import find_pieces
from glisson.tissue.tissue_map import Mask

_MOST_ARCS = 400
"""Arcs that are tried, the longest first: bounds the time on a slide full of dark lines."""
_FIT_PX = 1.5
"""Greatest mean distance of an arc's pixels from its circle, in pixels."""
_POINTS = 360
"""Points on a circle: one per degree, 17 µm or four grid pixels apart on the largest circle."""
_SAME = 0.15
"""Circles whose centres lie within this share of a radius are the same bubble."""


@dataclass(frozen=True)
class Circle:
    """A circle in grid pixels."""

    x_px: float
    y_px: float
    radius_px: float


def find_bubbles(
    rim: Mask, visible: Mask, mpp: float, settings: ArtefactSettings
) -> tuple[Circle, ...]:
    """Find the circles that show a rim along most of their visible part.

    Args:
        rim: (H, W) thin, dark and grey pixels.
        visible: (H, W) pixels that could show a rim.
        mpp: µm per grid pixel.
        settings: thresholds.
    """
    found: list[tuple[float, Circle]] = []
    low, high = settings.bubble_radius_um
    for x, y in _find_arcs(rim, mpp, settings):
        circle = _fit_circle(x, y)
        if circle is not None and low <= circle.radius_px * mpp <= high:
            share = _measure_rim_share(circle, rim, visible)
            if share >= settings.rim_share:
                found.append((share, circle))
    bubbles: list[Circle] = []
    for _, circle in sorted(found, key=lambda pair: -pair[0]):
        if not any(
            np.hypot(circle.x_px - other.x_px, circle.y_px - other.y_px)
            <= _SAME * max(circle.radius_px, other.radius_px)
            for other in bubbles
        ):
            bubbles.append(circle)
    return tuple(bubbles)


def draw_rims(circles: tuple[Circle, ...], shape: tuple[int, ...], width_px: float) -> Mask:
    """Draw the rims of circles as an (H, W) mask."""
    return _draw(circles, shape, lambda far, radius: np.asarray(np.abs(far - radius) <= width_px))


def draw_discs(circles: tuple[Circle, ...], shape: tuple[int, ...]) -> Mask:
    """Draw circles with their inside as an (H, W) mask."""
    return _draw(circles, shape, lambda far, radius: np.asarray(far <= radius))


def _draw(
    circles: tuple[Circle, ...],
    shape: tuple[int, ...],
    chosen: Callable[[NDArray[np.float64], float], Mask],
) -> Mask:
    mask = np.zeros(shape, bool)
    for circle in circles:
        reach = circle.radius_px + 10
        top, left = max(0, int(circle.y_px - reach)), max(0, int(circle.x_px - reach))
        part = mask[top : int(circle.y_px + reach) + 1, left : int(circle.x_px + reach) + 1]
        y, x = np.mgrid[: part.shape[0], : part.shape[1]]
        far = np.hypot(x + left + 0.5 - circle.x_px, y + top + 0.5 - circle.y_px)
        part |= chosen(far, circle.radius_px)
    return mask


def _find_arcs(
    rim: Mask, mpp: float, settings: ArtefactSettings
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Yield (P,) x and y of the pixels of every long piece of rim, the longest first."""
    found = find_pieces(rim)
    length_um = np.hypot(*found.boxes_px[:, 2:].T) * mpp
    longest = np.argsort(-length_um, kind="stable")[:_MOST_ARCS]
    longest = longest[length_um[longest] >= settings.arc_um]
    y, x, number = found.filter(np.isin(np.arange(len(found)), longest)).pixels
    order = np.argsort(number, kind="stable")
    first, last = (np.searchsorted(number[order], longest, side) for side in ("left", "right"))
    for start, stop in zip(first, last, strict=True):
        part = order[start:stop]
        yield x[part].astype(np.float64) + 0.5, y[part].astype(np.float64) + 0.5


def _fit_circle(x: NDArray[np.float64], y: NDArray[np.float64]) -> Circle | None:
    """Fit a circle by least squares (Kåsa); return None if the pixels lie on no circle."""
    centre_x, centre_y = x.mean(), y.mean()
    u, v = x - centre_x, y - centre_y
    system = np.column_stack([2 * u, 2 * v, np.ones_like(u)])
    (a, b, c), *_ = np.linalg.lstsq(system, u**2 + v**2, rcond=None)
    radius = float(np.sqrt(max(c + a * a + b * b, 0)))
    away = np.abs(np.hypot(u - a, v - b) - radius)
    if float(away.mean()) > _FIT_PX:
        return None
    return Circle(float(a + centre_x), float(b + centre_y), radius)


def _measure_rim_share(circle: Circle, rim: Mask, visible: Mask) -> float:
    """Measure the share of a circle's visible points with rim within two pixels."""
    angle = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    seen, known = np.zeros(_POINTS, bool), np.zeros(_POINTS, bool)
    for off in (-2, -1, 0, 1, 2):
        x = np.floor(circle.x_px + (circle.radius_px + off) * np.cos(angle)).astype(int)
        y = np.floor(circle.y_px + (circle.radius_px + off) * np.sin(angle)).astype(int)
        inside = (x >= 0) & (y >= 0) & (x < rim.shape[1]) & (y < rim.shape[0])
        x, y = np.clip(x, 0, rim.shape[1] - 1), np.clip(y, 0, rim.shape[0] - 1)
        seen |= inside & rim[y, x]
        known |= inside & visible[y, x]
    return float(seen.sum() / max(known.sum(), _POINTS / 4))
