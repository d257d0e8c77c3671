"""Damage by needle, knife and glass: torn edges, debris, crush, clots."""

from __future__ import annotations

import cv2
import numpy as np

from glisson_phantom.draw import nuclei
from glisson_phantom.draw.inflammation import select_near
from glisson_phantom.draw.lobule import HEPATOCYTE_EOSIN, stamp_nuclei
from glisson_phantom.draw.section import Section, blur, smooth_step
from glisson_phantom.draw.stroma import weave_fibres
from glisson_phantom.features import Feature
from glisson_phantom.world import Field, scatter

_DEBRIS_REACH_UM = 70.0


def draw_edges(section: Section) -> None:
    """Draw crush inside the core, bare glass outside, then clots on the glass."""
    _draw_crush(section)
    _clear_glass(section)
    _draw_clots(section)


def _draw_crush(section: Section) -> None:
    """Darken and smear the nuclei of crushed places."""
    places = select_near(section, section.layout.lesions.crush_um)
    if len(places) == 0:
        return
    x_um, y_um = section.canvas.centres_um()
    cover = np.zeros(section.canvas.shape, np.float32)
    for x, y, radius in places:
        distance = np.hypot(x_um[None] - np.float32(x), y_um[:, None] - np.float32(y))
        cover = np.maximum(cover, smooth_step(np.float32(radius) - distance, 50.0))
    cover *= np.clip(np.float32(0.6) + np.float32(0.6) * section.noise(90, 110), 0, 1)
    smeared = _smear(section, section.dyes.haematoxylin, float(places[0, 0]) % np.pi)
    section.dyes.haematoxylin[:] += cover * (np.float32(1.25) * smeared - section.dyes.haematoxylin)
    section.dyes.eosin *= 1 + np.float32(0.25) * cover
    section.mark(Feature.CRUSH, cover > 0.5)


def _smear(section: Section, field: Field, angle: float) -> Field:
    """Smear a field into streaks of 12 µm in one direction."""
    reach = max(2, round(6.0 / section.canvas.mpp))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    tip = np.round(reach * np.array([np.cos(angle), np.sin(angle)])).astype(int)
    start = (int(reach - tip[0]), int(reach - tip[1]))
    end = (int(reach + tip[0]), int(reach + tip[1]))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA)
    return cv2.filter2D(field, -1, kernel / kernel.sum())


def _clear_glass(section: Section) -> None:
    """Clear everything outside the core, apart from cells and debris near its edge."""
    ground = section.ground
    if float(ground.core.min()) > 12 and float(ground.tear.max()) < -12:
        return
    ragged = np.float32(1.8) * section.noise(9, 111) + np.float32(3.0) * section.noise(26, 112)
    tissue = smooth_step(ground.core + ragged, 1.5)
    tissue *= smooth_step(np.float32(0.6) * ragged - ground.tear, 1.5)
    debris = _scatter_debris(section)
    dried = 1 + np.float32(0.3) * np.exp(np.clip(ground.core, 0, 80) * np.float32(-1 / 9.0))
    section.dyes.fade(np.maximum(tissue, debris))
    section.dyes.eosin *= dried
    section.dyes.haematoxylin *= dried
    outside = section.labels == 0
    section.mark(Feature.DEBRIS, (debris > 0.4) & outside)
    section.mark(Feature.TEAR, (ground.tear > 0) & (ground.core > 0))


def _scatter_debris(section: Section) -> Field:
    """Scatter detached cells: single cells and clumps, in some places only."""
    core = section.ground.core
    outside = (core > -_DEBRIS_REACH_UM) & (core < 0)
    much = np.clip(np.float32(0.4) * section.noise(420, 113), -0.3, 0.8)
    single = section.noise(11, 114) + much > 2.25
    clumps = section.noise(34, 115) + 1.4 * much > 2.1
    picture = ((single | clumps) & outside).astype(np.float32)
    return np.asarray(blur(picture, section.canvas, 0.5))


def _draw_clots(section: Section) -> None:
    """Draw packed red cells with fibrin and some leukocytes, on glass only."""
    clot = section.ground.clot
    if float(clot.max()) < -20:
        return
    cover = smooth_step(clot, 3.0) * smooth_step(-section.ground.core - 4, 3.0)
    packed = np.clip(np.float32(0.75) + np.float32(0.35) * section.noise(60, 116), 0.1, 1)
    points = scatter(section.canvas, 5.8, 0.8, 117)
    chosen = points.draw(2) < section.at(cover * packed, points.points_um)
    cells = points.keep(chosen)
    blood = np.zeros(section.canvas.shape, np.float32)
    nuclei.stamp(blood, section.canvas, nuclei.RED_CELL, cells, 0.75 + 0.3 * cells.draw(3))
    section.dyes.red_cells += blood
    threads = np.clip(weave_fibres(section, 6 * section.noise(70, 118), 1.2, 119), 0, 1)
    section.dyes.eosin += np.float32(0.55 * HEPATOCYTE_EOSIN) * threads * cover
    white = points.keep(chosen & (points.draw(4) < 0.012))
    stamp_nuclei(section, nuclei.LYMPHOCYTE, white, 1.2 + 0.3 * white.draw(5))
    section.mark(Feature.CLOT, cover > 0.5)
