"""Dye concentrations to colour: Beer-Lambert over the glass's own colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glisson.phantom.canvas import Canvas, Field, noise
from glisson.phantom.render import Dyes
from glisson.phantom.style import Stain

RED_CELL_OD = (0.10, 0.41, 0.255)
PIGMENT_OD = (0.60, 1.0, 1.0)
"""Optical densities measured on real liver slides; pigment as hue only."""


def colour(canvas: Canvas, dyes: Dyes, stain: Stain, thickness: float = 0.08) -> Field:
    """(H, W, 3) float32 RGB, 0 to 255.

    Args:
        canvas: grid of the dyes.
        dyes: concentrations.
        stain: dye vectors, strengths and glass.
        thickness: relative standard deviation of the section's thickness.
    """
    section = np.exp(thickness * (noise(canvas, 900, 80) + 0.5 * noise(canvas, 200, 81)))
    haematoxylin = 1.25 * np.tanh(dyes.haematoxylin / 1.25) * stain.haematoxylin_strength
    eosin = dyes.eosin * stain.eosin_strength
    density = np.empty((*canvas.shape, 3), np.float32)
    blood_strength = 0.5 + 0.5 * stain.eosin_strength
    for k in range(3):
        density[..., k] = haematoxylin * stain.haematoxylin[k] + eosin * stain.eosin[k]
        density[..., k] += dyes.red_cells * (RED_CELL_OD[k] * blood_strength)
        density[..., k] += dyes.pigment * PIGMENT_OD[k]
    density *= section[..., None]
    background = np.asarray(stain.background_rgb, np.float32)
    return np.asarray(background * np.exp(-np.log(10) * density), dtype=np.float32)


def as_bytes(rgb: Field) -> NDArray[np.uint8]:
    """Rounded and clipped to uint8."""
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
