"""From a layout to dye concentrations and truth on a canvas.

The order is that of a section: hepatocytes and sinusoids, portal tracts over them,
veins, then what lies loose on the glass. Concentrations are kept apart by dye and turned
into colour in `stain.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, LOBULE, PORTAL
from glisson.phantom import nuclei
from glisson.phantom.canvas import (
    Canvas,
    Field,
    Scatter,
    noise,
    resampled,
    sample,
    scatter,
    signed_distance_um,
)
from glisson.phantom.layout import Layout, Profile, TractPlan
from glisson.phantom.style import Style

Mask = NDArray[np.bool_]
Labels = NDArray[np.uint8]

_MARGIN_UM = 40.0
_HEPATOCYTE_EOSIN = 0.235
_HEPATOCYTE_HAEMATOXYLIN = 0.115
_NUCLEUS_HAEMATOXYLIN = 0.50
_INFILTRATE_PITCH_UM = 7.0


@dataclass
class Dyes:
    """Concentrations on a canvas, (H, W) float32; 1.0 is an optical density of 1."""

    eosin: Field
    haematoxylin: Field
    red_cells: Field
    pigment: Field


@dataclass(frozen=True)
class Rendering:
    """What a canvas shows.

    Attributes:
        dyes: concentrations.
        labels: (H, W) uint8 class indices, exact.
    """

    dyes: Dyes
    labels: Labels


@dataclass(frozen=True)
class _Ground:
    """Distances that every part of the rendering needs, in µm, positive inside."""

    core: Field
    portal: Field
    septum: Field
    central: Field
    tear: Field


def render(canvas: Canvas, layout: Layout, style: Style) -> Rendering:
    """Dye concentrations and labels of a canvas."""
    wide = canvas.padded(_MARGIN_UM)
    ground = _ground(wide, layout)
    labels = _labels(wide, ground)
    dyes = _lobule(wide, ground, layout, style)
    _add_portal(wide, ground, layout, style, dyes)
    _add_central_veins(wide, ground, layout, style, dyes)
    _clear_glass(wide, ground, dyes)
    return _cropped(Rendering(dyes, labels), wide, canvas)


def bare_glass(canvas: Canvas) -> Rendering:
    """A canvas without tissue."""
    eosin, haematoxylin, red_cells, pigment = np.zeros((4, *canvas.shape), np.float32)
    labels = np.full(canvas.shape, BACKGROUND.index, np.uint8)
    return Rendering(Dyes(eosin, haematoxylin, red_cells, pigment), labels)


def _cropped(rendering: Rendering, wide: Canvas, canvas: Canvas) -> Rendering:
    left = round((canvas.x_um - wide.x_um) / canvas.mpp)
    top = round((canvas.y_um - wide.y_um) / canvas.mpp)
    part = (slice(top, top + canvas.height_px), slice(left, left + canvas.width_px))
    dyes = rendering.dyes
    return Rendering(
        Dyes(dyes.eosin[part], dyes.haematoxylin[part], dyes.red_cells[part], dyes.pigment[part]),
        rendering.labels[part],
    )


# --- where things are ---------------------------------------------------------------------


def _ground(canvas: Canvas, layout: Layout) -> _Ground:
    tracts = [polygon for tract in layout.tracts for polygon in tract.polygons_um]
    tracts = _visible(canvas, tracts)
    septa = _visible(canvas, [septum.polygon_um for septum in layout.septa])
    waves = 7 * noise(canvas, 60, 1) + 3.5 * noise(canvas, 28, 2)
    edge = 2.0 * noise(canvas, 18, 3) + 5.0 * noise(canvas, 110, 4)
    septum = signed_distance_um(canvas, septa) if septa else np.full(canvas.shape, -80, np.float32)
    return _Ground(
        core=signed_distance_um(canvas, _visible(canvas, list(layout.cores_um))) + edge,
        portal=np.maximum(signed_distance_um(canvas, tracts), septum) + waves,
        septum=septum + waves,
        central=signed_distance_um(canvas, _visible_profiles(canvas, layout.central_veins)),
        tear=signed_distance_um(canvas, _visible(canvas, list(layout.tears_um)))
        + 3 * noise(canvas, 30, 5),
    )


def _labels(canvas: Canvas, ground: _Ground) -> Labels:
    labels = np.full(canvas.shape, LOBULE.index, np.uint8)
    labels[ground.portal > 0] = PORTAL.index
    labels[(ground.core <= 0) | (ground.tear > 0)] = BACKGROUND.index
    return labels


def _visible(canvas: Canvas, polygons_um: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    return [polygon for polygon in polygons_um if _touches(canvas, polygon, 90)]


def _visible_profiles(canvas: Canvas, profiles: tuple[Profile, ...]) -> list[NDArray[np.float64]]:
    return _visible(canvas, [profile.polygon() for profile in profiles])


def _touches(canvas: Canvas, polygon: NDArray[np.float64], margin_um: float) -> bool:
    low, high = polygon.min(axis=0) - margin_um, polygon.max(axis=0) + margin_um
    right, bottom = (
        canvas.x_um + canvas.width_px * canvas.mpp,
        canvas.y_um + canvas.height_px * canvas.mpp,
    )
    return bool(
        low[0] < right and low[1] < bottom and high[0] > canvas.x_um and high[1] > canvas.y_um
    )


# --- the lobule ---------------------------------------------------------------------------


def _lobule(canvas: Canvas, ground: _Ground, layout: Layout, style: Style) -> Dyes:
    cells = scatter(canvas.padded(40), style.texture.cell_pitch_um, 0.62, 10)
    border_um, cell = _voronoi(canvas, cells)
    border_um, cell = _ruffled(canvas, border_um, cell)
    dyes = _cytoplasm(canvas, ground, style, cells, cell, border_um)
    occupied = _hepatocyte_cells(canvas, ground, cells)
    _add_hepatocyte_nuclei(canvas, style, dyes, cells.keep(occupied))
    _open_sinusoids(canvas, style, dyes, border_um)
    _add_sinusoidal_nuclei(canvas, style, dyes, border_um)
    _add_pigment(canvas, style, dyes)
    _add_fat(canvas, ground, style, dyes, cells)
    _add_foci(canvas, layout, style, dyes)
    return dyes


def _voronoi(canvas: Canvas, cells: Scatter) -> tuple[Field, NDArray[np.int64]]:
    """Distance to the nearest cell border in µm, and the cell of every pixel."""
    wide = canvas.padded(40)
    px = np.floor(wide.px_from_um(cells.points_um)).astype(np.int64)
    inside = ((px >= 0) & (px < (wide.width_px, wide.height_px))).all(axis=1)
    seeds = np.ones(wide.shape, np.uint8)
    seeds[px[inside, 1], px[inside, 0]] = 0
    _, label = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(int(label.max()) + 1, np.int64)
    lookup[label[px[inside, 1], px[inside, 0]]] = np.flatnonzero(inside)
    differs = np.zeros(wide.shape, bool)
    differs[:, 1:] |= label[:, 1:] != label[:, :-1]
    differs[1:] |= label[1:] != label[:-1]
    border_px = cv2.distanceTransform((~differs).astype(np.uint8), cv2.DIST_L2, 5)
    margin = round((canvas.x_um - wide.x_um) / canvas.mpp)
    part = (slice(margin, margin + canvas.height_px), slice(margin, margin + canvas.width_px))
    return border_px[part] * np.float32(canvas.mpp), lookup[label[part]]


def _ruffled(
    canvas: Canvas, border_um: Field, cell: NDArray[np.int64]
) -> tuple[Field, NDArray[np.int64]]:
    """Cell borders bent by 1 to 2 µm: straight Voronoi edges look artificial."""
    rows, columns = np.indices(canvas.shape, dtype=np.float32)
    x = columns + 1.9 / canvas.mpp * noise(canvas, 13, 8)
    y = rows + 1.9 / canvas.mpp * noise(canvas, 13, 9)
    bent = cv2.remap(border_um, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    columns_px = np.clip(np.rint(x), 0, canvas.width_px - 1).astype(np.int64)
    rows_px = np.clip(np.rint(y), 0, canvas.height_px - 1).astype(np.int64)
    return bent.astype(np.float32), cell[rows_px, columns_px]


def _cytoplasm(
    canvas: Canvas,
    ground: _Ground,
    style: Style,
    cells: Scatter,
    cell: NDArray[np.int64],
    border_um: Field,
) -> Dyes:
    texture = style.texture
    clear = cells.draw(2) < texture.clear_cells * 0.7
    eosin_of = 1 + texture.mosaic * 1.7 * (2 * cells.draw(3) - 1) - 0.30 * clear
    haematoxylin_of = 1 + texture.mosaic * 1.9 * (2 * cells.draw(4) - 1) - 0.38 * clear
    zones = 1 + 0.10 * noise(canvas, 420, 11) + 0.07 * noise(canvas, 140, 12)
    grain = 1 + texture.granularity * (0.75 * noise(canvas, 5.0, 13) + 0.6 * noise(canvas, 2.6, 14))
    grain -= _small_vacuoles(canvas, style)
    membrane = 1 + 0.30 * texture.membrane * np.exp(-((border_um / 0.8) ** 2))
    shade = np.clip(zones * grain * membrane, 0.15, 2).astype(np.float32)
    necrotic = _necrosis(canvas, ground, style)
    return Dyes(
        eosin=(_HEPATOCYTE_EOSIN * eosin_of[cell] * shade * (1 - 0.25 * necrotic)).astype(
            np.float32
        ),
        haematoxylin=(
            _HEPATOCYTE_HAEMATOXYLIN * haematoxylin_of[cell] * shade * (1 - 0.35 * necrotic)
        ).astype(np.float32),
        red_cells=(0.35 * necrotic * (noise(canvas, 14, 15) > 0.9)).astype(np.float32),
        pigment=np.zeros(canvas.shape, np.float32),
    )


def _small_vacuoles(canvas: Canvas, style: Style) -> Field:
    """Foamy cytoplasm: pale dots of 2 to 6 µm, in patches."""
    amount = style.disease.small_fat
    if amount < 0.05:
        return np.zeros(canvas.shape, np.float32)
    patches = np.clip(amount + 0.5 * noise(canvas, 160, 16), 0, 1)
    dots = np.clip((noise(canvas, 5.5, 17) - 0.75) * 1.6, 0, 1)
    return (0.85 * patches * dots).astype(np.float32)


def _necrosis(canvas: Canvas, ground: _Ground, style: Style) -> Field:
    """Confluent loss of hepatocytes around central veins, 0 to 1."""
    reach_um = 160 * style.disease.necrosis
    if reach_um < 10:
        return np.zeros(canvas.shape, np.float32)
    return np.clip((ground.central + reach_um + 18 * noise(canvas, 50, 18)) / 25, 0, 1)


def _hepatocyte_cells(canvas: Canvas, ground: _Ground, cells: Scatter) -> Mask:
    portal = sample(ground.portal, canvas, cells.points_um)
    core = sample(ground.core, canvas, cells.points_um)
    return np.asarray((portal < 0) & (core > 3))


def _add_hepatocyte_nuclei(canvas: Canvas, style: Style, dyes: Dyes, cells: Scatter) -> None:
    chance = cells.draw(5)
    seen = cells.keep(chance > 0.11)
    offset = np.stack([seen.draw(6) - 0.5, seen.draw(7) - 0.5], axis=1) * 5.0
    chance = seen.draw(8)
    large, double = chance < 0.13, chance > 0.93
    darkness = style.texture.nuclear_darkness * _NUCLEUS_HAEMATOXYLIN * (0.75 + 0.4 * seen.draw(9))
    spots, variant, scale = seen.points_um + offset, seen.draw(12), style.texture.nuclear_scale
    shift = np.stack([np.cos(6.28 * variant), np.sin(6.28 * variant)], axis=1) * 3.6
    for kind, chosen, move in (
        (nuclei.LARGE_HEPATOCYTE, large, 0.0),
        (nuclei.HEPATOCYTE, ~large & ~double, 0.0),
        (nuclei.HEPATOCYTE, double, 1.0),
        (nuclei.HEPATOCYTE, double, -1.0),
    ):
        where = spots[chosen] + move * shift[chosen]
        nuclei.stamp(
            dyes.haematoxylin, canvas, kind, where, darkness[chosen], variant[chosen], scale
        )


def _open_sinusoids(canvas: Canvas, style: Style, dyes: Dyes, border_um: Field) -> None:
    texture = style.texture
    where = noise(canvas, 45, 20) + 0.5 * noise(canvas, 16, 21)
    cut = 1.4 - 2.6 * texture.sinusoid_open
    half_um = texture.sinusoid_um / 2 * np.clip(0.6 + 0.4 * (where - cut), 0, 1.5)
    opened = np.clip((half_um - border_um) / canvas.mpp + 0.5, 0, 1) * (where > cut - 0.8)
    content = noise(canvas, 22, 22) + 0.4 * noise(canvas, 8, 23)
    bloody = content > 1.5 - 2.2 * texture.congestion
    plasma = (content < -0.5) * 0.45
    _thin(dyes, (1 - opened * (1 - plasma)).astype(np.float32))
    dyes.red_cells += (opened * bloody * 0.8).astype(np.float32)


def _thin(dyes: Dyes, factor: Field) -> None:
    dyes.eosin *= factor
    dyes.haematoxylin *= factor


def _add_sinusoidal_nuclei(canvas: Canvas, style: Style, dyes: Dyes, border_um: Field) -> None:
    points = scatter(canvas, 17.0, 1.0, 24)
    points = points.keep(sample(border_um, canvas, points.points_um) < 2.2)
    darkness = style.texture.nuclear_darkness * _NUCLEUS_HAEMATOXYLIN * (0.9 + 0.5 * points.draw(2))
    nuclei.stamp(
        dyes.haematoxylin, canvas, nuclei.SINUSOIDAL, points.points_um, darkness, points.draw(3)
    )
    _add_lobular_lymphocytes(canvas, style, dyes, border_um)


def _add_lobular_lymphocytes(canvas: Canvas, style: Style, dyes: Dyes, border_um: Field) -> None:
    """Lymphocytes strung along sinusoids, in patches: lobular hepatitis is not a tract."""
    amount = min(style.disease.lobular_foci_per_mm2 / 12, 0.5)
    if amount < 0.03:
        return
    density = np.clip(amount * (0.5 + 0.6 * noise(canvas, 220, 31)), 0, 0.6)
    points = scatter(canvas, 9.0, 0.9, 32)
    chosen = points.draw(2) < sample(density, canvas, points.points_um)
    chosen &= sample(border_um, canvas, points.points_um) < 3.5
    _stamp_infiltrate(canvas, style, dyes, points.keep(chosen))


def _add_pigment(canvas: Canvas, style: Style, dyes: Dyes) -> None:
    amount = style.disease.pigment
    if amount < 0.15:
        return
    places = np.clip(noise(canvas, 130, 25) - 0.3, 0, 1) * (noise(canvas, 10, 26) > 0.4)
    dyes.pigment += (amount * 0.5 * places * (noise(canvas, 2.2, 27) > 0.9)).astype(np.float32)


def _add_fat(canvas: Canvas, ground: _Ground, style: Style, dyes: Dyes, cells: Scatter) -> None:
    share = style.disease.steatosis
    if share < 0.01:
        return
    zone = np.clip(share * (1 + 0.9 * noise(canvas, 500, 28) + 0.5 * noise(canvas, 170, 29)), 0, 1)
    free = np.asarray(sample(ground.portal, canvas, cells.points_um) < -4)
    fatty = cells.keep(free & (cells.draw(10) < sample(zone, canvas, cells.points_um)))
    diameter_um = np.clip(np.exp(2.35 + 0.62 * _normal(fatty.draw(11))), 3, 42)
    droplets = np.zeros(canvas.shape, np.uint8)
    for (x, y), radius in zip(
        canvas.px_from_um(fatty.points_um), diameter_um / 2 / canvas.mpp, strict=True
    ):
        centre = (round(x * 16 - 8), round(y * 16 - 8))
        cv2.circle(droplets, centre, round(radius * 16), 255, -1, cv2.LINE_AA, 4)
    cover = droplets.astype(np.float32) / 255
    rim = np.clip(cv2.GaussianBlur(cover, (0, 0), 0.9 / canvas.mpp) * 2.2 * (1 - cover), 0, 1)
    _thin(dyes, 1 - 0.985 * cover)
    dyes.eosin += 0.10 * rim
    dyes.haematoxylin += 0.05 * rim


def _normal(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Approximate normal deviates from uniform ones (logistic quantile)."""
    u = np.clip(u, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(u / (1 - u)) / 1.702)


def _add_foci(canvas: Canvas, layout: Layout, style: Style, dyes: Dyes) -> None:
    """Lobular inflammation: the classic false tract."""
    if len(layout.foci_um) == 0:
        return
    points = scatter(canvas, _INFILTRATE_PITCH_UM, 0.9, 30)
    inside = np.zeros(len(points), bool)
    for x, y, radius in layout.foci_um:
        distance = np.hypot(*(points.points_um - (x, y)).T)
        inside |= distance < radius * (0.6 + 0.8 * points.draw(5))
    _stamp_infiltrate(canvas, style, dyes, points.keep(inside & (points.draw(2) < 0.62)))


# --- portal tracts and septa --------------------------------------------------------------


def _add_portal(canvas: Canvas, ground: _Ground, layout: Layout, style: Style, dyes: Dyes) -> None:
    tracts = [t for t in layout.tracts if any(_touches(canvas, p, 90) for p in t.polygons_um)]
    if float(ground.portal.max()) < -60:
        return
    cover = _stroma_cover(canvas, ground, style)
    along = noise(canvas, 70, 40) * 9 + 0.06 * ground.portal
    _blend_collagen(canvas, style, dyes, cover, along)
    _add_stromal_nuclei(canvas, style, dyes, cover, along)
    inflamed = _inflammation(canvas, layout)
    _add_infiltrate(canvas, ground, style, dyes, inflamed)
    for tract in tracts:
        _add_profiles(canvas, style, dyes, tract, ground)


def _stroma_cover(canvas: Canvas, ground: _Ground, style: Style) -> Field:
    """Where connective tissue replaces hepatocytes, 0 to 1: ragged, unlike the truth."""
    ragged = (4 + 9 * style.disease.interface) * noise(canvas, 24, 41) + 2.5 * noise(canvas, 10, 42)
    return np.clip((ground.portal + ragged) / 3.0 + 0.5, 0, 1).astype(np.float32)


def _fibres(canvas: Canvas, along: Field, frequency: float) -> Field:
    """Wavy fibres: level lines of a smooth field, broken up and uneven, about -1 to 1."""
    phase = along * frequency + 0.35 * noise(canvas, 26, 43) + 0.30 * noise(canvas, 7, 49)
    strength = np.clip(0.55 + 0.5 * noise(canvas, 32, 53), 0, 1.2)
    return (np.sin(phase * np.float32(2 * np.pi)) * strength).astype(np.float32)


def _blend_collagen(canvas: Canvas, style: Style, dyes: Dyes, cover: Field, along: Field) -> None:
    texture = style.texture
    fibre = _fibres(canvas, along, 1.1)
    body = 1 + 0.12 * fibre + 0.13 * noise(canvas, 40, 44) + 0.08 * noise(canvas, 6, 45)
    loose = np.clip(texture.looseness + 0.5 * noise(canvas, 60, 46), 0, 1)
    clefts = np.clip(
        (_fibres(canvas, along, 0.55) + 0.6 * noise(canvas, 14, 47) - 0.95) * 1.6, 0, 1
    )
    body = np.clip(body - 0.85 * clefts * loose, 0.05, 2)
    eosin = _HEPATOCYTE_EOSIN * texture.collagen_eosin * body
    haematoxylin = _HEPATOCYTE_HAEMATOXYLIN * texture.collagen_haematoxylin * body
    dyes.eosin[:] = dyes.eosin * (1 - cover) + eosin * cover
    dyes.haematoxylin[:] = dyes.haematoxylin * (1 - cover) + haematoxylin * cover
    dyes.red_cells *= 1 - cover
    dyes.pigment *= 1 - cover


def _add_stromal_nuclei(
    canvas: Canvas, style: Style, dyes: Dyes, cover: Field, along: Field
) -> None:
    points = scatter(canvas, 19.0, 1.0, 48)
    density = 0.25 + 0.6 * points.draw(4)
    points = points.keep(
        (sample(cover, canvas, points.points_um) > 0.6) & (points.draw(2) < density)
    )
    slope_y, slope_x = np.gradient(cv2.GaussianBlur(along, (0, 0), 4 / canvas.mpp))
    angle = np.arctan2(
        -sample(slope_x.astype(np.float32), canvas, points.points_um),
        sample(slope_y.astype(np.float32), canvas, points.points_um),
    )
    variant = np.mod(angle / np.pi + 0.08 * (points.draw(5) - 0.5), 1.0)
    darkness = style.texture.nuclear_darkness * _NUCLEUS_HAEMATOXYLIN * (0.7 + 0.5 * points.draw(3))
    nuclei.stamp(dyes.haematoxylin, canvas, nuclei.SPINDLE, points.points_um, darkness, variant)


def _inflammation(canvas: Canvas, layout: Layout) -> Field:
    """Inflammation of the nearest tract or septum, 0 to 1."""
    coarse = Canvas(
        canvas.x_um,
        canvas.y_um,
        -(-canvas.width_px // 4),
        -(-canvas.height_px // 4),
        canvas.mpp * 4,
        canvas.seed,
    )
    field = np.zeros(coarse.shape, np.float32)
    shapes = [(s.infiltrate, [s.polygon_um]) for s in layout.septa]
    shapes += [(t.infiltrate, list(t.polygons_um)) for t in layout.tracts]
    for value, polygons in shapes:
        for polygon in _visible(canvas, polygons):
            corners = np.round(coarse.px_from_um(polygon) * 16 - 8).astype(np.int32)
            cv2.fillPoly(field, [corners], float(value), shift=4)
    grown = cv2.dilate(field, _box(coarse, 16))
    return resampled(cv2.GaussianBlur(grown, (0, 0), 10 / coarse.mpp), coarse, canvas)


def _box(canvas: Canvas, side_um: float) -> NDArray[np.uint8]:
    side_px = round(side_um / canvas.mpp) | 1
    return np.ones((side_px, side_px), np.uint8)


def _add_infiltrate(
    canvas: Canvas, ground: _Ground, style: Style, dyes: Dyes, inflamed: Field
) -> None:
    clumps = 0.72 + 0.5 * noise(canvas, 70, 50) + 0.2 * noise(canvas, 22, 51)
    spill_um = 6 + 45 * style.disease.interface
    reach = np.exp(np.minimum(ground.portal + 2, 0) / spill_um)
    density = np.clip(clumps * inflamed * reach, 0, 0.95).astype(np.float32)
    density = np.maximum(density, 0.03 * (ground.portal > 0))
    points = scatter(canvas, _INFILTRATE_PITCH_UM, 0.75, 52)
    points = points.keep(points.draw(2) < sample(density, canvas, points.points_um))
    _stamp_infiltrate(canvas, style, dyes, points)


def _stamp_infiltrate(canvas: Canvas, style: Style, dyes: Dyes, points: Scatter) -> None:
    plasma = points.keep(points.draw(3) < 0.18)
    for x, y in canvas.px_from_um(plasma.points_um):
        centre, radius = (round(x * 16), round(y * 16)), round(5.2 / canvas.mpp * 16)
        cv2.circle(dyes.haematoxylin, centre, radius, 0.17, -1, cv2.LINE_8, 4)
    darkness = (
        style.texture.nuclear_darkness * _NUCLEUS_HAEMATOXYLIN * (1.15 + 0.45 * points.draw(4))
    )
    nuclei.stamp(
        dyes.haematoxylin, canvas, nuclei.LYMPHOCYTE, points.points_um, darkness, points.draw(6)
    )


def _add_profiles(
    canvas: Canvas, style: Style, dyes: Dyes, tract: TractPlan, ground: _Ground
) -> None:
    for vein in tract.veins:
        _add_vessel(canvas, style, dyes, vein, ground.portal, wall_eosin=0.17)
    for artery in tract.arteries:
        _add_vessel(canvas, style, dyes, artery, ground.portal, wall_eosin=0.25)
    for duct in tract.ducts:
        _add_duct(canvas, style, dyes, duct)


def _disc(canvas: Canvas, profile: Profile, grow_um: float) -> tuple[tuple[slice, slice], Field]:
    """The part of the canvas round a profile, and the profile's cover there, 0 to 1."""
    px = canvas.px_from_um(profile.polygon(grow_um))
    low = np.clip(np.floor(px.min(0)).astype(int) - 2, 0, (canvas.width_px, canvas.height_px))
    high = np.clip(np.ceil(px.max(0)).astype(int) + 3, 0, (canvas.width_px, canvas.height_px))
    mask = np.zeros((max(high[1] - low[1], 0), max(high[0] - low[0], 0)), np.uint8)
    if mask.size:
        corners = np.round((px - low) * 16 - 8).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, 4)
    return (slice(low[1], high[1]), slice(low[0], high[0])), mask.astype(np.float32) / 255


def _add_vessel(
    canvas: Canvas,
    style: Style,
    dyes: Dyes,
    profile: Profile,
    bound: Field | None,
    wall_eosin: float,
) -> None:
    """A wall and a lumen, empty or with blood; kept inside `bound` where given."""
    part, outer = _disc(canvas, profile, 0.0)
    if not outer.size:
        return
    lumen = _shrunk(outer, profile.wall_um / canvas.mpp)
    if bound is not None:
        outer = outer * np.clip(bound[part] / 2, 0, 1)
        lumen = lumen * np.clip(bound[part] / 2 - 1, 0, 1)
    for field, value in ((dyes.eosin, wall_eosin), (dyes.haematoxylin, 0.09)):
        field[part] = (field[part] * (1 - outer) + value * outer) * (1 - lumen)
    dyes.pigment[part] *= 1 - outer
    _fill_blood(canvas, dyes, profile, part, lumen)
    _line_with_endothelium(canvas, style, dyes, profile)


def _shrunk(cover: Field, by_px: float) -> Field:
    """A cover moved inwards by `by_px`."""
    padded = cv2.copyMakeBorder((cover > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.clip(distance - by_px, 0, 1).astype(np.float32)


def _fill_blood(
    canvas: Canvas, dyes: Dyes, profile: Profile, part: tuple[slice, slice], lumen: Field
) -> None:
    local = Canvas(
        canvas.x_um + part[1].start * canvas.mpp,
        canvas.y_um + part[0].start * canvas.mpp,
        lumen.shape[1],
        lumen.shape[0],
        canvas.mpp,
        canvas.seed,
    )
    packed = noise(local, 40, 60) + 0.9 * noise(local, 9, 61)
    blood = lumen * np.clip((packed - 1.3 + 2.6 * profile.bloody) * 1.5, 0, 1)
    dyes.red_cells[part] = dyes.red_cells[part] * (1 - lumen) + 0.85 * blood


def _line_with_endothelium(canvas: Canvas, style: Style, dyes: Dyes, profile: Profile) -> None:
    outline = profile.polygon(-profile.wall_um)
    edges = np.diff(outline, axis=0, append=outline[:1])
    length_um = np.hypot(*edges.T)
    count = int(length_um.sum() / 22)
    if count < 1:
        return
    spots = np.linspace(0, len(outline), count, endpoint=False).astype(int)
    angle = np.arctan2(edges[spots, 1], edges[spots, 0])
    darkness = np.full(count, style.texture.nuclear_darkness * _NUCLEUS_HAEMATOXYLIN)
    nuclei.stamp(
        dyes.haematoxylin,
        canvas,
        nuclei.SINUSOIDAL,
        outline[spots],
        darkness,
        np.mod(angle / np.pi, 1.0),
    )


def _add_duct(canvas: Canvas, style: Style, dyes: Dyes, duct: Profile) -> None:
    """A ring of cuboidal cells round a small lumen."""
    part, outer = _disc(canvas, duct, 0.0)
    if not outer.size:
        return
    lumen = _shrunk(outer, max(duct.radius_um * 0.62, 3.5) / canvas.mpp)
    for field, value in ((dyes.eosin, 0.15), (dyes.haematoxylin, 0.14)):
        field[part] = (field[part] * (1 - outer) + value * outer) * (1 - 0.9 * lumen)
    _line_with_epithelium(canvas, style, dyes, duct)


def _line_with_epithelium(canvas: Canvas, style: Style, dyes: Dyes, duct: Profile) -> None:
    ring = duct.polygon(-2.9)
    length_um = np.hypot(*np.diff(ring, axis=0, append=ring[:1]).T).sum()
    count = int(np.clip(length_um / 6.2, 3, 48))
    spots = np.linspace(0, len(ring), count, endpoint=False).astype(int)
    darkness = np.full(count, style.texture.nuclear_darkness * _NUCLEUS_HAEMATOXYLIN * 1.15)
    nuclei.stamp(
        dyes.haematoxylin,
        canvas,
        nuclei.EPITHELIAL,
        ring[spots],
        darkness,
        np.mod(np.arange(count) * 0.37, 1.0),
    )


# --- veins and glass ----------------------------------------------------------------------


def _add_central_veins(
    canvas: Canvas, ground: _Ground, layout: Layout, style: Style, dyes: Dyes
) -> None:
    for vein in layout.central_veins:
        if not _touches(canvas, vein.polygon(), 30):
            continue
        if _inside_portal(canvas, ground, vein):
            continue
        _add_vessel(canvas, style, dyes, vein, None, wall_eosin=0.20)


def _inside_portal(canvas: Canvas, ground: _Ground, vein: Profile) -> bool:
    spot = np.array([[vein.x_um, vein.y_um]])
    return bool(sample(ground.portal, canvas, spot)[0] > -vein.radius_um)


def _clear_glass(canvas: Canvas, ground: _Ground, dyes: Dyes) -> None:
    """Nothing outside the core, apart from single cells and debris near its edge."""
    ragged = 1.8 * noise(canvas, 9, 70) + 3.0 * noise(canvas, 26, 71)
    tissue = np.clip((ground.core + ragged) / 1.5 + 0.5, 0, 1)
    tissue *= np.clip((-ground.tear + 0.6 * ragged) / 1.5 + 0.5, 0, 1)
    debris = (noise(canvas, 13, 72) > 2.35) & (ground.core > -45) & (ground.core < 0)
    tissue = np.maximum(tissue, cv2.GaussianBlur(debris.astype(np.float32), (0, 0), 0.8))
    crushed = 1 + 0.35 * np.exp(-np.clip(ground.core, 0, 80) / 9.0)
    for field in (dyes.eosin, dyes.haematoxylin):
        field *= tissue * crushed
    dyes.red_cells *= tissue
    dyes.pigment *= tissue
