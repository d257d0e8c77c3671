"""Outlines of anatomy: blobs, thickened lines and the cross-sections of tubes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """The cross-section of a vessel or duct: an ellipse with a wall.

    Attributes:
        x_um: centre.
        y_um: centre.
        radius_um: long half-axis of the outer wall.
        aspect: short over long axis.
        angle: radians.
        wall_um: wall thickness.
        filling: 0 empty to 1 full of red cells.
    """

    x_um: float
    y_um: float
    radius_um: float
    aspect: float
    angle: float
    wall_um: float
    filling: float

    @property
    def centre_um(self) -> Points:
        """Return (2,) x and y."""
        return np.array([self.x_um, self.y_um])

    def polygon(self, grow_um: float = 0.0) -> Points:
        """Return the outline, (48, 2) µm, uneven by a few per cent."""
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        uneven = 1 + 0.06 * np.cos(2 * t + self.x_um) + 0.05 * np.cos(3 * t + self.y_um)
        long_um = max(self.radius_um + grow_um, 0.3)
        short_um = max(self.radius_um * self.aspect + grow_um, 0.3)
        offset = rotate(long_um * np.cos(t) * uneven, short_um * np.sin(t) * uneven, self.angle)
        return self.centre_um + offset

    def move(self, shift_um: Points, scale: float = 1.0) -> Profile:
        """Return the profile elsewhere, `scale` times as large."""
        x, y = self.centre_um + shift_um
        return replace(self, x_um=float(x), y_um=float(y), radius_um=self.radius_um * scale)


def draw_profile(
    rng: np.random.Generator,
    spot_um: Points,
    radius_um: float,
    aspect: tuple[float, float],
    wall_um: float,
) -> Profile:
    """Draw a profile at a place, with a random angle and filling."""
    return Profile(
        float(spot_um[0]),
        float(spot_um[1]),
        float(radius_um),
        float(rng.uniform(*aspect)),
        float(rng.uniform(0, np.pi)),
        float(wall_um),
        float(np.clip(rng.normal(0.35, 0.4), 0, 1)),
    )


def rotate(along: Points, across: Points, angle: float) -> Points:
    """Turn coordinates along and across a direction into (N, 2) x and y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([along * c - across * s, along * s + across * c], -1)


def draw_blob(
    rng: np.random.Generator, site_um: Points, radius_um: float, aspect: float, angle: float
) -> Points:
    """Draw a rounded outline with lobes, (72, 2) µm; its area is about pi * radius²."""
    t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    wobble = sum(
        rng.normal(0, 0.16 / k) * np.cos(k * t + rng.uniform(0, 2 * np.pi)) for k in range(2, 7)
    )
    radius = radius_um * np.clip(1 + wobble, 0.45, 1.7)
    stretch = np.sqrt(aspect)
    return site_um + rotate(radius * np.cos(t) * stretch, radius * np.sin(t) / stretch, angle)


def thicken_line(line_um: Points, half_start_um: float, half_end_um: float) -> Points:
    """Smooth and thicken a polyline, with half widths that change from start to end."""
    t = np.linspace(0, 1, 24)
    knots = np.linspace(0, 1, len(line_um))
    path = np.stack([np.interp(t, knots, line_um[:, k]) for k in (0, 1)], 1)
    for _ in range(3):
        path[1:-1] = (path[:-2] + 2 * path[1:-1] + path[2:]) / 4
    direction = np.gradient(path, axis=0)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9
    normal = np.stack([-direction[:, 1], direction[:, 0]], 1)
    half = np.linspace(half_start_um, half_end_um, len(t))[:, None]
    return np.concatenate([path + normal * half, (path - normal * half)[::-1]])


def unit_vector(angle: float) -> Points:
    """Return the (2,) unit vector at `angle` radians from x."""
    return np.array([np.cos(angle), np.sin(angle)])
