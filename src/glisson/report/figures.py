"""The cohort's figures as geometry; the templates draw them as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from glisson.measure import STANDARDS

_LINES = ("rcpath_minimum", "aasld_2009")
_NAME_LETTERS = 20


@dataclass(frozen=True)
class Bar:
    """A slide's bar: its name, shortened name, value as text, place and width in px."""

    name: str
    short: str
    value: str
    y_px: float
    width_px: float


@dataclass(frozen=True)
class Bars:
    """A bar chart, 480 px wide; bars begin at 160 px."""

    bars: tuple[Bar, ...]
    height_px: int


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, and its label."""

    at_px: float
    label: str


@dataclass(frozen=True)
class Corner:
    """A standard's least length and count, drawn as a corner that opens up and right."""

    title: str
    x_px: float
    y_px: float


@dataclass(frozen=True)
class Point:
    """A slide in the scatter plot."""

    name: str
    says: str
    x_px: float
    y_px: float


@dataclass(frozen=True)
class Scatter:
    """A scatter plot of 480 x 400 px; its axes cross at (50, 350)."""

    points: tuple[Point, ...]
    corners: tuple[Corner, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


BAR_PX = 24
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 50, 465, 20, 350


def portal_bars(slides: Sequence[tuple[str, float]]) -> Bars:
    """Portal percent of each slide, in the order given."""
    most = max((percent for _, percent in slides), default=0.0) or 1.0
    bars = tuple(
        Bar(name, _short(name), f"{percent:.1f} %", 8 + BAR_PX * k, 240 * percent / most)
        for k, (name, percent) in enumerate(slides)
    )
    return Bars(bars, 16 + BAR_PX * len(bars))


def tract_scatter(slides: Sequence[tuple[str, float, float]]) -> Scatter:
    """Tracts against length in mm, both per section, with what two standards ask."""
    needs = [standard for standard in STANDARDS if standard.key in _LINES]
    most_mm = _round_up(max([25.0, *(length for _, length, _ in slides)]))
    most_tracts = _round_up(max([14.0, *(tracts for *_, tracts in slides)]))

    def x(length_mm: float) -> float:
        return LEFT_PX + (RIGHT_PX - LEFT_PX) * length_mm / most_mm

    def y(tracts: float) -> float:
        return BOTTOM_PX - (BOTTOM_PX - TOP_PX) * tracts / most_tracts

    return Scatter(
        points=tuple(
            Point(name, f"{length:.1f} mm, {tracts:g} tracts", x(length), y(tracts))
            for name, length, tracts in slides
        ),
        corners=tuple(
            Corner(
                f"{each.title}: {each.needs.length_mm:g} mm, {each.needs.tracts} tracts",
                x(each.needs.length_mm or 0),
                y(each.needs.tracts or 0),
            )
            for each in needs
        ),
        x_ticks=tuple(Tick(x(v), f"{v:g}") for v in _ticks(most_mm)),
        y_ticks=tuple(Tick(y(v), f"{v:g}") for v in _ticks(most_tracts)),
    )


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LETTERS else name[: _NAME_LETTERS - 1] + "…"


def _round_up(value: float) -> float:
    return 5.0 * math.ceil(value / 5)


def _ticks(most: float) -> list[float]:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 500, 5000) if most / s <= 8)
    return [float(v) for v in range(0, int(most) + 1, step)]
