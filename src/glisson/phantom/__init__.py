"""Synthetic liver biopsies with exact ground truth.

A biopsy is planned in vectors (`layout`), drawn as dye concentrations (`render`), coloured
(`stain`), soiled (`glass`) and scanned (`scanner`).
"""

from __future__ import annotations

from glisson.phantom.biopsy import PhantomBiopsy, PhantomSettings, plan_biopsy
from glisson.phantom.slide import PhantomTruth, write_phantom
from glisson.phantom.tile import Tile, reduced, render_tile

__all__ = [
    "PhantomBiopsy",
    "PhantomSettings",
    "PhantomTruth",
    "Tile",
    "plan_biopsy",
    "reduced",
    "render_tile",
    "write_phantom",
]
