"""The lobule: cytoplasm, sinusoids, nuclei, fat and pigment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glisson_phantom.draw import nuclei
from glisson_phantom.draw.cells import Cells, place_cells
from glisson_phantom.draw.fat import Droplets, draw_droplets, draw_large_droplets, place_droplets
from glisson_phantom.draw.large_fat import place_large_droplets
from glisson_phantom.draw.necrosis import find_necrosis
from glisson_phantom.draw.section import Section, smooth_step
from glisson_phantom.features import Feature
from glisson_phantom.world import Field, Scatter, scatter

HEPATOCYTE_EOSIN = 0.235
HEPATOCYTE_HAEMATOXYLIN = 0.105
NUCLEUS_HAEMATOXYLIN = 0.42
"""These give, at full stain strength, the median optical densities measured on real liver."""
_HEPATOCYTES_PER_MM2 = 2300.0


def draw_lobule(section: Section) -> None:
    """Draw hepatocytes everywhere on the canvas, with sinusoids, fat, nuclei and pigment."""
    cells = place_cells(section)
    necrosis = find_necrosis(section, cells)
    large = place_large_droplets(section)
    droplets = place_droplets(section, cells, necrosis, large)
    _draw_cytoplasm(section, cells, necrosis)
    _draw_sinusoids(section, cells, necrosis)
    _draw_chicken_wire(section, cells)
    draw_droplets(section, droplets)
    _draw_hepatocyte_nuclei(section, cells, droplets, necrosis)
    _draw_sinusoidal_cells(section, cells)
    _draw_acidophil_bodies(section, cells)
    _draw_pigment(section, cells)
    _draw_bile(section, cells)
    draw_large_droplets(section, large)
    if (necrosis > 0.5).any():
        section.mark(Feature.NECROSIS, cells.spread(necrosis) > 0.5)


def _draw_cytoplasm(section: Section, cells: Cells, necrosis: NDArray[np.float64]) -> None:
    texture = section.texture
    pale = _choose_pale_cells(section, cells)
    draw = cells.scatter.draw
    eosin = 1 + texture.mosaic * 1.7 * (2 * draw(3) - 1) - 0.34 * pale - 0.25 * necrosis
    blue = 1 + texture.mosaic * 1.9 * (2 * draw(4) - 1) - 0.40 * pale - 0.35 * necrosis
    blue *= 1 + 1.2 * texture.zonation * (1 - 2 * cells.zone)
    grain = _grain(section)
    holes = _draw_vacuoles(section, cells, pale)
    wall = np.clip(1 - cells.border_um * np.float32(1 / 1.3), 0, 1) * np.float32(
        0.10 + 0.35 * texture.membrane
    )
    shade = np.clip(_patches(section) + grain - holes + wall, 0.08, 2.2)
    section.dyes.eosin[:] = HEPATOCYTE_EOSIN * cells.spread(eosin) * shade
    clumps = np.float32(0.9 * texture.granularity) * section.noise(4.2, 18)
    section.dyes.haematoxylin[:] = (
        HEPATOCYTE_HAEMATOXYLIN * cells.spread(blue) * np.clip(shade + clumps, 0.05, 2.5)
    )


def _choose_pale_cells(section: Section, cells: Cells) -> NDArray[np.float64]:
    """Choose glycogen-rich cells in patches and ballooned cells of zone 3; 0 to 1."""
    patches = np.clip(0.5 + 0.6 * section.at(section.noise(170, 36), cells.scatter.points_um), 0, 1)
    pale = np.asarray(cells.scatter.draw(2) < section.texture.clear_cells * patches) * 0.9
    balloon = cells.scatter.draw(14) < section.disease.ballooning * 0.6 * (cells.zone > 0.55)
    return np.maximum(pale, 1.15 * balloon)


def _patches(section: Section) -> Field:
    contrast = np.float32(section.texture.zonation)
    return (
        1 + contrast * section.noise(420, 11) + np.float32(0.7) * contrast * section.noise(120, 12)
    )


def _grain(section: Section) -> Field:
    contrast = np.float32(section.texture.granularity)
    coarse = np.float32(0.55) * section.noise(11, 19)
    return contrast * (
        coarse
        + np.float32(0.7) * section.noise(4.6, 13)
        + np.float32(0.55) * section.noise(2.4, 14)
    )


def _draw_vacuoles(section: Section, cells: Cells, pale: NDArray[np.float64]) -> Field:
    """Draw foamy cytoplasm: dots of 2 to 6 µm where a cell is pale or holds small fat."""
    patches = np.clip(0.5 + 0.7 * section.at(section.noise(160, 16), cells.scatter.points_um), 0, 1)
    foam = np.clip(section.disease.small_fat * patches + 0.55 * pale, 0, 1)
    if float(foam.max()) < 0.05:
        return np.zeros(section.canvas.shape, np.float32)
    dots = np.clip((section.noise(5.2, 17) - 0.55) * np.float32(1.5), 0, 1)
    return np.float32(0.85) * cells.spread(foam) * dots


def _draw_sinusoids(section: Section, cells: Cells, necrosis: NDArray[np.float64]) -> None:
    """Draw slits between plates: empty, with pale plasma, or with blood."""
    texture, disease = section.texture, section.disease
    wide = 1 + 3.2 * disease.congestion * np.clip(cells.zone - 0.35, 0, 1) + 1.5 * necrosis
    thick = 1 - 0.5 * disease.regeneration
    width_um = cells.spread(texture.sinusoid_um * thick * wide)
    width_um *= np.float32(0.7) + np.float32(0.5) * section.noise(40, 20)
    closed = np.clip(
        (section.noise(70, 21) + 3.0 * texture.sinusoid_open - 1.2) * np.float32(1.6), 0, 1
    )
    gap = smooth_step(width_um * np.float32(0.5) * closed - cells.sinusoid_um, 0.9)
    empty = np.clip(np.float32(0.5) + np.float32(0.9) * section.noise(60, 22), 0, 1)
    plasma = np.float32(0.36 * HEPATOCYTE_EOSIN) * (1 - empty)
    section.dyes.cover(gap, plasma, np.float32(0.02))
    _draw_sinusoidal_blood(section, cells, width_um * closed, wide)


def _draw_sinusoidal_blood(
    section: Section, cells: Cells, width_um: Field, wide: NDArray[np.float64]
) -> None:
    """Draw red cells along open sinusoids, in streaks."""
    points = scatter(section.canvas, 5.6, 0.9, 23)
    gap_um = section.at(cells.sinusoid_um, points.points_um)
    points = points.keep(
        gap_um < np.maximum(section.at(width_um, points.points_um) * 0.5 + 0.4, 1.0)
    )
    streaks = section.at(section.noise(38, 24), points.points_um)
    widened = section.at(cells.of_pixel, points.points_um).astype(int)
    amount = section.texture.red_cells * 0.75 + 0.25 * (wide[widened] - 1)
    points = points.keep(points.draw(2) < np.clip(amount + 0.35 * streaks - 0.25, 0, 0.95))
    strength = 0.65 + 0.4 * points.draw(3)
    nuclei.stamp(section.dyes.red_cells, section.canvas, nuclei.RED_CELL, points, strength)


def _draw_chicken_wire(section: Section, cells: Cells) -> None:
    """Draw pericellular collagen in zone 3."""
    amount = section.disease.pericellular_scar
    if amount < 0.1:
        return
    of_cell = amount * np.clip(1.2 - cells.vein_um / 230.0, 0, 1)
    wire = np.clip(1 - np.minimum(cells.border_um, cells.sinusoid_um) * np.float32(1 / 2.4), 0, 1)
    wire *= cells.spread(of_cell)
    section.dyes.cover(wire, np.float32(0.75 * HEPATOCYTE_EOSIN), np.float32(0.05))
    section.mark(Feature.PERIVENULAR_SCAR, cells.spread(of_cell) > 0.35)


def _draw_hepatocyte_nuclei(
    section: Section, cells: Cells, droplets: Droplets, necrosis: NDArray[np.float64]
) -> None:
    """Draw a nucleus where the plane cuts a cell, two in 6 %; large droplets push nuclei aside."""
    draw = cells.scatter.draw
    hidden = (draw(5) < 0.12) | (draw(15) < 0.85 * necrosis)
    pushed = droplets.radius_of_cell_um > 5.5
    offset = np.stack([draw(6) - 0.5, draw(7) - 0.5], axis=1) * 5.0
    angle = 2 * np.pi * draw(16)
    away = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    aside = away * (droplets.radius_of_cell_um + 1.2)[:, None]
    spots = cells.scatter.points_um + np.where(pushed[:, None], aside, offset)
    shift = away * 3.6
    large, double = draw(8) < 0.12, draw(8) > 0.94
    empty = draw(17) < section.disease.glycogen_nuclei
    plain = ~hidden & ~pushed
    for kind, chosen, move in (
        (nuclei.PUSHED, pushed & ~hidden, 0.0),
        (nuclei.GLYCOGEN, plain & empty, 0.0),
        (nuclei.LARGE_HEPATOCYTE, plain & ~empty & large, 0.0),
        (nuclei.HEPATOCYTE, plain & ~empty & ~large & ~double, 0.0),
        (nuclei.HEPATOCYTE, plain & ~empty & double, 1.0),
        (nuclei.HEPATOCYTE, plain & ~empty & double, -1.0),
    ):
        points = Scatter(spots + move * shift, draw).keep(chosen)
        variant = points.draw(12)
        if kind is nuclei.PUSHED:  # along the droplet's edge
            variant = np.mod(angle[chosen] / np.pi + 0.5, 1.0)
        stamp_nuclei(section, kind, points, 0.78 + 0.4 * points.draw(9), variant)


def stamp_nuclei(
    section: Section,
    kind: nuclei.Kind,
    points: Scatter,
    darkness: NDArray[np.float64],
    variant: NDArray[np.float64] | None = None,
) -> None:
    """Draw nuclei of a kind; `darkness` is relative to that of hepatocytes."""
    nuclei.stamp(
        section.dyes.haematoxylin,
        section.canvas,
        kind,
        points,
        darkness * section.texture.nuclear_darkness * NUCLEUS_HAEMATOXYLIN,
        variant,
        section.texture.nuclear_scale,
    )


def _draw_sinusoidal_cells(section: Section, cells: Cells) -> None:
    """Draw endothelial and Kupffer nuclei along sinusoids, and lobular lymphocytes."""
    points = scatter(section.canvas, 9.5, 1.0, 27)
    gap_um = section.at(cells.sinusoid_um, points.points_um)
    lining = points.keep((gap_um < 2.4) & (points.draw(2) < 0.30))
    angle = _direction_along(section, cells.sinusoid_um, lining)
    stamp_nuclei(section, nuclei.SINUSOIDAL, lining, 0.9 + 0.5 * lining.draw(3), angle)
    amount = section.disease.lobular_lymphocytes
    if amount < 0.02:
        return
    density = np.clip(amount * (0.4 + 0.7 * section.noise(220, 31)), 0, 0.6)
    some = scatter(section.canvas, 9.0, 0.9, 32)
    chosen = some.draw(2) < section.at(density, some.points_um)
    chosen &= section.at(cells.sinusoid_um, some.points_um) < 4.0
    some = some.keep(chosen)
    stamp_nuclei(section, nuclei.LYMPHOCYTE, some, 1.15 + 0.4 * some.draw(4))
    section.mark(Feature.INFLAMED_LOBULE, density > 0.22)


def _direction_along(section: Section, distance_um: Field, points: Scatter) -> NDArray[np.float64]:
    """Return half turns (0 to 1) along the line from which a field measures distances."""
    step = np.array([[2.0, 0.0], [0.0, 2.0]])
    slope = [
        section.at(distance_um, points.points_um + d)
        - section.at(distance_um, points.points_um - d)
        for d in step
    ]
    angle = np.arctan2(slope[1], slope[0]) + np.pi / 2 + 0.3 * (points.draw(6) - 0.5)
    return np.asarray(np.mod(angle / np.pi, 1.0), dtype=np.float64)


def _draw_acidophil_bodies(section: Section, cells: Cells) -> None:
    """Draw apoptotic hepatocytes: dense pink, shrunken, in a halo."""
    chance = section.disease.apoptotic_per_mm2 / _HEPATOCYTES_PER_MM2
    bodies = cells.scatter.keep(cells.scatter.draw(18) < chance)
    nuclei.stamp(
        section.dyes.eosin, section.canvas, nuclei.ACIDOPHIL, bodies, 0.62 + 0.2 * bodies.draw(19)
    )
    small = bodies.keep(bodies.draw(20) < 0.6)
    stamp_nuclei(section, nuclei.EOSINOPHIL, small, 1.3 + 0 * small.draw(21))


def _draw_pigment(section: Section, cells: Cells) -> None:
    """Draw lipofuscin in zone 3 and iron in zone 1, as granules of 1 to 2 µm."""
    disease = section.disease
    brown = 0.55 * disease.lipofuscin * np.clip(cells.zone - 0.5, 0, 1)
    golden = 1.1 * disease.iron * np.clip(0.6 - cells.zone, 0, 1)
    amount = (brown + golden) * (0.4 + 1.2 * cells.scatter.draw(22))
    if float(amount.max()) < 0.06:
        return
    points = scatter(section.canvas, 2.6, 1.0, 26)
    cell = section.at(cells.of_pixel, points.points_um).astype(int)
    points = points.keep(points.draw(2) < np.clip(amount[cell] * 0.5, 0, 0.5))
    strength = 0.25 + 0.3 * points.draw(3)
    nuclei.stamp(section.dyes.brown, section.canvas, nuclei.GRANULE, points, strength)


def _draw_bile(section: Section, cells: Cells) -> None:
    """Draw plugs in canaliculi of zone 3, and the small lumina of rosettes."""
    disease = section.disease
    if max(disease.cholestasis, disease.rosettes) < 0.08:
        return
    points = scatter(section.canvas, 13.0, 1.0, 28)
    border_um = section.at(cells.border_um, points.points_um)
    canalicular = points.keep(
        (border_um < 1.2) & (section.at(cells.sinusoid_um, points.points_um) > 4)
    )
    cell = section.at(cells.of_pixel, canalicular.points_um).astype(int)
    chance = 0.35 * disease.cholestasis * np.clip(cells.zone[cell] - 0.4, 0, 1)
    plugs = canalicular.keep(canalicular.draw(2) < chance)
    nuclei.stamp(section.dyes.bile, section.canvas, nuclei.PLUG, plugs, 0.3 + 0.3 * plugs.draw(3))
    patches = np.clip(section.at(section.noise(140, 29), canalicular.points_um) - 0.4, 0, 1)
    lumina = canalicular.keep(canalicular.draw(4) < disease.rosettes * patches)
    holes = np.zeros(section.canvas.shape, np.float32)
    nuclei.stamp(holes, section.canvas, nuclei.PLUG, lumina, 0.9 + 0 * lumina.draw(3))
    section.dyes.fade(1 - np.clip(holes, 0, 1))
