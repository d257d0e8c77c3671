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
"""Share of central veins in biopsies."""


@dataclass(frozen=True)
class CentralVein:
    """A terminal or sublobular hepatic vein.

    Attributes:
        profile: lumen and wall.
        scar_um: width of the collagen round the vein.
        sublobular: whether the vein is a large collecting vein.
    """

    profile: Profile
    scar_um: float
    sublobular: bool

    def move(self, shift_um: Points, scale: float) -> CentralVein:
        """Return the vein elsewhere, `scale` times as large."""
        return replace(self, profile=self.profile.move(shift_um, scale))


@dataclass(frozen=True)
class Layout:
    """The structures of a slide and their places.

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

    def join(self, other: Layout) -> Layout:
        """Return the layout of both on one slide."""
        return Layout(
            self.cores + other.cores,
            self.central_veins + other.central_veins,
            self.tracts + other.tracts,
            self.septa + other.septa,
            self.lesions.join(other.lesions),
        )

    def next_section(self, rng: np.random.Generator, shift_um: Points) -> Layout:
        """Return the same tissue some micrometres deeper, elsewhere on the slide."""

        def draw_shift() -> Points:
            return np.asarray(shift_um + rng.normal(0, 8, 2))

        return Layout(
            tuple(core.move(shift_um) for core in self.cores),
            tuple(v.move(draw_shift(), rng.uniform(0.85, 1.15)) for v in self.central_veins),
            tuple(t.move(draw_shift(), rng.uniform(0.88, 1.12)) for t in self.tracts),
            tuple(s.move(draw_shift()) for s in self.septa),
            self.lesions.move(shift_um),
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
    2021, s41598-021-88699-2); from stage 3 septa run along its edges.

    Args:
        rng: source of randomness.
        disease: disease of the liver.
        cores: pieces of tissue.
        rare: frequency of collapse, capsule and clots, as a multiple of that in biopsies.
        difficult_tracts: frequency of tracts that models miss, and of hepatic veins that models
            take for tracts, as a multiple of that in biopsies.
    """
    low = np.min([core.outline_um.min(axis=0) for core in cores], axis=0) - _MARGIN_UM
    high = np.max([core.outline_um.max(axis=0) for core in cores], axis=0) + _MARGIN_UM
    lobules = _Lobules(draw_lattice(rng, low, high, rng.uniform(*_LOBULE_UM)), cores)
    sites = _draw_sites(rng, lobules)
    tracts = [draw_tract(rng, disease, site, difficult_tracts) for site in sites]
    septa = _draw_septa(rng, disease, lobules, difficult_tracts) if disease.stage >= 3 else []
    veins = [
        _draw_central_vein(rng, disease, centre, difficult_tracts)
        for centre in lobules.centres_um
        if lobules.are_near(centre, 400)
    ]
    lesions = draw_lesions(rng, disease, cores, [v.profile.centre_um for v in veins], rare)
    return Layout(tuple(cores), tuple(veins), tuple(tracts), tuple(septa), lesions)


class _Lobules:
    """The Voronoi diagram of central veins, and distances of places to the cores.

    Attributes:
        centres_um: (N, 2) centres of lobules.
        diagram: lobules as cells; tracts lie on vertices, septa on edges.
    """

    def __init__(self, centres_um: Points, cores: list[Core]) -> None:
        self.centres_um = centres_um
        self.diagram = Voronoi(centres_um)
        self._outlines = cKDTree(np.concatenate([core.outline_um for core in cores]))
        self._lines = cKDTree(np.concatenate([core.centreline_um for core in cores]))

    def are_near(self, point_um: Points, distance_um: float) -> bool:
        """Return whether any core is nearer to a point than `distance_um`."""
        trees = (self._outlines, self._lines)
        return any(bool(tree.query(point_um)[0] < distance_um) for tree in trees)


def draw_lattice(rng: np.random.Generator, low: Points, high: Points, distance_um: float) -> Points:
    """Draw regular random points: a hexagonal lattice, jittered."""
    spacing = distance_um * 1.05
    x = np.arange(low[0] - spacing, high[0] + 2 * spacing, spacing)
    y = np.arange(low[1] - spacing, high[1] + 2 * spacing, spacing * 0.87)
    grid = np.array([(cx + (k % 2) * spacing / 2, cy) for k, cy in enumerate(y) for cx in x])
    return grid + rng.uniform(-0.28, 0.28, grid.shape) * distance_um


def _draw_sites(rng: np.random.Generator, lobules: _Lobules) -> list[Points]:
    """Choose vertices for tracts, and a few places on edges for terminal branches."""
    share = rng.uniform(0.22, 0.34)
    vertices = [
        vertex
        for vertex in lobules.diagram.vertices
        if lobules.are_near(vertex, 400) and rng.random() < share
    ]
    edges = [
        lobules.diagram.vertices[ends].mean(axis=0)
        for ends in lobules.diagram.ridge_vertices
        if -1 not in ends and rng.random() < 0.03
    ]
    candidates = np.array(
        [*vertices, *(edge for edge in edges if lobules.are_near(edge, 400))]
    ).reshape(-1, 2)
    return list(_thin_out(candidates, _NEXT_TRACT_UM))


def _thin_out(points: Points, distance_um: float) -> Points:
    """Drop points so that no two are closer than `distance_um`."""
    if len(points) == 0:
        return points
    stays = np.ones(len(points), bool)
    for first, second in sorted(cKDTree(points).query_pairs(distance_um)):
        stays[second] &= not stays[first]
    return points[stays]


def _draw_central_vein(
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
    return _imitate_portal_vein(rng, vein, difficult)


def _imitate_portal_vein(
    rng: np.random.Generator, vein: CentralVein, difficult: float
) -> CentralVein:
    """Make some veins wide and empty, or cut lengthwise, or give them a thin rim of collagen."""
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


def _draw_septa(
    rng: np.random.Generator, disease: Disease, lobules: _Lobules, difficult: float
) -> list[Septum]:
    """Draw bridges: some lobule edges at stage 3, nearly all at stage 4, and portal to central."""
    chance = 0.6 if disease.stage == 3 else 0.95
    vertices, centres_um = lobules.diagram.vertices, lobules.centres_um
    septa = []
    for ends in lobules.diagram.ridge_vertices:
        if -1 in ends or rng.random() > chance:
            continue
        line_um = vertices[ends]
        is_short = np.hypot(*(line_um[1] - line_um[0])) < 2500
        if is_short and lobules.are_near(line_um.mean(0), 700):
            septa.append(draw_septum(rng, disease, line_um, difficult))
    for vertex in vertices:
        if rng.random() < 0.10 * (disease.stage - 2) and lobules.are_near(vertex, 500):
            nearest = centres_um[np.argmin(np.hypot(*(centres_um - vertex).T))]
            septa.append(draw_septum(rng, disease, np.array([vertex, nearest]), difficult))
    return septa
