"""The cohort's figures as geometry; the templates draw them as inline SVG."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from glisson.measurement import STANDARDS, BiopsyMeasurements, heading_of

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

    title: str
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
    """A scatter plot of 480 x 400 px against length in mm; its axes cross at (50, 350)."""

    title: str
    y_label: str
    caption: str
    points: tuple[Point, ...]
    corners: tuple[Corner, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


MOST_BARS = 40
"""Slides up to which each has a bar: they fill a page of paper."""
BAR_PX = 24
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 50, 465, 20, 350


def portal_bars(slides: Sequence[tuple[str, float]]) -> Bars:
    """Lay out portal percent of each slide, in the order given; of many slides a histogram."""
    title = heading_of(BiopsyMeasurements, "portal_percent")
    values = [(name, percent, f"{percent:.1f} %") for name, percent in slides]
    if len(slides) > MOST_BARS:
        title = f"Slides by {title}"
        most_percent = max(percent for _, percent in slides)
        width = next(w for w in (1, 2, 5, 10) if most_percent / w < 12)
        counts = Counter(int(percent // width) for _, percent in slides)
        values = [
            (f"{width * k} to {width * (k + 1)} %", counts[k], str(counts[k]))
            for k in range(max(counts) + 1)
        ]
    most = max((value for _, value, _ in values), default=0.0) or 1.0
    bars = []
    for k, (name, value, text) in enumerate(values):
        short = name if len(name) <= _NAME_LETTERS else name[: _NAME_LETTERS - 1] + "…"
        bars.append(Bar(name, short, text, 8 + BAR_PX * k, 240 * value / most))
    return Bars(title, tuple(bars), 16 + BAR_PX * len(bars))


def tract_scatter(slides: Sequence[tuple[str, float, float]]) -> Scatter:
    """Tracts against length in mm, both per section, with what two standards ask."""
    axes = _Axes.over([25.0, *(mm for _, mm, _ in slides)], [14.0, *(n for *_, n in slides)])
    needs = [standard for standard in STANDARDS if standard.key in _LINES]
    corners = tuple(
        Corner(
            f"{each.title}: {each.needs.length_mm:g} mm, {each.needs.tracts} tracts",
            axes.x(each.needs.length_mm or 0),
            axes.y(each.needs.tracts or 0),
        )
        for each in needs
    )
    says = [(name, mm, tracts, f"{tracts:g} tracts") for name, mm, tracts in slides]
    return axes.scatter(
        "Portal tracts against length, in one section", "portal tracts", _TRACTS, says, corners
    )


def tissue_scatter(slides: Sequence[tuple[str, float, float]]) -> Scatter:
    """Tissue area in mm² against length in mm, all sections together."""
    axes = _Axes.over([mm for _, mm, _ in slides], [mm2 for *_, mm2 in slides])
    says = [(name, mm, mm2, f"{mm2:.2f} mm²") for name, mm, mm2 in slides]
    return axes.scatter(
        "Tissue area against length",
        heading_of(BiopsyMeasurements, "tissue_area_mm2"),
        _TISSUE,
        says,
        (),
    )


_TRACTS = (
    "Dashed: the least that each standard asks; above and right of a corner a biopsy is long "
    "enough and has enough tracts. AASLD asks for complete tracts; all are shown. Slides whose "
    "tracts cannot be counted are not shown."
)
_TISSUE = "Far above the others: broad or broken tissue, or glass taken for tissue."


@dataclass(frozen=True)
class _Axes:
    """Where the axes of a scatter plot end, from 0."""

    most_mm: float
    most: float

    @classmethod
    def over(cls, lengths_mm: Sequence[float], values: Sequence[float]) -> _Axes:
        return cls(_round_up(max(lengths_mm)), _round_up(max(values)))

    def x(self, length_mm: float) -> float:
        return LEFT_PX + (RIGHT_PX - LEFT_PX) * length_mm / self.most_mm

    def y(self, value: float) -> float:
        return BOTTOM_PX - (BOTTOM_PX - TOP_PX) * value / self.most

    def scatter(
        self,
        title: str,
        y_label: str,
        caption: str,
        slides: Sequence[tuple[str, float, float, str]],
        corners: tuple[Corner, ...],
    ) -> Scatter:
        points = (
            Point(name, f"{mm:.1f} mm, {says}", self.x(mm), self.y(value))
            for name, mm, value, says in slides
        )
        return Scatter(
            title,
            y_label,
            caption,
            tuple(points),
            corners,
            tuple(Tick(self.x(v), f"{v:g}") for v in _ticks(self.most_mm)),
            tuple(Tick(self.y(v), f"{v:g}") for v in _ticks(self.most)),
        )


def _round_up(value: float) -> float:
    return 5.0 * max(1, math.ceil(value / 5))


def _ticks(most: float) -> list[float]:
    step = next(s * 10**k for k in range(9) for s in (1, 2, 5) if most / (s * 10**k) <= 8)
    return [float(v) for v in range(0, int(most) + 1, step)]
