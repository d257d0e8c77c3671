"""Portal tracts and septa: stroma, infiltrate, vessels and ducts."""

from __future__ import annotations

import numpy as np

from glisson_phantom.draw.inflammation import (
    PITCH_UM,
    draw_infiltrate,
    draw_inflammatory_cells,
    is_in_circle,
)
from glisson_phantom.draw.lesions import draw_granuloma
from glisson_phantom.draw.section import Points, Section
from glisson_phantom.draw.stroma import draw_collagen, draw_spindle_nuclei
from glisson_phantom.draw.stroma_map import StromaMap, map_stroma
from glisson_phantom.draw.tubes import draw_duct, draw_onion_skin, draw_vessel
from glisson_phantom.plan.tracts import Tract
from glisson_phantom.world import Field, scatter

_ARTERY_EOSIN = 0.25
_VEIN_EOSIN = 0.17


def draw_portal(section: Section) -> None:
    """Draw connective tissue over the lobule, with its cells, vessels and ducts."""
    if float(section.ground.portal.max()) < -60:
        return
    stroma = map_stroma(section)
    cover = _cover_stroma(section, stroma)
    along = draw_collagen(section, cover, stroma=stroma)
    draw_spindle_nuclei(section, cover, along, stroma)
    tracts = [
        tract
        for tract in section.layout.tracts
        if any(section.canvas.touches(polygon, 60) for polygon in tract.polygons_um)
    ]
    for tract in tracts:
        _draw_under_the_infiltrate(section, tract)
    _draw_portal_infiltrate(section, stroma)
    for tract in tracts:
        _draw_profiles(section, tract)


def _cover_stroma(section: Section, stroma: StromaMap) -> Field:
    """Return the cover of connective tissue, 0 to 1, with a crisp or a ragged border.

    The truth runs along the mean of a ragged border.
    """
    reach = np.float32(3.5 + 9 * section.disease.interface)
    ragged = reach * section.noise(24, 41 + 60) + np.float32(2.5) * section.noise(10, 42 + 60)
    edge = section.ground.portal + ragged * stroma.ragged
    return np.clip(edge / np.float32(3.0) + np.float32(0.5), 0, 1)


def _draw_under_the_infiltrate(section: Section, tract: Tract) -> None:
    if section.disease.onion_skin > 0.2:
        for duct in tract.ducts:
            draw_onion_skin(section, duct)
    if tract.granuloma_um is not None:
        draw_granuloma(section, tract.granuloma_um)


def _draw_profiles(section: Section, tract: Tract) -> None:
    inside = section.ground.portal
    for vein in tract.veins:
        draw_vessel(section, vein, _VEIN_EOSIN, inside)
    for artery in tract.arteries:
        draw_vessel(section, artery, _ARTERY_EOSIN, inside)
    for duct in (*tract.ductules, *tract.ducts):
        draw_duct(section, duct)
    if tract.follicle_um is not None:
        _draw_cluster(section, tract.follicle_um, 0.8, 57)
    if tract.florid_duct:
        duct = tract.ducts[0]
        cuff = np.array([duct.x_um, duct.y_um, duct.radius_um + 28.0])
        _draw_cluster(section, cuff, 0.6, 58, hole_um=duct.radius_um + 1.0)


def _draw_cluster(
    section: Section, circle_um: Points, chance: float, stream: int, hole_um: float = 0.0
) -> None:
    """Draw a follicle, or a cuff round a duct."""
    points = scatter(section.canvas, PITCH_UM, 0.75, stream)
    chosen = is_in_circle(points, circle_um, 0.2) & (points.draw(2) < chance)
    chosen &= np.hypot(*(points.points_um - circle_um[:2]).T) > hole_um
    chosen &= section.at(section.ground.portal, points.points_um) > -8
    draw_inflammatory_cells(section, points.keep(chosen))


def _draw_portal_infiltrate(section: Section, stroma: StromaMap) -> None:
    """Draw cells in the stroma, in clumps or sheets; few cells cross the limiting plate.

    The border of the truth passes outside a dense infiltrate, as annotators draw the border, so
    the density just beyond is at most a third of that inside.
    """
    clumped = np.float32(1 - 0.8 * section.disease.sheets)
    clumps = (
        np.float32(0.62 + 0.06 * section.disease.sheets)
        + clumped * np.float32(0.45) * section.noise(75, 50)
        + clumped * np.float32(0.2) * section.noise(24, 51)
    )
    sheet = np.float32(0.9) + np.float32(0.12) * section.noise(60, 53)
    clumps += stroma.packed * (sheet - clumps)
    density = clumps * stroma.infiltrate * _infiltrate_reach(section, stroma)
    density = np.clip(density, 0, np.float32(0.78) + np.float32(0.08) * stroma.packed)
    quiet = np.float32(0.015) * (section.ground.portal > 0) * (1 - stroma.hyaline)
    draw_infiltrate(section, np.maximum(density, quiet), 52, stroma.cells, stroma.packed)


def _infiltrate_reach(section: Section, stroma: StromaMap) -> Field:
    """Return the share of an infiltrate, 0 to 1, that remains beyond the limiting plate."""
    beyond_um = np.minimum(section.ground.portal - (1 + 3 * np.minimum(stroma.ragged, 1)), 0)
    edge_um = np.float32(1.5) + np.float32(2.5) * stroma.ragged
    spill_um = np.float32(5 + 34 * section.disease.interface)
    spilled = np.float32(0.35) * np.minimum(stroma.ragged, 1) * np.exp(beyond_um / spill_um)
    return np.maximum(np.exp(beyond_um / edge_um), spilled)
