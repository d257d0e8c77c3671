"""A biopsy in vectors: lobules laid out by central veins and tracts, cut by the needle."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial import Voronoi, cKDTree

from glisson_phantom.plan.disease import Disease
from glisson_phantom.plan.lesions import Lesions, draw_lesions
from glisson_phantom.plan.needle import Core
from glisson_phantom.plan.shapes import Points, Profile, draw_profile
from glisson_phantom.plan.tracts import Septum, Tract, draw_septum, draw_tract

_LOBULE_UM = (850.0, 1150.0)
_NEXT_TRACT_UM = 330.0
_MARGIN_UM = 700.0
_WIDE_SHARE = 0.06
_RIM_SHARE = 0.06
"""Of central veins in biopsies."""


@dataclass(frozen=True)
class CentralVein:
    """A terminal or sublobular hepatic vein.

    Attributes:
        profile: lumen and wall.
        scar_um: width of the collagen round it.
        sublobular: whether it is a large collecting vein.
    """

    profile: Profile
    scar_um: float
    sublobular: bool

    def moved(self, shift_um: Points, scale: float) -> CentralVein:
        """The vein in the next section."""
        return replace(self, profile=self.profile.moved(shift_um, scale))


@dataclass(frozen=True)
class Layout:
    """Everything on a slide that has a place.

    Attributes:
        cores: pieces of tissue.
        central_veins: hepatic veins.
        tracts: portal tracts.
        septa: fibrous septa (portal class).
        lesions: foci, granulomas, tears, capsule, crush and clots.
    """

    cores: tuple[Core, ...]
    central_veins: tuple[CentralVein, ...] = ()
    tracts: tuple[Tract, ...] = ()
    septa: tuple[Septum, ...] = ()
    lesions: Lesions = field(default_factory=Lesions)

    def joined(self, other: Layout) -> Layout:
        """Both on one slide."""
        return Layout(
            self.cores + other.cores,
            self.central_veins + other.central_veins,
            self.tracts + other.tracts,
            self.septa + other.septa,
            self.lesions.joined(other.lesions),
        )

    def next_section(self, rng: np.random.Generator, shift_um: Points) -> Layout:
        """The same tissue some micrometres deeper, elsewhere on the slide."""

        def wobble() -> Points:
            return np.asarray(shift_um + rng.normal(0, 8, 2))

        return Layout(
            tuple(core.moved(shift_um) for core in self.cores),
            tuple(v.moved(wobble(), rng.uniform(0.85, 1.15)) for v in self.central_veins),
            tuple(t.moved(wobble(), rng.uniform(0.88, 1.12)) for t in self.tracts),
            tuple(s.moved(wobble()) for s in self.septa),
            self.lesions.moved(shift_um),
        )


def lay_out(
    rng: np.random.Generator,
    disease: Disease,
    cores: list[Core],
    rare: float = 1.0,
    difficult_tracts: float = 1.0,
) -> Layout:
    """Fill cores with lobules: central veins regularly, tracts between them.

    Central veins seed a Voronoi diagram and tracts lie on its vertices (Lau et al., Sci Rep
    2021, s41598-021-88699-2); from stage 3 septa run along its edges. Collapse, capsule and
    clots are `rare` times as common as in biopsies, and so are by `difficult_tracts` the tracts
    that a model misses and the hepatic veins that it takes for tracts.
    """
    low = np.min([core.outline_um.min(axis=0) for core in cores], axis=0) - _MARGIN_UM
    high = np.max([core.outline_um.max(axis=0) for core in cores], axis=0) + _MARGIN_UM
    centres = jittered_lattice(rng, low, high, rng.uniform(*_LOBULE_UM))
    diagram = Voronoi(centres)
    near = _Nearness(cores)
    sites = _sites(rng, diagram, near)
    tracts = [draw_tract(rng, disease, site, difficult_tracts) for site in sites]
    septa = []
    if disease.stage >= 3:
        septa = _septa(rng, disease, diagram, centres, near, difficult_tracts)
    veins = [_central_vein(rng, disease, c, difficult_tracts) for c in centres if near(c, 400)]
    lesions = draw_lesions(rng, disease, cores, [v.profile.centre_um for v in veins], rare)
    return Layout(tuple(cores), tuple(veins), tuple(tracts), tuple(septa), lesions)


class _Nearness:
    """Whether a point is near any core."""

    def __init__(self, cores: list[Core]) -> None:
        self._tree = cKDTree(np.concatenate([core.outline_um for core in cores]))
        self._lines = cKDTree(np.concatenate([core.centreline_um for core in cores]))

    def __call__(self, point_um: Points, distance_um: float) -> bool:
        return bool(
            self._tree.query(point_um)[0] < distance_um
            or self._lines.query(point_um)[0] < distance_um
        )


def jittered_lattice(
    rng: np.random.Generator, low: Points, high: Points, distance_um: float
) -> Points:
    """Regular random points: a hexagonal lattice, jittered."""
    spacing = distance_um * 1.05
    x = np.arange(low[0] - spacing, high[0] + 2 * spacing, spacing)
    y = np.arange(low[1] - spacing, high[1] + 2 * spacing, spacing * 0.87)
    grid = np.array([(cx + (k % 2) * spacing / 2, cy) for k, cy in enumerate(y) for cx in x])
    return grid + rng.uniform(-0.28, 0.28, grid.shape) * distance_um


def _sites(rng: np.random.Generator, diagram: Voronoi, near: _Nearness) -> list[Points]:
    """Occupied vertices, and a few terminal branches on the edges between."""
    share = rng.uniform(0.22, 0.34)
    vertices = [v for v in diagram.vertices if near(v, 400) and rng.random() < share]
    edges = [
        diagram.vertices[ends].mean(axis=0)
        for ends in diagram.ridge_vertices
        if -1 not in ends and rng.random() < 0.03
    ]
    candidates = np.array([*vertices, *(e for e in edges if near(e, 400))]).reshape(-1, 2)
    return list(_spread(candidates, _NEXT_TRACT_UM))


def _spread(points: Points, distance_um: float) -> Points:
    """Points thinned so that no two are closer than `distance_um`."""
    if len(points) == 0:
        return points
    kept = np.ones(len(points), bool)
    for first, second in sorted(cKDTree(points).query_pairs(distance_um)):
        kept[second] &= not kept[first]
    return points[kept]


def _central_vein(
    rng: np.random.Generator, disease: Disease, centre_um: Points, difficult: float
) -> CentralVein:
    sublobular = rng.random() < 0.1
    radius = rng.uniform(75, 170) if sublobular else np.clip(rng.lognormal(np.log(28), 0.4), 12, 75)
    if disease.congestion > 0.4:
        radius *= rng.uniform(1.0, 1.4)
    wall = min(rng.uniform(4, 16) if sublobular else rng.uniform(1.0, 3.5), radius * 0.3)
    scar_um = disease.perivenular_scar * rng.uniform(0, 1) * (30 + 0.5 * radius)
    spot = centre_um + rng.normal(0, 40, 2)
    profile = draw_profile(rng, spot, float(radius), (0.35, 1.0), float(wall))
    vein = CentralVein(profile, float(scar_um if scar_um > 4 else 0.0), sublobular)
    return _like_a_portal_vein(rng, vein, difficult)


def _like_a_portal_vein(
    rng: np.random.Generator, vein: CentralVein, difficult: float
) -> CentralVein:
    """Some are wide and empty, or cut lengthwise, or have a thin rim of collagen."""
    (own,) = rng.spawn(1)
    profile = vein.profile
    if own.random() < min(_WIDE_SHARE * difficult, 0.4) and not vein.sublobular:
        radius_um, aspect = float(own.uniform(35, 110)), float(own.uniform(0.4, 1.0))
        if own.random() < 0.4:
            radius_um, aspect = float(own.uniform(70, 220)), float(own.uniform(0.12, 0.3))
        wall_um = float(own.uniform(0.6, 3.0))
        profile = replace(profile, radius_um=radius_um, aspect=aspect, wall_um=wall_um)
        profile = replace(profile, filling=0.0 if own.random() < 0.6 else profile.filling)
    scar_um = vein.scar_um
    if scar_um == 0 and own.random() < min(_RIM_SHARE * difficult, 0.4):
        scar_um = float(own.uniform(4, 14))
    return replace(vein, profile=profile, scar_um=scar_um)


def _septa(
    rng: np.random.Generator,
    disease: Disease,
    diagram: Voronoi,
    centres: Points,
    near: _Nearness,
    difficult: float,
) -> list[Septum]:
    """Bridges: some lobule edges at stage 3, nearly all at stage 4, and portal to central."""
    chance = 0.6 if disease.stage == 3 else 0.95
    septa = []
    for ends in diagram.ridge_vertices:
        if -1 in ends or rng.random() > chance:
            continue
        line = diagram.vertices[ends]
        if near(line.mean(0), 700) and np.hypot(*(line[1] - line[0])) < 2500:
            septa.append(draw_septum(rng, disease, line, difficult))
    for vertex in diagram.vertices:
        if rng.random() < 0.10 * (disease.stage - 2) and near(vertex, 500):
            nearest = centres[np.argmin(np.hypot(*(centres - vertex).T))]
            line = np.array([vertex, nearest])
            septa.append(draw_septum(rng, disease, line, difficult))
    return septa
