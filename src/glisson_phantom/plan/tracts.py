"""Portal tracts and septa: outlines, triads, inflammation and stroma."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glisson_phantom.plan.disease import Disease
from glisson_phantom.plan.large_vessels import (
    LARGE_TRACT_SHARE,
    THICK_ARTERY_SHARE,
    WIDE_VEIN_SHARE,
    draw_large_vein,
    draw_rim,
    draw_side,
    draw_thick_artery,
    draw_wide_vein,
    move_out,
)
from glisson_phantom.plan.shapes import (
    Points,
    Profile,
    draw_blob,
    draw_profile,
    rotate,
    thicken_line,
    unit_vector,
)
from glisson_phantom.plan.stroma import PLAIN_STROMA, Stroma, draw_stroma, draw_unusual_stroma


@dataclass(frozen=True)
class Tract:
    """One portal tract before the core's edge cuts it.

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
        stroma: connective tissue of the tract.
        has_rim_only: whether a wide vein fills the tract up to a rim.
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
    stroma: Stroma = PLAIN_STROMA
    has_rim_only: bool = False

    @property
    def centre_um(self) -> Points:
        """Return the (2,) mean of the body's outline."""
        return np.asarray(self.polygons_um[0].mean(axis=0))

    def move(self, shift_um: Points, scale: float = 1.0) -> Tract:
        """Return the tract in the next section: elsewhere, `scale` times as large."""
        centre = self.centre_um
        shift_of_circle = np.append(shift_um, 0.0)
        return replace(
            self,
            polygons_um=tuple(centre + (p - centre) * scale + shift_um for p in self.polygons_um),
            ducts=tuple(p.move(shift_um) for p in self.ducts),
            ductules=tuple(p.move(shift_um) for p in self.ductules),
            arteries=tuple(p.move(shift_um) for p in self.arteries),
            veins=tuple(p.move(shift_um, scale) for p in self.veins),
            follicle_um=None if self.follicle_um is None else self.follicle_um + shift_of_circle,
            granuloma_um=None if self.granuloma_um is None else self.granuloma_um + shift_of_circle,
        )


@dataclass(frozen=True)
class Septum:
    """A fibrous bridge along the edge of a lobule."""

    polygon_um: Points
    infiltrate: float
    stroma: Stroma = PLAIN_STROMA

    def move(self, shift_um: Points) -> Septum:
        """Return the bridge elsewhere."""
        return replace(self, polygon_um=self.polygon_um + shift_um)


STAGE_SCALE = (1.0, 1.3, 1.6, 1.75, 1.8)
"""Tract diameter over normal by stage; gives the area fractions of docs/phantom.md."""
_TAILS = (0.4, 0.8, 2.4, 2.6, 2.0)
_MOST_UM = 620.0


def draw_tract(
    rng: np.random.Generator, disease: Disease, site_um: Points, difficult: float = 1.0
) -> Tract:
    """Draw one tract at a place.

    Most are plain: diameter lognormal, round or cut lengthwise, with tails by stage. `difficult`
    times as often as in biopsies, a large vessel or unusual stroma shapes the tract.
    """
    tract = _draw_plain_tract(rng, disease, site_um)
    (own,) = rng.spawn(1)
    chance = own.random()
    if chance < min(LARGE_TRACT_SHARE * difficult, 0.15):
        return _draw_large_tract(own, disease, site_um)
    if chance > 1 - min(WIDE_VEIN_SHARE * difficult, 0.5):
        return _draw_wide_vein_tract(own, disease, tract)
    if own.random() < THICK_ARTERY_SHARE * difficult:
        tract = _thicken_artery(own, tract)
    return _set_stroma(draw_stroma(own, tract.infiltrate, difficult), tract, own)


def _set_stroma(stroma: Stroma, tract: Tract, rng: np.random.Generator) -> Tract:
    """Return the tract with this stroma and an inflammation that fits the stroma."""
    infiltrate = tract.infiltrate
    if stroma.packed:
        infiltrate = max(infiltrate, float(rng.uniform(0.55, 1.0)))
    elif (stroma.hyaline or stroma.myxoid) and rng.random() < 0.7:
        infiltrate *= float(rng.uniform(0.0, 0.4))
    return replace(tract, stroma=stroma, infiltrate=infiltrate)


def _draw_wide_vein_tract(rng: np.random.Generator, disease: Disease, plain: Tract) -> Tract:
    """Draw a quiet tract: a wide vein in a narrow rim, with a small duct and artery beside."""
    vein = draw_wide_vein(rng, plain.centre_um)
    side_um, side_radius_um = draw_side(rng, vein)

    def draw_spot() -> Points:
        return move_out(vein, side_um + rng.normal(0, 0.3, 2) * side_radius_um, 8.0)

    artery_um = [float(rng.uniform(3.5, 8)) for _ in range(rng.choice(3, p=[0.09, 0.66, 0.25]))]
    duct_um = [float(rng.uniform(4.5, 10)) for _ in range(rng.choice(3, p=[0.04, 0.71, 0.25]))]
    tails = plain.polygons_um[1:] if rng.random() < 0.3 else ()
    tract = Tract(
        (*draw_rim(rng, vein, side_um, side_radius_um), *tails),
        plain.infiltrate * float(1.0 if rng.random() < 0.2 else rng.uniform(0, 0.25)),
        ducts=tuple(
            _draw_duct(rng, draw_spot(), r) for r in duct_um if rng.random() > disease.duct_loss
        ),
        arteries=tuple(draw_profile(rng, draw_spot(), r, (0.7, 1.0), r * 0.5) for r in artery_um),
        veins=(vein,),
        has_rim_only=True,
    )
    return replace(tract, stroma=draw_stroma(rng, tract.infiltrate))


def _draw_large_tract(rng: np.random.Generator, disease: Disease, site_um: Points) -> Tract:
    """Draw a tract as near the hilum: much stroma, a wide vein, thick arteries, large ducts."""
    body = _Body(rng, disease, site_um, diameter_um=float(rng.uniform(380, 900)))
    body.aspect = float(rng.uniform(1.0, 2.2))
    veins = (draw_large_vein(rng, body.place(rng, 0.5), body.diameter_um),)
    small_arteries, small_ducts = _draw_arteries_and_ducts(rng, disease, body, False, veins)
    arteries: list[Profile] = []
    for _ in range(int(rng.integers(0, 4))):
        artery = draw_thick_artery(rng, body.place(rng), 0.1 * body.diameter_um)
        arteries.append(_move_aside(artery, (*veins, *arteries)))
    ducts: list[Profile] = []
    for _ in range(int(rng.integers(0, 3))):
        duct = _draw_duct(rng, body.place(rng), float(rng.uniform(10, 40)))
        ducts.append(_move_aside(duct, (*veins, *arteries, *ducts)))
    tract = Tract(
        (body.outline(rng), *_draw_tails(rng, body, disease.stage)),
        float(np.clip(disease.infiltrate * rng.uniform(0.2, 1.3), 0, 1)),
        (*ducts, *small_ducts),
        arteries=(*arteries, *small_arteries),
        veins=veins,
    )
    unusual = rng.random() < 0.75
    draw = draw_unusual_stroma if unusual else draw_stroma
    return _set_stroma(draw(rng, tract.infiltrate), tract, rng)


def _thicken_artery(rng: np.random.Generator, tract: Tract) -> Tract:
    """Return the tract with its first artery large and thick-walled."""
    if not tract.arteries:
        return tract
    width_um = float(np.sqrt(np.prod(np.ptp(tract.polygons_um[0], axis=0))))
    artery = draw_thick_artery(rng, tract.arteries[0].centre_um, 0.22 * width_um)
    artery = _move_aside(artery, tract.veins)
    return replace(tract, arteries=(artery, *tract.arteries[1:]))


def _move_aside(profile: Profile, others: tuple[Profile, ...]) -> Profile:
    """Move a profile out of others."""
    spot = _push_out(others, profile.centre_um, profile.radius_um + 4.0)
    return profile.move(spot - profile.centre_um)


def _draw_plain_tract(rng: np.random.Generator, disease: Disease, site_um: Points) -> Tract:
    body = _Body(rng, disease, site_um)
    infiltrate = float(np.clip(disease.infiltrate * rng.uniform(0.4, 1.6), 0, 1))
    florid = rng.random() < disease.florid_duct
    veins = _draw_veins(rng, body)
    arteries, ducts = _draw_arteries_and_ducts(rng, disease, body, florid, veins)
    follicle = granuloma = None
    if rng.random() < disease.follicles * infiltrate:
        follicle = np.append(body.place(rng), min(rng.uniform(35, 90), body.diameter_um * 0.3))
        infiltrate = max(infiltrate, 0.5)
    if rng.random() < disease.portal_granuloma:
        granuloma = np.append(body.place(rng), min(rng.uniform(30, 85), body.diameter_um * 0.35))
    return Tract(
        (body.outline(rng), *_draw_tails(rng, body, disease.stage)),
        max(infiltrate, 0.6) if florid else infiltrate,
        ducts,
        _draw_ductules(rng, disease, body),
        arteries,
        veins,
        florid and bool(ducts),
        follicle,
        granuloma,
    )


class _Body:
    """Size and orientation of a tract, and random places in it."""

    def __init__(
        self,
        rng: np.random.Generator,
        disease: Disease,
        site_um: Points,
        diameter_um: float | None = None,
    ) -> None:
        wide = STAGE_SCALE[disease.stage] * disease.tract_scale * (1 + 0.3 * disease.infiltrate)
        drawn_um = float(np.clip(rng.lognormal(np.log(172), 0.5), 60, 540))
        self.site_um = site_um
        self.diameter_um = min(drawn_um * wide, _MOST_UM) if diameter_um is None else diameter_um
        self.aspect = rng.uniform(2.0, 4.5) if rng.random() < 0.28 else rng.uniform(1.0, 1.6)
        self.angle = rng.uniform(0, np.pi)
        self.size = float(np.clip(self.diameter_um / 180, 0.6, 2.2))

    def outline(self, rng: np.random.Generator) -> Points:
        """Draw the outline of the tract's body."""
        return draw_blob(rng, self.site_um, self.diameter_um / 2, self.aspect, self.angle)

    def place(self, rng: np.random.Generator, reach: float = 0.62) -> Points:
        """Draw a place in the body, within `reach` of its half width."""
        r, t = self.diameter_um / 2 * reach * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        stretch = np.sqrt(self.aspect)
        return self.site_um + rotate(r * np.cos(t) * stretch, r * np.sin(t) / stretch, self.angle)


def _draw_tails(rng: np.random.Generator, body: _Body, stage: int) -> list[Points]:
    """Draw pointed extensions, longer from stage 2 on."""
    tails = []
    for _ in range(rng.poisson(_TAILS[stage])):
        length_um = body.diameter_um / 2 + rng.uniform(50, 200) * (1.8 if stage >= 2 else 0.8)
        tip = body.site_um + length_um * unit_vector(rng.uniform(0, 2 * np.pi))
        middle = (body.site_um + tip) / 2 + rng.normal(0, 20, 2)
        line_um = np.array([body.site_um, middle, tip])
        tails.append(thicken_line(line_um, rng.uniform(30, 80) / 2, 6.0))
    return tails


def _draw_veins(rng: np.random.Generator, body: _Body) -> tuple[Profile, ...]:
    """Draw 0.7 veins a tract (Crawford 1998); 38 % of tracts have no vein."""
    veins = []
    for _ in range(int(rng.choice(3, p=[0.38, 0.52, 0.10]))):
        radius = np.clip(rng.lognormal(np.log(17 * body.size), 0.5), 6, body.diameter_um * 0.3)
        wall = rng.uniform(1.0, 2.5)
        veins.append(draw_profile(rng, body.place(rng), float(radius), (0.4, 1.0), wall))
    return tuple(veins)


def _draw_arteries_and_ducts(
    rng: np.random.Generator,
    disease: Disease,
    body: _Body,
    florid: bool,
    veins: tuple[Profile, ...],
) -> tuple[tuple[Profile, ...], tuple[Profile, ...]]:
    """Draw 2.6 arteries and 2.3 ducts a tract in pairs; 9 % lack an artery (Crawford 1998)."""
    arteries, ducts = [], []
    least = 0 if rng.random() < 0.09 else 1
    for _ in range(int(np.clip(rng.poisson(1.7 * body.size), least, 8))):
        spot = _push_out(veins, body.place(rng), 10.0)
        radius = float(np.clip(rng.normal(6 * body.size**0.5, 2.2), 3.5, 28))
        wall = radius * rng.uniform(0.4, 0.65)
        arteries.append(draw_profile(rng, spot, radius, (0.7, 1.0), wall))
        if rng.random() < 0.93 * (1 - disease.duct_loss):
            near = _push_out(veins, spot + rng.normal(0, 1, 2) * 16 * body.size**0.5, 10.0)
            ducts.append(_draw_duct(rng, near, float(rng.normal(6.8 * body.size**0.5, 1.8))))
    if florid:
        spot = _push_out(veins, body.place(rng, 0.3), 30.0)
        ducts.insert(0, _draw_duct(rng, spot, float(rng.uniform(20, 38))))
    return tuple(arteries), tuple(ducts)


def _push_out(veins: tuple[Profile, ...], spot_um: Points, room_um: float) -> Points:
    """Push a place out of veins: ducts and arteries run beside veins."""
    for vein in veins:
        away = spot_um - vein.centre_um
        distance = np.hypot(*away) + 1e-9
        spot_um = vein.centre_um + away / distance * max(distance, vein.radius_um + room_um)
    return spot_um


def _draw_duct(rng: np.random.Generator, spot_um: Points, radius_um: float) -> Profile:
    radius_um = float(np.clip(radius_um, 4.5, 40))
    return draw_profile(rng, spot_um, radius_um, (0.6, 1.0), min(radius_um * 0.62, 9.0))


def _draw_ductules(rng: np.random.Generator, disease: Disease, body: _Body) -> tuple[Profile, ...]:
    """Draw narrow strings of duct cells at the tract's rim."""
    ductules = []
    for _ in range(rng.poisson(10 * body.size * disease.ductular_reaction)):
        t = rng.uniform(0, 2 * np.pi)
        reach = body.diameter_um / 2 * rng.uniform(0.75, 0.98)
        stretch = np.sqrt(body.aspect)
        along, across = reach * np.cos(t) * stretch, reach * np.sin(t) / stretch
        spot = body.site_um + rotate(np.array(along), np.array(across), body.angle)
        ductules.append(draw_profile(rng, spot, rng.uniform(5, 13), (0.25, 0.8), 3.5))
    return tuple(ductules)


def draw_septum(
    rng: np.random.Generator, disease: Disease, line_um: Points, difficult: float = 1.0
) -> Septum:
    """Draw a bridge from the first point of a line to its last."""
    middle = line_um.mean(0) + rng.normal(0, 60, 2)
    median_um = 115 if disease.stage == 3 else 215
    width = float(np.clip(rng.lognormal(np.log(median_um), 0.5), 35, 480))
    path = np.array([line_um[0], middle, line_um[-1]])
    infiltrate = float(np.clip(disease.infiltrate * rng.uniform(0.2, 1.3), 0, 1))
    outline = thicken_line(path, width / 2, width / 2 * rng.uniform(0.6, 1.2))
    (own,) = rng.spawn(1)
    stroma = draw_stroma(own, infiltrate, difficult)
    if stroma.packed:
        infiltrate = max(infiltrate, float(own.uniform(0.55, 1.0)))
    return Septum(outline, infiltrate, stroma)
