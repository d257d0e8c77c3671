"""Large vessels that shape tracts: wide portal veins in a thin rim, vessels near the hilum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glisson_phantom.plan.shapes import Points, Profile, draw_blob, draw_profile, rotate

WIDE_VEIN_SHARE = 0.06
LARGE_TRACT_SHARE = 0.006
THICK_ARTERY_SHARE = 0.04
"""Share of tracts in biopsies."""


def draw_wide_vein(rng: np.random.Generator, site_um: Points) -> Profile:
    """Draw a wide portal vein, mostly empty; two of five are cut lengthwise."""
    if rng.random() < 0.4:
        radius_um = float(rng.uniform(80, 260))
        short_um = float(rng.uniform(10, 40))
    else:
        radius_um = float(np.clip(rng.lognormal(np.log(50), 0.5), 22, 170))
        short_um = radius_um * float(rng.uniform(0.4, 1.0))
    wall_um = float(rng.uniform(4, 14) if rng.random() < 0.25 else rng.uniform(1.0, 3.0))
    share = min(short_um / radius_um, 1.0)
    vein = draw_profile(rng, site_um, radius_um, (share, share), min(wall_um, short_um * 0.35))
    return _empty_some(rng, vein)


def _empty_some(rng: np.random.Generator, vein: Profile) -> Profile:
    """Empty three of five veins of blood."""
    return replace(vein, filling=0.0) if rng.random() < 0.6 else vein


def draw_side(rng: np.random.Generator, vein: Profile) -> tuple[Points, float]:
    """Draw the place at a wide vein's long side where duct and artery run, and its radius."""
    radius_um = float(rng.uniform(16, 42))
    t = float(rng.choice([-1, 1])) * np.pi / 2 + rng.normal(0, 0.5)
    reach = rng.uniform(0.35, 0.9) * radius_um
    along = (vein.radius_um + reach) * np.cos(t)
    across = (vein.radius_um * vein.aspect + reach) * np.sin(t)
    return vein.centre_um + rotate(np.array(along), np.array(across), vein.angle), radius_um


def move_out(vein: Profile, spot_um: Points, room_um: float) -> Points:
    """Move a place inside a vein, or too close to it, to its outside."""
    offset = spot_um - vein.centre_um
    along, across = rotate(offset[0], offset[1], -vein.angle)
    long_um, short_um = vein.radius_um + room_um, vein.radius_um * vein.aspect + room_um
    reach = float(np.hypot(along / long_um, across / short_um))
    return spot_um if reach >= 1 else vein.centre_um + offset / max(reach, 1e-6)


def draw_rim(
    rng: np.random.Generator, vein: Profile, side_um: Points, side_radius_um: float
) -> tuple[Points, ...]:
    """Draw the narrow collagen rim of a wide vein, thicker where duct and artery run."""
    rim_um = float(np.clip(rng.lognormal(np.log(9), 0.5), 4, 30))
    side = draw_blob(rng, side_um, side_radius_um, rng.uniform(1.0, 2.0), vein.angle)
    return vein.polygon(rim_um), side


def draw_large_vein(rng: np.random.Generator, spot_um: Points, tract_um: float) -> Profile:
    """Draw a vein of a large tract, with a thin or a thick wall."""
    radius_um = tract_um * float(rng.uniform(0.12, 0.36))
    wall_um = float(rng.uniform(8, 45) if rng.random() < 0.5 else rng.uniform(1.5, 6))
    vein = draw_profile(rng, spot_um, radius_um, (0.4, 1.0), min(wall_um, radius_um * 0.35))
    return _empty_some(rng, vein)


def draw_thick_artery(rng: np.random.Generator, spot_um: Points, most_um: float) -> Profile:
    """Draw an artery with a thick concentric wall."""
    radius_um = float(rng.uniform(12, max(14.0, min(most_um, 75.0))))
    wall_um = radius_um * float(rng.uniform(0.35, 0.7))
    return draw_profile(rng, spot_um, radius_um, (0.55, 1.0), wall_um)
