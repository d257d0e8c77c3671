"""Cross-sections of tubes: vessels with blood, ducts with their epithelium."""

from __future__ import annotations

import cv2
import numpy as np

from glisson_phantom.draw import nuclei
from glisson_phantom.draw.lobule import HEPATOCYTE_EOSIN, stamp_nuclei
from glisson_phantom.draw.section import Part, Section
from glisson_phantom.plan.shapes import Profile
from glisson_phantom.world import (
    Field,
    Scatter,
    noise,
    polygon_cover,
    sample,
    scatter,
    signed_distance_um,
)

_DUCT_EOSIN = 0.15
_DUCT_HAEMATOXYLIN = 0.14
_THICK_WALL_UM = 4.5


def draw_vessel(
    section: Section, profile: Profile, wall_eosin: float, bound: Field | None = None
) -> tuple[Part, Field]:
    """Draw a wall and a lumen, empty or with blood, inside `bound` (signed µm) where given.

    Return the part of the canvas and the cover of wall and lumen there.
    """
    part, outer = polygon_cover(section.canvas, profile.polygon())
    if not outer.size:
        return part, outer
    thick = profile.wall_um > _THICK_WALL_UM
    if thick:
        depth_um = signed_distance_um(section.canvas.crop(*part), [profile.polygon()])
        lumen = np.clip((depth_um - profile.wall_um) / section.canvas.mpp, 0, 1)
    else:
        lumen = _shrink(outer, profile.wall_um / section.canvas.mpp)
    if bound is not None:
        outer = outer * np.clip(bound[part] / 2, 0, 1)
        lumen = lumen * np.clip(bound[part] / 2 - 1, 0, 1)
    _lay_wall(section, part, outer, wall_eosin, 0.08)
    if thick:
        _layer_wall(section, profile, part, outer, depth_um)
    section.dyes.fade(1 - lumen, part)
    _fill_with_blood(section, profile, part, lumen)
    _line_with_endothelium(section, profile)
    return part, outer


def _lay_wall(
    section: Section, part: Part, cover: Field, eosin: float, haematoxylin: float
) -> None:
    section.dyes.fade(1 - cover, part)
    section.dyes.eosin[part] += np.float32(eosin) * cover
    section.dyes.haematoxylin[part] += np.float32(haematoxylin) * cover


def _layer_wall(
    section: Section, profile: Profile, part: Part, cover: Field, depth_um: Field
) -> None:
    """Draw concentric layers of muscle and collagen in a thick wall, pale or dark by vessel."""
    local = section.canvas.crop(*part)
    tone = np.float32(0.65 + 0.75 * ((profile.x_um * 0.61) % 1.0))
    depth_um = depth_um + np.float32(1.5) * noise(local, 25, 66)
    layers = 1 + np.float32(0.16) * np.sin(depth_um * np.float32(2 * np.pi / 6.0))
    layers += np.float32(0.08) * noise(local, 7, 67)
    section.dyes.eosin[part] *= 1 + (tone * layers - 1) * cover
    points = scatter(local, 10.0, 1.0, 68)
    offset = points.points_um - profile.centre_um
    inside = sample(depth_um, local, points.points_um) > 1.5
    inside &= sample(cover, local, points.points_um) > 0.5
    chosen = inside & (points.draw(2) < 0.15 + 0.45 * ((profile.y_um * 0.37) % 1.0))
    angle = np.arctan2(offset[:, 1], offset[:, 0]) / np.pi + 0.5
    stamp_nuclei(
        section,
        nuclei.SPINDLE,
        points.keep(chosen),
        0.7 + 0.3 * points.draw(3)[chosen],
        np.mod(angle + 0.08 * (points.draw(5) - 0.5), 1.0)[chosen],
    )


def _shrink(cover: Field, by_px: float) -> Field:
    """Move the edge of a cover inwards by `by_px`."""
    padded = cv2.copyMakeBorder((cover > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.clip(distance - by_px, 0, 1).astype(np.float32)


def _fill_with_blood(section: Section, profile: Profile, part: Part, lumen: Field) -> None:
    """Draw red cells in clumps, and thin plasma in some vessels."""
    local = section.canvas.crop(*part)
    packed = noise(local, 40, 60) + 0.7 * noise(local, 11, 61)
    amount = np.clip((packed - 1.5 + 2.7 * profile.filling) * 1.2, 0, 1)
    points = scatter(local, 5.7, 0.8, 62)
    px = np.floor(local.px_from_um(points.points_um)).astype(int)
    row = np.clip(px[:, 1], 0, local.height_px - 1)
    column = np.clip(px[:, 0], 0, local.width_px - 1)
    chosen = (lumen[row, column] > 0.5) & (points.draw(2) < amount[row, column])
    cells = points.keep(chosen)
    blood = np.zeros(local.shape, np.float32)
    nuclei.stamp(blood, local, nuclei.RED_CELL, cells, 0.7 + 0.3 * cells.draw(3))
    section.dyes.red_cells[part] += np.maximum(blood, 0.5 * amount**2) * lumen
    if (profile.x_um * 0.37) % 1.0 < 0.25:
        section.dyes.eosin[part] += np.float32(0.3 * HEPATOCYTE_EOSIN) * lumen


def _line_with_endothelium(section: Section, profile: Profile) -> None:
    outline = profile.polygon(-profile.wall_um)
    edges = np.diff(outline, axis=0, append=outline[:1])
    count = int(np.hypot(*edges.T).sum() / 14)
    if count < 1:
        return
    chance = np.mod(np.arange(count) * 0.618 + profile.x_um, 1.0)
    stays = chance < 0.7
    spots = np.linspace(0, len(outline), count, endpoint=False).astype(int)[stays]
    angle = np.arctan2(edges[spots, 1], edges[spots, 0])
    ring = Scatter(outline[spots], lambda _: chance[stays])
    darkness = 0.8 + 0.5 * chance[stays]
    stamp_nuclei(section, nuclei.SINUSOIDAL, ring, darkness, np.mod(angle / np.pi, 1.0))


def draw_duct(section: Section, duct: Profile) -> None:
    """Draw a ring of cuboidal cells round a small lumen, uneven and with gaps where damaged."""
    part, outer = polygon_cover(section.canvas, duct.polygon())
    if not outer.size:
        return
    lumen = _shrink(outer, min(max(duct.radius_um * 0.62, 3.5), 9.0) / section.canvas.mpp)
    _lay_wall(section, part, outer, _DUCT_EOSIN, _DUCT_HAEMATOXYLIN)
    section.dyes.fade(1 - np.float32(0.9) * lumen, part)
    _line_with_epithelium(section, duct)


def _line_with_epithelium(section: Section, duct: Profile) -> None:
    ring = duct.polygon(-2.9)
    length_um = np.hypot(*np.diff(ring, axis=0, append=ring[:1]).T).sum()
    count = int(np.clip(length_um / 6.0, 3, 60))
    spots = (np.linspace(0, len(ring), count, endpoint=False)).astype(int)
    damage = section.disease.duct_damage
    chance = np.asarray((np.arange(count) * 0.618 + duct.x_um) % 1.0, dtype=np.float64)
    stays = chance > 0.55 * damage
    spread = damage * 1.8 * np.sin(duct.x_um + 2.4 * np.arange(count)[stays])[:, None]
    points = Scatter(ring[spots[stays]] + spread, lambda _: chance[stays])
    stamp_nuclei(section, nuclei.EPITHELIAL, points, 1.05 + 0.25 * chance[stays], chance[stays])


def draw_onion_skin(section: Section, duct: Profile) -> None:
    """Draw concentric collagen, 20 to 60 µm thick, round a duct (PSC)."""
    width_um = 18 + 36 * section.disease.onion_skin * ((duct.x_um * 0.173) % 1.0)
    part, cover = polygon_cover(section.canvas, duct.polygon(width_um))
    if not cover.size:
        return
    local = section.canvas.crop(*part)
    x_um, y_um = local.centres_um()
    distance = np.hypot(x_um[None] - np.float32(duct.x_um), y_um[:, None] - np.float32(duct.y_um))
    phase = distance * np.float32(2 * np.pi / 7.0) + np.float32(2.4) * noise(local, 34, 63)
    broken = np.clip(np.float32(0.5) + np.float32(0.6) * noise(local, 18, 64), 0, 1)
    rings = 1 + np.float32(0.13) * np.sin(phase) * broken + np.float32(0.06) * noise(local, 6, 65)
    cover = cover * np.clip(section.ground.portal[part] / 4 + 1, 0, 1)
    section.dyes.fade(1 - cover, part)
    section.dyes.eosin[part] += np.float32(0.85 * HEPATOCYTE_EOSIN) * rings * cover
    section.dyes.haematoxylin[part] += np.float32(0.05) * cover
