"""Confluent and bridging necrosis of hepatocytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glisson_phantom.draw.cells import Cells
from glisson_phantom.draw.section import Section


def find_necrosis(section: Section, cells: Cells) -> NDArray[np.float64]:
    """Return (N,) 0 intact to 1 dead: round central veins, and in bands of collapse."""
    reach_um = 190 * section.disease.necrosis
    uneven = 45 * (cells.scatter.draw(30) - 0.5)
    around_veins = np.clip((reach_um - cells.vein_um + uneven) / 30, 0, 1)
    if reach_um < 30:
        around_veins = np.zeros_like(around_veins)
    bands = section.at(section.ground.collapse, cells.scatter.points_um)
    return np.maximum(around_veins, np.clip(bands / 20 + 0.5, 0, 1))
