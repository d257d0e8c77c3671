"""Artefacts of a slide, planned in µm: pen, dust, folds, bubbles, padding, defocus."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glisson_phantom.plan.shapes import Points, unit_vector


@dataclass(frozen=True)
class Stroke:
    """A pen stroke or a fold: a polyline with a width.

    Attributes:
        line_um: (N, 2) µm.
        width_um: full width.
        transmission: RGB share of light that passes; not used for folds.
    """

    line_um: Points
    width_um: float
    transmission: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Blur:
    """A place out of focus.

    Attributes:
        circle_um: (3,) x, y, radius.
        sigma_um: blur, standard deviation.
    """

    circle_um: Points
    sigma_um: float


@dataclass(frozen=True)
class Artefacts:
    """The artefacts of one slide, or of one training tile.

    Attributes:
        pens: pen strokes.
        folds: folded bands.
        specks_um: (N, 3) dust: x, y, radius.
        bubbles_um: (N, 3) rings: x, y, radius.
        blurs: places out of focus.
        padding_um: unscanned rectangles (x, y, width, height).
        padding_rgb: colour of unscanned rectangles.
        chatter: relative contrast of thickness bands.
        chatter_um: period of the bands.
        chatter_angle: direction of the bands in radians.
    """

    pens: tuple[Stroke, ...] = ()
    folds: tuple[Stroke, ...] = ()
    specks_um: Points | None = None
    bubbles_um: Points | None = None
    blurs: tuple[Blur, ...] = ()
    padding_um: tuple[tuple[float, float, float, float], ...] = ()
    padding_rgb: tuple[int, int, int] = (0, 0, 0)
    chatter: float = 0.0
    chatter_um: float = 110.0
    chatter_angle: float = 0.0

    def defocus(self, sigma_um: float) -> Artefacts:
        """Add a blur that covers everything."""
        everywhere = Blur(np.array([0.0, 0.0, EVERYWHERE_UM]), sigma_um)
        return replace(self, blurs=(*self.blurs, everywhere))


PEN_INKS = (
    (0.25, 0.35, 0.75), (0.12, 0.12, 0.14), (0.15, 0.55, 0.35), (0.80, 0.15, 0.20),
    (0.15, 0.45, 0.80), (0.35, 0.75, 0.40),
)  # fmt: skip

EVERYWHERE_UM = 1e7


def draw_artefacts(
    rng: np.random.Generator, low_um: Points, high_um: Points, rate: float = 1.0
) -> Artefacts:
    """Draw the artefacts of a rectangle; `rate` scales their frequency (1: as on real slides)."""
    area_mm2 = float(np.prod(high_um - low_um)) * 1e-6

    def draw_count(chance: float, most: int = 2) -> int:
        return int(rng.integers(1, most + 1)) if rng.random() < chance * rate else 0

    return Artefacts(
        pens=tuple(_draw_pen(rng, low_um, high_um) for _ in range(draw_count(0.10))),
        folds=tuple(_draw_fold(rng, low_um, high_um) for _ in range(draw_count(0.20, 3))),
        specks_um=_draw_specks(rng, low_um, high_um, min(area_mm2 * 6, 400) * rate),
        bubbles_um=_draw_circles(rng, low_um, high_um, draw_count(0.08), (80, 900)),
        blurs=tuple(_draw_blur(rng, low_um, high_um) for _ in range(draw_count(0.25, 3))),
        chatter=float(rng.uniform(0.06, 0.18)) if rng.random() < 0.15 * rate else 0.0,
        chatter_um=float(rng.uniform(50, 200)),
        chatter_angle=float(rng.uniform(0, np.pi)),
    )


def _draw_pen(rng: np.random.Generator, low: Points, high: Points) -> Stroke:
    line = _draw_curve(rng, rng.uniform(low, high), rng.uniform(low, high), 0.15 * (high - low))
    ink = np.clip(np.array(PEN_INKS[rng.integers(len(PEN_INKS))]) + rng.normal(0, 0.05, 3), 0.03, 1)
    red, green, blue = ink ** rng.uniform(0.4, 1.2)
    return Stroke(line, float(rng.uniform(200, 1200)), (float(red), float(green), float(blue)))


def _draw_fold(rng: np.random.Generator, low: Points, high: Points) -> Stroke:
    start = rng.uniform(low, high)
    end = start + rng.uniform(200, 1200) * unit_vector(rng.uniform(0, 2 * np.pi))
    return Stroke(_draw_curve(rng, start, end, np.full(2, 40.0)), float(rng.uniform(20, 150)))


def _draw_curve(rng: np.random.Generator, start: Points, end: Points, spread: Points) -> Points:
    middle = (start + end) / 2 + rng.normal(0, 1, 2) * spread
    t = np.linspace(0, 1, 30)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end)


def _draw_blur(rng: np.random.Generator, low: Points, high: Points) -> Blur:
    radius = float(rng.uniform(200, 1500))
    sigma_um = float(np.clip(rng.lognormal(np.log(1.3), 0.5), 0.5, 4.0))
    return Blur(np.append(rng.uniform(low, high), radius), sigma_um)


def _draw_specks(rng: np.random.Generator, low: Points, high: Points, mean: float) -> Points:
    count = rng.poisson(mean)
    radius = np.clip(rng.lognormal(np.log(3), 0.8, count), 0.8, 25)
    return np.column_stack([rng.uniform(low, high, (count, 2)), radius])


def _draw_circles(
    rng: np.random.Generator, low: Points, high: Points, count: int, radius_um: tuple[float, float]
) -> Points:
    return np.column_stack([rng.uniform(low, high, (count, 2)), rng.uniform(*radius_um, count)])
