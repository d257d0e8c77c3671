"""Portal tracts and septa: outlines, triads and how inflamed each is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glisson.phantom.plan.disease import Disease
from glisson.phantom.plan.shapes import (
    Points,
    Profile,
    blob,
    draw_profile,
    ribbon,
    rotated,
    turn,
)


@dataclass(frozen=True)
class Tract:
    """One portal tract before it is cut by the core's edge.

    Attributes:
        polygons_um: outlines whose union is the tract, its body first.
        infiltrate: inflammation of this tract, 0 to 1.
        ducts: interlobular bile ducts.
        ductules: ductular reaction at the rim.
        arteries: hepatic artery branches.
        veins: portal vein branches.
        florid_duct: whether the first duct is large and inflamed.
        follicle_um: (x, y, radius) of a lymphoid follicle, or None.
        granuloma_um: (x, y, radius) of an epithelioid granuloma, or None.
    """

    polygons_um: tuple[Points, ...]
    infiltrate: float
    ducts: tuple[Profile, ...] = ()
    ductules: tuple[Profile, ...] = ()
    arteries: tuple[Profile, ...] = ()
    veins: tuple[Profile, ...] = ()
    florid_duct: bool = False
    follicle_um: Points | None = None
    granuloma_um: Points | None = None

    @property
    def centre_um(self) -> Points:
        """(2,) mean of the body's outline."""
        return np.asarray(self.polygons_um[0].mean(axis=0))

    def moved(self, shift_um: Points, scale: float = 1.0) -> Tract:
        """The tract in the next section: elsewhere, a little larger or smaller."""
        centre = self.centre_um
        shift_of_circle = np.append(shift_um, 0.0)
        return replace(
            self,
            polygons_um=tuple(centre + (p - centre) * scale + shift_um for p in self.polygons_um),
            ducts=tuple(p.moved(shift_um) for p in self.ducts),
            ductules=tuple(p.moved(shift_um) for p in self.ductules),
            arteries=tuple(p.moved(shift_um) for p in self.arteries),
            veins=tuple(p.moved(shift_um, scale) for p in self.veins),
            follicle_um=None if self.follicle_um is None else self.follicle_um + shift_of_circle,
            granuloma_um=None if self.granuloma_um is None else self.granuloma_um + shift_of_circle,
        )


@dataclass(frozen=True)
class Septum:
    """A fibrous bridge along the edge of a lobule."""

    polygon_um: Points
    infiltrate: float

    def moved(self, shift_um: Points) -> Septum:
        """The same bridge elsewhere."""
        return Septum(self.polygon_um + shift_um, self.infiltrate)


STAGE_SCALE = (1.0, 1.3, 1.6, 1.75, 1.8)
"""Tract diameter over normal by stage; gives the area fractions of docs/phantom.md."""
_TAILS = (0.4, 0.8, 2.4, 2.6, 2.0)
_MOST_UM = 620.0


def draw_tract(rng: np.random.Generator, disease: Disease, site_um: Points) -> Tract:
    """One tract at a place: diameter lognormal, round or cut lengthwise, with tails by stage."""
    body = _Body(rng, disease, site_um)
    infiltrate = float(np.clip(disease.infiltrate * rng.uniform(0.4, 1.6), 0, 1))
    florid = rng.random() < disease.florid_duct
    veins = _portal_veins(rng, body)
    arteries, ducts = _arteries_and_ducts(rng, disease, body, florid, veins)
    follicle = granuloma = None
    if rng.random() < disease.follicles * infiltrate:
        follicle = np.append(body.place(rng), min(rng.uniform(35, 90), body.diameter_um * 0.3))
        infiltrate = max(infiltrate, 0.5)
    if rng.random() < disease.portal_granuloma:
        granuloma = np.append(body.place(rng), min(rng.uniform(30, 85), body.diameter_um * 0.35))
    return Tract(
        (body.outline(rng), *_tails(rng, body, disease.stage)),
        max(infiltrate, 0.6) if florid else infiltrate,
        ducts,
        _ductules(rng, disease, body),
        arteries,
        veins,
        florid and bool(ducts),
        follicle,
        granuloma,
    )


class _Body:
    """Size and orientation of a tract, and random places in it."""

    def __init__(self, rng: np.random.Generator, disease: Disease, site_um: Points) -> None:
        wide = STAGE_SCALE[disease.stage] * disease.tract_scale * (1 + 0.3 * disease.infiltrate)
        diameter_um = float(np.clip(rng.lognormal(np.log(172), 0.5), 60, 540))
        self.site_um = site_um
        self.diameter_um = min(diameter_um * wide, _MOST_UM)
        self.aspect = rng.uniform(2.0, 4.5) if rng.random() < 0.28 else rng.uniform(1.0, 1.6)
        self.angle = rng.uniform(0, np.pi)
        self.size = float(np.clip(self.diameter_um / 180, 0.6, 2.2))

    def outline(self, rng: np.random.Generator) -> Points:
        return blob(rng, self.site_um, self.diameter_um / 2, self.aspect, self.angle)

    def place(self, rng: np.random.Generator, reach: float = 0.62) -> Points:
        r, t = self.diameter_um / 2 * reach * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        stretch = np.sqrt(self.aspect)
        return self.site_um + rotated(r * np.cos(t) * stretch, r * np.sin(t) / stretch, self.angle)


def _tails(rng: np.random.Generator, body: _Body, stage: int) -> list[Points]:
    """Pointed extensions, longer from stage 2 on."""
    return [_tail(rng, body, stage) for _ in range(rng.poisson(_TAILS[stage]))]


def _tail(rng: np.random.Generator, body: _Body, stage: int) -> Points:
    length = body.diameter_um / 2 + rng.uniform(50, 200) * (1.8 if stage >= 2 else 0.8)
    tip = body.site_um + length * turn(rng.uniform(0, 2 * np.pi))
    middle = (body.site_um + tip) / 2 + rng.normal(0, 20, 2)
    return ribbon(np.array([body.site_um, middle, tip]), rng.uniform(30, 80) / 2, 6.0)


def _portal_veins(rng: np.random.Generator, body: _Body) -> tuple[Profile, ...]:
    """0.7 veins a tract (Crawford 1998); 38 % of tracts have none."""
    veins = []
    for _ in range(int(rng.choice(3, p=[0.38, 0.52, 0.10]))):
        radius = np.clip(rng.lognormal(np.log(17 * body.size), 0.5), 6, body.diameter_um * 0.3)
        wall = rng.uniform(1.0, 2.5)
        veins.append(draw_profile(rng, body.place(rng), float(radius), (0.4, 1.0), wall))
    return tuple(veins)


def _arteries_and_ducts(
    rng: np.random.Generator,
    disease: Disease,
    body: _Body,
    florid: bool,
    veins: tuple[Profile, ...],
) -> tuple[tuple[Profile, ...], tuple[Profile, ...]]:
    """2.6 arteries and 2.3 ducts a tract, in pairs; 9 % lack an artery (Crawford 1998)."""
    arteries, ducts = [], []
    least = 0 if rng.random() < 0.09 else 1
    for _ in range(int(np.clip(rng.poisson(1.7 * body.size), least, 8))):
        spot = _beside(veins, body.place(rng), 10.0)
        radius = float(np.clip(rng.normal(6 * body.size**0.5, 2.2), 3.5, 28))
        wall = radius * rng.uniform(0.4, 0.65)
        arteries.append(draw_profile(rng, spot, radius, (0.7, 1.0), wall))
        if rng.random() < 0.93 * (1 - disease.duct_loss):
            near = _beside(veins, spot + rng.normal(0, 1, 2) * 16 * body.size**0.5, 10.0)
            ducts.append(_duct(rng, near, float(rng.normal(6.8 * body.size**0.5, 1.8))))
    if florid:
        spot = _beside(veins, body.place(rng, 0.3), 30.0)
        ducts.insert(0, _duct(rng, spot, float(rng.uniform(20, 38))))
    return tuple(arteries), tuple(ducts)


def _beside(veins: tuple[Profile, ...], spot_um: Points, room_um: float) -> Points:
    """A place pushed out of veins: ducts and arteries run beside them."""
    for vein in veins:
        away = spot_um - vein.centre_um
        distance = np.hypot(*away) + 1e-9
        spot_um = vein.centre_um + away / distance * max(distance, vein.radius_um + room_um)
    return spot_um


def _duct(rng: np.random.Generator, spot_um: Points, radius_um: float) -> Profile:
    radius_um = float(np.clip(radius_um, 4.5, 40))
    return draw_profile(rng, spot_um, radius_um, (0.6, 1.0), min(radius_um * 0.62, 9.0))


def _ductules(rng: np.random.Generator, disease: Disease, body: _Body) -> tuple[Profile, ...]:
    """Narrow strings of duct cells at the tract's rim."""
    ductules = []
    for _ in range(rng.poisson(10 * body.size * disease.ductular_reaction)):
        t = rng.uniform(0, 2 * np.pi)
        reach = body.diameter_um / 2 * rng.uniform(0.75, 0.98)
        stretch = np.sqrt(body.aspect)
        along, across = reach * np.cos(t) * stretch, reach * np.sin(t) / stretch
        spot = body.site_um + rotated(np.array(along), np.array(across), body.angle)
        ductules.append(draw_profile(rng, spot, rng.uniform(5, 13), (0.25, 0.8), 3.5))
    return tuple(ductules)


def draw_septum(rng: np.random.Generator, disease: Disease, line_um: Points) -> Septum:
    """A bridge from the first point of a line to its last."""
    middle = line_um.mean(0) + rng.normal(0, 60, 2)
    median_um = 115 if disease.stage == 3 else 215
    width = float(np.clip(rng.lognormal(np.log(median_um), 0.5), 35, 480))
    path = np.array([line_um[0], middle, line_um[-1]])
    infiltrate = float(np.clip(disease.infiltrate * rng.uniform(0.2, 1.3), 0, 1))
    return Septum(ribbon(path, width / 2, width / 2 * rng.uniform(0.6, 1.2)), infiltrate)
