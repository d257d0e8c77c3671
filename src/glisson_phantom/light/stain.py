"""Colour of dye concentrations: Beer-Lambert over the glass's own colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson_phantom.draw.section import Dyes
from glisson_phantom.plan.preparation import Stain
from glisson_phantom.world import Canvas, Field, noise

RED_CELL_OD = (0.10, 0.41, 0.255)
BROWN_OD = (0.60, 1.0, 1.0)
BILE_OD = (0.45, 0.50, 1.0)
"""Optical densities: red cells as measured on real liver slides; pigments as hue only."""
_SATURATION = 1.25


def colour(canvas: Canvas, dyes: Dyes, stain: Stain, thickness: float = 0.08) -> Field:
    """Colour a canvas: (H, W, 3) float32 RGB, 0 to 255.

    Args:
        canvas: grid of the dyes.
        dyes: concentrations.
        stain: dye vectors, strengths and glass.
        thickness: relative standard deviation of the section's thickness.
    """
    section = cv2.exp(
        np.float32(thickness)
        * (noise(canvas, 900, 130) + np.float32(0.6) * noise(canvas, 200, 131))
    )
    haematoxylin = _SATURATION * np.tanh(dyes.haematoxylin * np.float32(1 / _SATURATION))
    layers = cv2.merge([dyes.eosin, haematoxylin.astype(np.float32), dyes.red_cells, dyes.brown])
    layers = cv2.transform(layers * section[..., None], _absorption_matrix(stain))
    if dyes.bile.any():
        layers -= dyes.bile[..., None] * (np.log(10) * np.array(BILE_OD, np.float32))
    return cv2.exp(layers) * np.asarray(stain.background_rgb, np.float32)


def _absorption_matrix(stain: Stain) -> NDArray[np.float32]:
    """Return the (3, 4) matrix from dyes to the natural logarithm of transmission."""
    blood = 0.5 + 0.5 * stain.eosin_strength
    columns = [
        np.array(stain.eosin) * stain.eosin_strength,
        np.array(stain.haematoxylin) * stain.haematoxylin_strength,
        np.array(RED_CELL_OD) * blood,
        np.array(BROWN_OD),
    ]
    return (-np.log(10) * np.stack(columns, axis=1)).astype(np.float32)
