"""Foci, granulomas and collapse in the lobule; capsule, tears, crush and clots of the core."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from glisson_phantom.plan.disease import Disease
from glisson_phantom.plan.needle import Core
from glisson_phantom.plan.shapes import Points, draw_blob, thicken_line, unit_vector


def _no_circles() -> Points:
    return np.zeros((0, 3))


@dataclass(frozen=True)
class Lesions:
    """Lesions of the lobule and damage to the core.

    Attributes:
        foci_um: (N, 3) lobular inflammatory foci: x, y, radius.
        granulomas_um: (N, 3) epithelioid granulomas.
        crush_um: (N, 3) crushed places.
        collapse_um: bands of bridging necrosis.
        capsule_um: strips of Glisson's capsule.
        tears_um: clefts without tissue.
        clots_um: blood clots beside the core.
    """

    foci_um: Points = field(default_factory=_no_circles)
    granulomas_um: Points = field(default_factory=_no_circles)
    crush_um: Points = field(default_factory=_no_circles)
    collapse_um: tuple[Points, ...] = ()
    capsule_um: tuple[Points, ...] = ()
    tears_um: tuple[Points, ...] = ()
    clots_um: tuple[Points, ...] = ()

    def join(self, other: Lesions) -> Lesions:
        """Return the lesions of both."""
        return Lesions(
            np.concatenate([self.foci_um, other.foci_um]),
            np.concatenate([self.granulomas_um, other.granulomas_um]),
            np.concatenate([self.crush_um, other.crush_um]),
            self.collapse_um + other.collapse_um,
            self.capsule_um + other.capsule_um,
            self.tears_um + other.tears_um,
            self.clots_um + other.clots_um,
        )

    def move(self, shift_um: Points) -> Lesions:
        """Return the lesions elsewhere."""
        circle = np.append(shift_um, 0.0)
        return Lesions(
            self.foci_um + circle,
            self.granulomas_um + circle,
            self.crush_um + circle,
            *(
                tuple(polygon + shift_um for polygon in polygons)
                for polygons in (self.collapse_um, self.capsule_um, self.tears_um, self.clots_um)
            ),
        )


def draw_lesions(
    rng: np.random.Generator,
    disease: Disease,
    cores: list[Core],
    veins_um: list[Points],
    rare: float = 1.0,
) -> Lesions:
    """Draw the lesions of cores, as common as the disease makes them.

    Few biopsies show collapse, capsule and clots; `rare` multiplies their frequency in tiles.
    """
    granulomas = _draw_circles(rng, cores, disease.granulomas_per_mm2, (28, 95))
    return Lesions(
        foci_um=_draw_circles(rng, cores, disease.foci_per_mm2, (9, 42)),
        granulomas_um=granulomas,
        crush_um=_draw_crush_places(rng, cores),
        collapse_um=_draw_collapse_bands(rng, disease, veins_um, rare),
        capsule_um=_draw_capsule_strips(rng, cores, rare),
        tears_um=tuple(
            _draw_tear(rng, core, veins_um)
            for core in cores
            for _ in range(rng.poisson(core.length_um / 2000))  # half a tear a mm of core
        ),
        clots_um=tuple(_draw_clot(rng, core) for core in cores if rng.random() < 0.12 * rare),
    )


def _draw_circles(
    rng: np.random.Generator, cores: list[Core], per_mm2: float, radius_um: tuple[float, float]
) -> Points:
    circles = []
    for core in cores:
        low, high = core.outline_um.min(0), core.outline_um.max(0)
        box_mm2 = float(np.prod(high - low)) * 1e-6
        for _ in range(rng.poisson(per_mm2 * box_mm2)):
            circles.append([*rng.uniform(low, high), rng.uniform(*radius_um)])
    return np.array(circles).reshape(-1, 3)


def _draw_crush_places(rng: np.random.Generator, cores: list[Core]) -> Points:
    """Crush the end or the edge of one core in three."""
    places = []
    for core in cores:
        if rng.random() < 0.3:
            end = core.centreline_um[0 if rng.random() < 0.5 else -1]
            spot = (
                end if rng.random() < 0.6 else core.outline_um[rng.integers(len(core.outline_um))]
            )
            places.append([*spot, rng.uniform(60, 220)])
    return np.array(places).reshape(-1, 3)


def _draw_collapse_bands(
    rng: np.random.Generator, disease: Disease, veins_um: list[Points], rare: float
) -> tuple[Points, ...]:
    """Draw bands of necrosis from a central vein to its neighbours."""
    bands = []
    for index, vein in enumerate(veins_um):
        for other in veins_um[index + 1 :]:
            if np.hypot(*(vein - other)) < 1300 and rng.random() < 0.4 * disease.collapse * rare:
                middle = (vein + other) / 2 + rng.normal(0, 80, 2)
                half = rng.uniform(35, 110)
                bands.append(thicken_line(np.array([vein, middle, other]), half, half))
    return tuple(bands)


def _draw_capsule_strips(
    rng: np.random.Generator, cores: list[Core], rare: float
) -> tuple[Points, ...]:
    """Draw the capsule across one end of a core in eight, or along part of its side."""
    strips = []
    for core in cores:
        if rng.random() > 0.12 * rare:
            continue
        half = rng.uniform(20, 80)
        if rng.random() < 0.6:
            strips.append(_cross_tip(rng, core, half))
        else:
            strips.append(_follow_side(rng, core, half))
    return tuple(strips)


def _cross_tip(rng: np.random.Generator, core: Core, half_um: float) -> Points:
    line = core.centreline_um if rng.random() < 0.5 else core.centreline_um[::-1]
    inward = line[min(3, len(line) - 1)] - line[0]
    inward = inward / (np.hypot(*inward) + 1e-9)
    across = np.array([-inward[1], inward[0]])
    middle = line[0] + inward * (half_um + rng.uniform(0, 60))
    bow = inward * rng.uniform(-60, 60)
    line_um = np.array([middle - across * 900, middle + bow, middle + across * 900])
    return thicken_line(line_um, half_um, half_um)


def _follow_side(rng: np.random.Generator, core: Core, half_um: float) -> Points:
    side = core.outline_um[: len(core.outline_um) // 2]
    span = min(len(side) - 1, int(rng.integers(8, 30)))
    start = int(rng.integers(0, len(side) - span))
    return thicken_line(side[start : start + span + 1 : max(1, span // 4)], half_um, half_um * 0.6)


def _draw_tear(rng: np.random.Generator, core: Core, veins_um: list[Points]) -> Points:
    """Draw a cleft from the edge inwards, mostly towards a central vein."""
    start = core.outline_um[rng.integers(len(core.outline_um))]
    target = core.centreline_um[np.argmin(np.hypot(*(core.centreline_um - start).T))]
    if veins_um and rng.random() < 0.6:
        nearest = min(veins_um, key=lambda vein: float(np.hypot(*(vein - start))))
        target = nearest if np.hypot(*(nearest - start)) < 500 else target
    inward = target - start
    tip = start + rng.uniform(50, 600) * unit_vector(np.arctan2(*inward[::-1]) + rng.normal(0, 0.4))
    middle = (start + tip) / 2 + rng.normal(0, 25, 2)
    return thicken_line(np.array([start, middle, tip]), rng.uniform(4, 30), 1.0)


def _draw_clot(rng: np.random.Generator, core: Core) -> Points:
    """Draw blood and fibrin against the core's side, or some distance away."""
    outline = core.outline_um
    spot = outline[rng.integers(len(outline))]
    outward = spot - core.centreline_um[np.argmin(np.hypot(*(core.centreline_um - spot).T))]
    outward = outward / (np.hypot(*outward) + 1e-9)
    radius = float(np.clip(rng.lognormal(np.log(140), 0.6), 40, 700))
    away = rng.choice([0.6, 1.3]) * radius
    angle = np.arctan2(outward[1], outward[0]) + np.pi / 2
    return draw_blob(rng, spot + outward * away, radius, rng.uniform(1.2, 3.0), angle)
