"""Needle cores: gauges, bends, fragments and ribbons, as outlines and centrelines in µm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Gauge = Literal["14G", "15G", "16G", "17G", "18G", "19G", "transjugular"]
Shape = Literal["straight", "curved", "u"]

WIDTH_MM: Mapping[Gauge, tuple[float, float]] = {
    "14G": (0.9, 1.4), "15G": (0.85, 1.3), "16G": (0.8, 1.2), "17G": (0.7, 1.0),
    "18G": (0.55, 0.85), "19G": (0.45, 0.7), "transjugular": (0.35, 0.65),
}  # fmt: skip
"""Width of the tissue on the section; 14G is measured (Crawford, Hepatology 1998;28:323), the
others are design values below the needle's inner bore."""
FRAGMENTS: Mapping[Gauge, float] = {
    "14G": 1.6, "15G": 1.2, "16G": 1.0, "17G": 1.0, "18G": 1.2, "19G": 2.0, "transjugular": 3.0,
}  # fmt: skip
"""Mean number of breaks in a core."""

_STEP_UM = 60.0


@dataclass(frozen=True)
class Core:
    """One piece of tissue.

    Attributes:
        outline_um: (N, 2) closed outline, without repeating the first point.
        centreline_um: (M, 2) from tip to tip.
    """

    outline_um: Points
    centreline_um: Points

    @property
    def length_um(self) -> float:
        """Return the length along the centreline."""
        return float(np.hypot(*np.diff(self.centreline_um, axis=0).T).sum())

    def move(self, shift_um: Points) -> Core:
        """Return the piece elsewhere."""
        return Core(self.outline_um + shift_um, self.centreline_um + shift_um)


@dataclass(frozen=True)
class NeedlePass:
    """One pass of the needle.

    Attributes:
        length_um: summed length of the pieces.
        width_um: mean width.
        shape: course of the core.
        angle: initial direction in radians from x.
        breaks: wanted number of breaks; short cores have fewer.
    """

    length_um: float
    width_um: float
    shape: Shape = "straight"
    angle: float = 0.0
    breaks: int = 0


@dataclass(frozen=True)
class _Path:
    """Points of a centreline and the heading in radians at each point."""

    line_um: Points
    heading: Points


def draw_core(rng: np.random.Generator, needle: NeedlePass) -> list[Core]:
    """Draw one pass of the needle as pieces, from (0, 0) on."""
    shares = _draw_shares(rng, needle.breaks, needle.length_um)
    gaps_um = rng.uniform(80, 500, len(shares) - 1)
    path = _draw_path(rng, needle, needle.length_um + gaps_um.sum())
    cores, start_um = [], 0.0
    for share, gap_um in zip(shares, [*gaps_um, 0.0], strict=True):
        end_um = start_um + share * needle.length_um
        cores.append(_cut_piece(rng, path, start_um, end_um, needle.width_um))
        start_um = end_um + gap_um
    return cores


def _draw_shares(rng: np.random.Generator, breaks: int, length_um: float) -> Points:
    """Draw the pieces' shares of the length; no piece is shorter than half a millimetre."""
    most = max(0, min(breaks, int(length_um / 1200)))
    shares = rng.dirichlet([4.0] * (most + 1))
    shares = np.maximum(shares, 500.0 / length_um) if most else shares
    return np.asarray(shares / shares.sum())


def _draw_path(rng: np.random.Generator, needle: NeedlePass, length_um: float) -> _Path:
    """Draw points every 60 µm; no bend is tighter than the core is wide."""
    count = max(8, int(length_um / _STEP_UM) + 1)
    s = np.linspace(0, length_um, count)
    wander = {"straight": 0.04, "curved": 0.35, "u": 0.12}[needle.shape]
    waves = np.zeros(count)
    for period_um in (length_um * 1.7, length_um * 0.8, 3500.0):
        phase, size = rng.uniform(0, 2 * np.pi), rng.normal(0, wander)
        waves += size * min(1.0, period_um / 4000) * np.sin(2 * np.pi * s / period_um + phase)
    heading = needle.angle + waves - waves[0]
    if needle.shape == "u":
        turn_um = max(2.2 * needle.width_um, 1800.0) * np.pi / 2
        middle = length_um * rng.uniform(0.4, 0.6)
        side = 1 if rng.random() < 0.5 else -1
        heading = heading + side * np.pi * np.clip((s - middle) / turn_um + 0.5, 0, 1)
    step = s[1] - s[0]
    line = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1), axis=0) * step
    return _Path(line - line[0], heading)


def _cut_piece(
    rng: np.random.Generator, path: _Path, start_um: float, end_um: float, width_um: float
) -> Core:
    line = path.line_um
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    count = max(8, int((end_um - start_um) / _STEP_UM) + 1)
    s = np.linspace(start_um, end_um, count)
    centre = np.stack([np.interp(s, along, line[:, axis]) for axis in (0, 1)], 1)
    direction = np.interp(s, along, np.unwrap(path.heading))
    half = width_um / 2 * _draw_width(rng, s - start_um, end_um - start_um)
    normal = np.stack([-np.sin(direction), np.cos(direction)], 1)
    sides = centre + normal * half[:, None], (centre - normal * half[:, None])[::-1]
    return Core(np.concatenate(sides), centre)


def _draw_width(rng: np.random.Generator, s_um: Points, length_um: float) -> Points:
    """Draw the relative width: 8 to 15 % of slow variation, and round or square tips."""
    waves = np.zeros_like(s_um)
    for _ in range(3):
        period_um, phase = rng.uniform(1000, 4000), rng.uniform(0, 2 * np.pi)
        waves += rng.normal(0, 0.07) * np.sin(2 * np.pi * s_um / period_um + phase)
    first, last = rng.uniform(40, 400, 2)
    return (1 + np.clip(waves, -0.35, 0.35)) * np.sqrt(
        _taper(s_um, min(first, length_um / 3)) * _taper(length_um - s_um, min(last, length_um / 3))
    )


def _taper(distance_um: Points, taper_um: float) -> Points:
    t = np.clip(distance_um / taper_um, 0, 1)
    return np.asarray(np.clip(1 - (1 - t) ** 2, 0.01, 1))
