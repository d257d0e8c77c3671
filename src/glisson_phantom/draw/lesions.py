"""Lesions of the lobule that look like tracts: foci, granulomas, collapse, capsule."""

from __future__ import annotations

import numpy as np

from glisson_phantom.draw import nuclei
from glisson_phantom.draw.inflammation import (
    PITCH_UM,
    draw_infiltrate,
    draw_inflammatory_cells,
    is_in_circle,
    select_near,
)
from glisson_phantom.draw.lobule import HEPATOCYTE_EOSIN, HEPATOCYTE_HAEMATOXYLIN, stamp_nuclei
from glisson_phantom.draw.section import Points, Section, smooth_step
from glisson_phantom.draw.stroma import draw_collagen
from glisson_phantom.features import Feature
from glisson_phantom.world import Field, polygon_cover, scatter

_MOST_CELLS_OF_A_FOCUS = 30
"""A focus of 80 µm as packed as an infiltrate would hold 80, and look like a tract."""


def draw_lesions(section: Section) -> None:
    """Draw the layout's lesions of the lobule."""
    _draw_collapse(section)
    _draw_capsule(section)
    _draw_foci(section)
    for circle in select_near(section, section.layout.lesions.granulomas_um):
        draw_granuloma(section, circle)
        section.mark(Feature.GRANULOMA, _cover_disc(section, circle) > 0.5)


def _cover_disc(section: Section, circle_um: Points) -> Field:
    """Return the cover of (x, y, radius) on the whole canvas, soft by 6 µm."""
    x_um, y_um = section.canvas.centres_um()
    distance = np.hypot(
        x_um[None] - np.float32(circle_um[0]), y_um[:, None] - np.float32(circle_um[1])
    )
    return smooth_step(np.float32(circle_um[2]) - distance, 6.0)


def _draw_foci(section: Section) -> None:
    """Draw clusters of 3 to 30 mononuclear cells, the classic false tract."""
    foci = select_near(section, section.layout.lesions.foci_um)
    if len(foci) == 0:
        return
    points = scatter(section.canvas, PITCH_UM, 0.9, 70)
    chance = np.zeros(len(points))
    for circle in foci:
        inside = is_in_circle(points, circle)
        filled = _MOST_CELLS_OF_A_FOCUS / max(int(inside.sum()), 1)
        chance[inside] = np.maximum(chance[inside], min(0.58, filled))
    _fade_foci(section, foci)
    draw_inflammatory_cells(section, points.keep(points.draw(2) < chance))


def _fade_foci(section: Section, foci: Points) -> None:
    """Fade the hepatocytes that foci kill, and mark foci as inflamed lobule."""
    for circle in foci:
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        ring = circle[:2] + 0.85 * circle[2] * np.stack([np.cos(angle), np.sin(angle)], 1)
        part, cover = polygon_cover(section.canvas, ring)
        if not cover.size:
            continue
        section.dyes.haematoxylin[part] *= 1 - np.float32(0.7) * cover
        section.dyes.eosin[part] *= 1 - np.float32(0.35) * cover
        section.mark(Feature.INFLAMED_LOBULE, cover > 0.5, part)


def draw_granuloma(section: Section, circle_um: Points) -> None:
    """Draw epithelioid cells in a pale pink disc, and lymphocytes at its rim."""
    section.dyes.cover(
        np.float32(0.92) * _cover_disc(section, circle_um),
        np.float32(0.82 * HEPATOCYTE_EOSIN) * (1 + np.float32(0.12) * section.noise(9, 71)),
        np.float32(0.9 * HEPATOCYTE_HAEMATOXYLIN),
    )
    points = scatter(section.canvas, 11.0, 0.9, 72)
    inner = points.keep(
        is_in_circle(points, circle_um * (1, 1, 0.9), 0.15) & (points.draw(2) < 0.85)
    )
    stamp_nuclei(section, nuclei.EPITHELIOID, inner, 0.65 + 0.25 * inner.draw(4))
    cuff = scatter(section.canvas, PITCH_UM, 0.8, 73)
    rim = is_in_circle(cuff, circle_um * (1, 1, 1.25), 0.2) & ~is_in_circle(
        cuff, circle_um * (1, 1, 0.85), 0.1
    )
    draw_inflammatory_cells(section, cuff.keep(rim & (cuff.draw(2) < 0.35)))


def _draw_collapse(section: Section) -> None:
    """Draw bridging necrosis: pale stroma, remnants of hepatocytes, macrophages, no ducts."""
    band = section.ground.collapse
    if float(band.max()) < -30:
        return
    remnants = np.clip(np.float32(0.7) + np.float32(0.4) * section.noise(45, 79), 0.2, 0.9)
    cover = remnants * smooth_step(band + 6 * section.noise(26, 74), 14.0)
    draw_collagen(section, cover, eosin=0.62, stream=75)
    draw_infiltrate(section, cover * np.float32(0.09) * (1 + 0.5 * section.noise(60, 76)), 77)
    brown = scatter(section.canvas, 16.0, 1.0, 78)
    brown = brown.keep((brown.draw(2) < 0.2) & (section.at(cover, brown.points_um) > 0.4))
    nuclei.stamp(section.dyes.brown, section.canvas, nuclei.PLUG, brown, 0.2 + 0.2 * brown.draw(3))
    section.mark(Feature.NECROSIS, cover > 0.35)


def _draw_capsule(section: Section) -> None:
    """Draw Glisson's capsule: dense collagen with few cells, of class lobule."""
    strip = section.ground.capsule
    if float(strip.max()) < -30:
        return
    cover = smooth_step(strip, 3.0)
    draw_collagen(section, cover, eosin=1.0, stream=80)
    points = scatter(section.canvas, 24.0, 1.0, 83)
    points = points.keep((section.at(cover, points.points_um) > 0.6) & (points.draw(2) < 0.5))
    stamp_nuclei(section, nuclei.SPINDLE, points, 0.7 + 0.4 * points.draw(3))
    section.mark(Feature.CAPSULE, (cover > 0.5) & (section.ground.portal <= 0))
