"""Where things are in a phantom biopsy: cores, lobules, tracts, veins, as vectors in µm.

Central veins are Poisson-disc seeds, tracts sit on the vertices of their Voronoi diagram
(Lau et al. 2021, Sci Rep, s41598-021-88699-2) and septa run along its edges.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Voronoi, cKDTree

from glisson.phantom.style import Disease

Polygon = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """A vessel or duct cut across: an ellipse.

    Attributes:
        x_um: centre.
        y_um: centre.
        radius_um: outer radius along the long axis.
        aspect: short over long axis.
        angle: radians.
        wall_um: wall thickness.
        bloody: 0 empty to 1 full of red cells.
    """

    x_um: float
    y_um: float
    radius_um: float
    aspect: float
    angle: float
    wall_um: float
    bloody: float

    def polygon(self, grow_um: float = 0.0) -> Polygon:
        """The outline, (48, 2) µm."""
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        long_um = max(self.radius_um + grow_um, 0.3)
        short_um = max(self.radius_um * self.aspect + grow_um, 0.3)
        along, across = long_um * np.cos(t), short_um * np.sin(t)
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.stack([self.x_um + along * c - across * s, self.y_um + along * s + across * c], 1)


@dataclass(frozen=True)
class TractPlan:
    """One portal tract before it is cut by the core's edge.

    Attributes:
        polygons_um: outlines whose union is the tract.
        infiltrate: inflammation of this tract, 0 to 1.
        ducts: interlobular bile ducts.
        arteries: hepatic artery branches.
        veins: portal vein branches.
    """

    polygons_um: tuple[Polygon, ...]
    infiltrate: float
    ducts: tuple[Profile, ...]
    arteries: tuple[Profile, ...]
    veins: tuple[Profile, ...]


@dataclass(frozen=True)
class Septum:
    """A fibrous bridge along the edge of a lobule."""

    polygon_um: Polygon
    infiltrate: float


@dataclass(frozen=True)
class Layout:
    """A biopsy in vectors.

    Attributes:
        cores_um: outline of each tissue piece.
        centrelines_um: (N, 2) centreline of each core, tip to tip.
        central_veins: terminal hepatic veins.
        tracts: portal tracts.
        septa: fibrous septa (portal class).
        tears_um: clefts without tissue.
        foci_um: (N, 3) lobular inflammatory foci: x, y, radius.
    """

    cores_um: tuple[Polygon, ...]
    centrelines_um: tuple[Polygon, ...]
    central_veins: tuple[Profile, ...]
    tracts: tuple[TractPlan, ...]
    septa: tuple[Septum, ...]
    tears_um: tuple[Polygon, ...]
    foci_um: Polygon = field(default_factory=lambda: np.zeros((0, 3)))


def draw_layout(
    rng: np.random.Generator,
    disease: Disease,
    cores: list[tuple[Polygon, Polygon]],
) -> Layout:
    """Fill cores, (outline, centreline) pairs in µm, with lobules and tracts."""
    outlines = [outline for outline, _ in cores]
    low = np.min([outline.min(axis=0) for outline in outlines], axis=0) - 700
    high = np.max([outline.max(axis=0) for outline in outlines], axis=0) + 700
    centres = poisson_disc(rng, low, high, rng.uniform(850, 1150))
    tracts, septa = _portal_system(rng, disease, centres, outlines)
    veins = tuple(_central_vein(rng, disease, centre) for centre in centres)
    return Layout(
        cores_um=tuple(outlines),
        centrelines_um=tuple(line for _, line in cores),
        central_veins=tuple(v for v in veins if _near([v.x_um, v.y_um], outlines, 400)),
        tracts=tracts,
        septa=septa,
        tears_um=tuple(_tear(rng, outlines) for _ in range(rng.poisson(2))),
        foci_um=_foci(rng, disease, outlines),
    )


def draw_core(
    rng: np.random.Generator,
    length_um: float,
    width_um: float,
    start_um: tuple[float, float],
    bend: float = 0.15,
    angle: float = 0.0,
) -> tuple[Polygon, Polygon]:
    """Outline and centreline of a needle core that sets out at `angle` radians from x."""
    s = np.linspace(0, length_um, max(12, int(length_um / 100)))
    heading = bend * np.cumsum(rng.normal(0, 1, s.size)) * np.sqrt(100 / max(length_um, 100))
    heading += rng.normal(0, 0.05) + angle
    step = s[1] - s[0]
    line = np.stack([np.cumsum(np.cos(heading)), np.cumsum(np.sin(heading))], 1) * step
    line += np.asarray(start_um) - line[0]
    half = width_um / 2 * _width_profile(rng, s, length_um)
    normal = np.stack([-np.sin(heading), np.cos(heading)], 1)
    outline = np.concatenate([line + normal * half[:, None], (line - normal * half[:, None])[::-1]])
    return outline, line


def _width_profile(rng: np.random.Generator, s: Polygon, length_um: float) -> Polygon:
    waves = sum(
        rng.normal(0, 0.06) * np.sin(2 * np.pi * s / rng.uniform(1000, 4000) + rng.uniform(0, 6.3))
        for _ in range(3)
    )
    end = rng.uniform(80, 350)
    taper = np.clip(np.minimum(s, length_um - s) / end, 0, 1)
    return (1 + waves) * np.sqrt(np.clip(1 - (1 - taper) ** 2, 0.01, 1))


def poisson_disc(
    rng: np.random.Generator, low: Polygon, high: Polygon, distance_um: float
) -> Polygon:
    """Random points at least `distance_um` apart, by dart throwing on a jittered lattice."""
    spacing = distance_um * 1.05
    x = np.arange(low[0], high[0] + spacing, spacing)
    y = np.arange(low[1], high[1] + spacing, spacing * 0.87)
    grid = np.array([(cx + (k % 2) * spacing / 2, cy) for k, cy in enumerate(y) for cx in x])
    return grid + rng.uniform(-0.28, 0.28, grid.shape) * distance_um


def _portal_system(
    rng: np.random.Generator, disease: Disease, centres: Polygon, outlines: list[Polygon]
) -> tuple[tuple[TractPlan, ...], tuple[Septum, ...]]:
    diagram = Voronoi(centres)
    occupied = rng.random(len(diagram.vertices)) < rng.uniform(0.5, 0.72)
    sites = [v for v, yes in zip(diagram.vertices, occupied, strict=True) if yes]
    sites = [v for v in _spread(np.array(sites), 330.0) if _near(v, outlines, 400)]
    tracts = [_tract(rng, disease, site) for site in sites]
    tracts += [_tract(rng, disease, site) for site in _extra_sites(rng, sites, outlines)]
    septa: list[Septum] = []
    if disease.stage >= 3:
        septa = _septa(rng, disease, diagram, outlines, centres)
    return tuple(tracts), tuple(septa)


def _spread(points: Polygon, distance_um: float) -> Polygon:
    """Points thinned so that no two are closer than `distance_um`."""
    if len(points) == 0:
        return points
    kept = np.ones(len(points), bool)
    for first, second in sorted(cKDTree(points).query_pairs(distance_um)):
        kept[second] &= not kept[first]
    return points[kept]


def _extra_sites(
    rng: np.random.Generator, sites: list[Polygon], outlines: list[Polygon]
) -> list[Polygon]:
    """A few small tracts on lobule edges: terminal branches."""
    extra: list[Polygon] = []
    for outline in outlines:
        for _ in range(rng.poisson(0.15e-6 * _area(outline))):
            point = outline[rng.integers(len(outline))] * 0.5 + outline.mean(0) * 0.5
            point = point + rng.normal(0, 150, 2)
            if all(np.hypot(*(point - other)) > 330 for other in [*sites, *extra]):
                extra.append(point)
    return extra


_STAGE_SCALE = (1.0, 1.35, 1.75, 2.0, 2.0)
"""Tract diameter over normal, by stage (docs/phantom.md, fibrosis table)."""


def _tract(rng: np.random.Generator, disease: Disease, site: Polygon) -> TractPlan:
    diameter_um = float(np.clip(rng.lognormal(np.log(130), 0.45), 55, 520))
    inflamed = 1 + 0.35 * disease.infiltrate
    diameter_um = min(diameter_um * _STAGE_SCALE[disease.stage] * inflamed, 620)
    aspect = rng.uniform(2.0, 4.0) if rng.random() < 0.3 else rng.uniform(1.0, 1.6)
    angle = rng.uniform(0, np.pi)
    body = _blob(rng, site, diameter_um / 2, aspect, angle)
    tails = [_tail(rng, site, diameter_um, disease.stage) for _ in range(_tail_count(rng, disease))]
    infiltrate = float(np.clip(disease.infiltrate * rng.uniform(0.5, 1.3), 0, 1))
    ducts, arteries, veins = _triad(rng, site, diameter_um, aspect, angle, disease)
    return TractPlan((body, *tails), infiltrate, ducts, arteries, veins)


def _tail_count(rng: np.random.Generator, disease: Disease) -> int:
    return int(rng.poisson((0.5, 0.8, 2.2, 2.5, 2.0)[disease.stage]))


def _blob(
    rng: np.random.Generator, site: Polygon, radius_um: float, aspect: float, angle: float
) -> Polygon:
    t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    wobble = sum(
        rng.normal(0, 0.16 / k) * np.cos(k * t + rng.uniform(0, 2 * np.pi)) for k in range(2, 7)
    )
    radius = radius_um * np.clip(1 + wobble, 0.45, 1.7)
    along, across = radius * np.cos(t) * np.sqrt(aspect), radius * np.sin(t) / np.sqrt(aspect)
    c, s = np.cos(angle), np.sin(angle)
    return site + np.stack([along * c - across * s, along * s + across * c], 1)


def _tail(rng: np.random.Generator, site: Polygon, diameter_um: float, stage: int) -> Polygon:
    """A pointed extension, longer from stage 2 on."""
    length = diameter_um / 2 + rng.uniform(50, 200) * (1.6 if stage >= 2 else 0.8)
    angle = rng.uniform(0, 2 * np.pi)
    tip = site + length * np.array([np.cos(angle), np.sin(angle)])
    return ribbon(np.array([site, (site + tip) / 2 + rng.normal(0, 20, 2), tip]),
                  rng.uniform(30, 80) / 2, 6.0)  # fmt: skip


def ribbon(line_um: Polygon, half_start_um: float, half_end_um: float) -> Polygon:
    """A polyline smoothed and thickened, tapering from start to end."""
    t = np.linspace(0, 1, 24)
    knots = np.linspace(0, 1, len(line_um))
    path = np.stack([np.interp(t, knots, line_um[:, k]) for k in (0, 1)], 1)
    path[1:-1] = (path[:-2] + 2 * path[1:-1] + path[2:]) / 4
    direction = np.gradient(path, axis=0)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9
    normal = np.stack([-direction[:, 1], direction[:, 0]], 1)
    half = np.linspace(half_start_um, half_end_um, len(t))[:, None]
    return np.concatenate([path + normal * half, (path - normal * half)[::-1]])


def _triad(
    rng: np.random.Generator,
    site: Polygon,
    diameter_um: float,
    aspect: float,
    angle: float,
    disease: Disease,
) -> tuple[tuple[Profile, ...], tuple[Profile, ...], tuple[Profile, ...]]:
    """Ducts, arteries and portal veins with Crawford's counts (Hepatology 1998;28:323)."""
    room = diameter_um / 2 * 0.62
    size = np.clip(diameter_um / 180, 0.6, 2.2)

    def place() -> Polygon:
        r, t = room * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        along, across = r * np.cos(t) * np.sqrt(aspect), r * np.sin(t) / np.sqrt(aspect)
        return site + np.array([
            along * np.cos(angle) - across * np.sin(angle),
            along * np.sin(angle) + across * np.cos(angle),
        ])  # fmt: skip

    veins = []
    if rng.random() < 0.75:
        radius = float(np.clip(rng.lognormal(np.log(17 * size), 0.5), 6, diameter_um * 0.3))
        veins.append(_profile(rng, place(), radius, (0.45, 1.0), rng.uniform(1.0, 2.5)))
    arteries, ducts = [], []
    for _ in range(int(np.clip(rng.poisson(1.3 * size), 0 if rng.random() < 0.09 else 1, 7))):
        spot = place()
        radius = float(np.clip(rng.normal(6 * size**0.5, 2.2), 3.5, 28))
        arteries.append(_profile(rng, spot, radius, (0.7, 1.0), radius * rng.uniform(0.4, 0.65)))
        if rng.random() < 0.93:
            radius = float(np.clip(rng.normal(7.0 * size**0.5, 2.0), 4.5, 40))
            near = spot + rng.normal(0, 1, 2) * 16 * size**0.5
            ducts.append(_profile(rng, near, radius, (0.6, 1.0), radius * 0.6))
    for _ in range(rng.poisson(8 * disease.ductular_reaction * (disease.stage > 0))):
        t = rng.uniform(0, 2 * np.pi)
        rim = site + diameter_um / 2 * 0.85 * np.array([np.cos(t), np.sin(t)])
        ducts.append(_profile(rng, rim, rng.uniform(4, 9), (0.3, 0.9), 3.5))
    return tuple(ducts), tuple(arteries), tuple(veins)


def _profile(
    rng: np.random.Generator,
    spot: Polygon,
    radius_um: float,
    aspect: tuple[float, float],
    wall_um: float,
) -> Profile:
    return Profile(
        float(spot[0]),
        float(spot[1]),
        radius_um,
        rng.uniform(*aspect),
        rng.uniform(0, np.pi),
        wall_um,
        float(np.clip(rng.normal(0.35, 0.4), 0, 1)),
    )


def _central_vein(rng: np.random.Generator, disease: Disease, centre: Polygon) -> Profile:
    sublobular = rng.random() < 0.1
    radius = rng.uniform(75, 170) if sublobular else np.clip(rng.lognormal(np.log(28), 0.4), 12, 75)
    scar = disease.perivenular_scar * rng.uniform(0, 1)
    wall = rng.uniform(8, 25) if sublobular else rng.uniform(1.0, 3.5) + 16 * scar
    spot = centre + rng.normal(0, 40, 2)
    wall = min(wall, radius * (0.15 + 0.5 * scar))
    return _profile(rng, spot, float(radius), (0.35, 1.0), float(wall))


def _septa(
    rng: np.random.Generator,
    disease: Disease,
    diagram: Voronoi,
    outlines: list[Polygon],
    centres: Polygon,
) -> list[Septum]:
    """Bridges: some lobule edges at stage 3, nearly all at stage 4, and portal to central."""
    chance = 0.45 if disease.stage == 3 else 0.95
    septa = []
    for ends in diagram.ridge_vertices:
        if -1 in ends or rng.random() > chance:
            continue
        line = diagram.vertices[ends]
        if _near(line.mean(0), outlines, 700) and np.hypot(*(line[1] - line[0])) < 2500:
            septa.append(_septum(rng, disease, line))
    for vertex in diagram.vertices:
        if rng.random() < 0.12 * (disease.stage - 2) and _near(vertex, outlines, 500):
            nearest = centres[np.argmin(np.hypot(*(centres - vertex).T))]
            septa.append(_septum(rng, disease, np.array([vertex, nearest])))
    return septa


def _septum(rng: np.random.Generator, disease: Disease, line: Polygon) -> Septum:
    middle = line.mean(0) + rng.normal(0, 60, 2)
    width = float(np.clip(rng.lognormal(np.log(80 if disease.stage == 3 else 150), 0.5), 35, 450))
    path = np.array([line[0], middle, line[1]])
    end_factor = rng.uniform(0.6, 1.2)
    infiltrate = float(np.clip(disease.infiltrate * rng.uniform(0.3, 1.1), 0, 1))
    return Septum(ribbon(path, width / 2, width / 2 * end_factor), infiltrate)


def _tear(rng: np.random.Generator, outlines: list[Polygon]) -> Polygon:
    """A cleft that starts at the core's edge."""
    outline = outlines[rng.integers(len(outlines))]
    start = outline[rng.integers(len(outline))]
    inward = outline.mean(0) - start
    angle = np.arctan2(inward[1], inward[0]) + rng.normal(0, 0.8)
    length = rng.uniform(50, 450)
    tip = start + length * np.array([np.cos(angle), np.sin(angle)])
    bend = (start + tip) / 2 + rng.normal(0, 25, 2)
    return ribbon(np.array([start, bend, tip]), rng.uniform(4, 30), 1.0)


def _foci(rng: np.random.Generator, disease: Disease, outlines: list[Polygon]) -> Polygon:
    foci = []
    for outline in outlines:
        low, high = outline.min(0), outline.max(0)
        box_mm2 = float(np.prod(high - low)) * 1e-6
        for _ in range(rng.poisson(disease.lobular_foci_per_mm2 * box_mm2)):
            foci.append([*rng.uniform(low, high), rng.uniform(10, 42)])
    return np.array(foci).reshape(-1, 3)


def _near(point: Polygon | list[float], outlines: list[Polygon], distance_um: float) -> bool:
    return any(
        np.min(np.hypot(*(outline - np.asarray(point)).T)) < distance_um + 150
        for outline in outlines
    )


def _area(outline: Polygon) -> float:
    x, y = outline.T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)
