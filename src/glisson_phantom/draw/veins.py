"""Central and sublobular veins, which models confuse with tracts most often."""

from __future__ import annotations

import numpy as np

from glisson_phantom.draw.inflammation import draw_infiltrate
from glisson_phantom.draw.section import Section, smooth_step
from glisson_phantom.draw.stroma import draw_collagen, draw_spindle_nuclei
from glisson_phantom.draw.tubes import draw_vessel
from glisson_phantom.features import Feature
from glisson_phantom.plan.layout import CentralVein
from glisson_phantom.world import Field, polygon_cover

_WALL_EOSIN = 0.20
_CLEAR_UM = 60.0
"""Least distance from the centre of a large vein to a tract."""


def draw_central_veins(section: Section) -> None:
    """Draw veins outside tracts, some with scars and inflammation."""
    veins = [v for v in section.layout.central_veins if _is_shown(section, v)]
    if not veins:
        return
    _draw_scars(section, veins)
    _draw_perivenulitis(section)
    for vein in veins:
        part, cover = draw_vessel(section, vein.profile, _WALL_EOSIN, -section.ground.portal)
        kind = Feature.SUBLOBULAR_VEIN if vein.sublobular else Feature.CENTRAL_VEIN
        if cover.size:
            section.mark(kind, cover > 0.5, part)


def _is_shown(section: Section, vein: CentralVein) -> bool:
    """Return whether a vein is near the canvas and outside tracts and septa."""
    if not section.canvas.touches(vein.profile.polygon(), 80):
        return False
    spot = vein.profile.centre_um[None]
    clear_um = min(vein.profile.radius_um, _CLEAR_UM)
    return bool(section.at(section.ground.portal, spot)[0] <= -clear_um)


def _draw_scars(section: Section, veins: list[CentralVein]) -> None:
    scarred = [v for v in veins if v.scar_um > 0]
    if not scarred:
        return
    cover = np.zeros(section.canvas.shape, np.float32)
    for vein in scarred:
        part, disc = polygon_cover(section.canvas, vein.profile.polygon(vein.scar_um))
        if disc.size:
            cover[part] = np.maximum(cover[part], disc)
    cover = _feather(section, cover)
    draw_spindle_nuclei(section, cover, draw_collagen(section, cover, stream=90))
    section.mark(Feature.PERIVENULAR_SCAR, cover > 0.5)


def _feather(section: Section, cover: Field) -> Field:
    """Send rays of a scar between hepatocytes, and clear the scar inside tracts."""
    ragged = cover + np.float32(0.22) * section.noise(22, 98) * (cover > 0.02)
    outside = 1 - smooth_step(section.ground.portal, 4.0)
    return np.clip((ragged - np.float32(0.35)) * np.float32(2.5), 0, 1) * outside


def _draw_perivenulitis(section: Section) -> None:
    amount = section.disease.perivenulitis
    if amount < 0.15:
        return
    ring = np.exp(np.minimum(section.ground.central, 0) / np.float32(22.0))
    ring *= section.ground.central > -75
    uneven = np.clip(np.float32(0.5) + np.float32(0.6) * section.noise(160, 99), 0, 1)
    density = np.float32(0.55 * amount) * ring * uneven
    draw_infiltrate(section, density, 100)
    section.mark(Feature.INFLAMED_LOBULE, (density > 0.15) & (section.ground.portal <= 0))
