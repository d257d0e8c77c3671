"""What goes wrong on a slide, planned in µm: pen, dust, folds, bubbles, padding, defocus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glisson_phantom.plan.shapes import Points, turn


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
        padding_um: rectangles (x, y, width, height) without a scan.
        padding_rgb: their colour.
        chatter: relative contrast of thickness bands.
        chatter_um: their period.
        chatter_angle: their direction in radians.
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


PEN_INKS = (
    (0.25, 0.35, 0.75), (0.12, 0.12, 0.14), (0.15, 0.55, 0.35), (0.80, 0.15, 0.20),
    (0.15, 0.45, 0.80), (0.35, 0.75, 0.40),
)  # fmt: skip

EVERYWHERE_UM = 1e7


def draw_artefacts(
    rng: np.random.Generator, low_um: Points, high_um: Points, rate: float = 1.0
) -> Artefacts:
    """Random artefacts in a rectangle; `rate` scales how common they are (1: as on real slides)."""
    area_mm2 = float(np.prod(high_um - low_um)) * 1e-6

    def some(chance: float, most: int = 2) -> int:
        return int(rng.integers(1, most + 1)) if rng.random() < chance * rate else 0

    return Artefacts(
        pens=tuple(_pen(rng, low_um, high_um) for _ in range(some(0.10))),
        folds=tuple(_fold(rng, low_um, high_um) for _ in range(some(0.20, 3))),
        specks_um=_specks(rng, low_um, high_um, min(area_mm2 * 6, 400) * rate),
        bubbles_um=_circles(rng, low_um, high_um, some(0.08), (80, 900)),
        blurs=tuple(_blur(rng, low_um, high_um) for _ in range(some(0.25, 3))),
        chatter=float(rng.uniform(0.06, 0.18)) if rng.random() < 0.15 * rate else 0.0,
        chatter_um=float(rng.uniform(50, 200)),
        chatter_angle=float(rng.uniform(0, np.pi)),
    )


def out_of_focus(artefacts_blurs: tuple[Blur, ...], sigma_um: float) -> tuple[Blur, ...]:
    """The same blurs and one that covers everything."""
    return (*artefacts_blurs, Blur(np.array([0.0, 0.0, EVERYWHERE_UM]), sigma_um))


def _pen(rng: np.random.Generator, low: Points, high: Points) -> Stroke:
    line = _curve(rng, rng.uniform(low, high), rng.uniform(low, high), 0.15 * (high - low))
    ink = np.clip(np.array(PEN_INKS[rng.integers(len(PEN_INKS))]) + rng.normal(0, 0.05, 3), 0.03, 1)
    red, green, blue = ink ** rng.uniform(0.4, 1.2)
    return Stroke(line, float(rng.uniform(200, 1200)), (float(red), float(green), float(blue)))


def _fold(rng: np.random.Generator, low: Points, high: Points) -> Stroke:
    start = rng.uniform(low, high)
    end = start + rng.uniform(200, 1200) * turn(rng.uniform(0, 2 * np.pi))
    return Stroke(_curve(rng, start, end, np.full(2, 40.0)), float(rng.uniform(20, 150)))


def _curve(rng: np.random.Generator, start: Points, end: Points, spread: Points) -> Points:
    middle = (start + end) / 2 + rng.normal(0, 1, 2) * spread
    t = np.linspace(0, 1, 30)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end)


def _blur(rng: np.random.Generator, low: Points, high: Points) -> Blur:
    radius = float(rng.uniform(200, 1500))
    sigma_um = float(np.clip(rng.lognormal(np.log(1.3), 0.5), 0.5, 4.0))
    return Blur(np.append(rng.uniform(low, high), radius), sigma_um)


def _specks(rng: np.random.Generator, low: Points, high: Points, mean: float) -> Points:
    count = rng.poisson(mean)
    radius = np.clip(rng.lognormal(np.log(3), 0.8, count), 0.8, 25)
    return np.column_stack([rng.uniform(low, high, (count, 2)), radius])


def _circles(
    rng: np.random.Generator, low: Points, high: Points, count: int, radius_um: tuple[float, float]
) -> Points:
    return np.column_stack([rng.uniform(low, high, (count, 2)), rng.uniform(*radius_um, count)])
