"""Tracts that models miss, and veins that they take for tracts, are drawn as planned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glisson.classes import LOBULE, PORTAL
from glisson_phantom import Feature, TileLook, render_tile
from glisson_phantom.draw import draw_tissue
from glisson_phantom.draw.section import Section
from glisson_phantom.plan.disease import Disease, draw_disease
from glisson_phantom.plan.large_vessels import draw_wide_vein, move_out
from glisson_phantom.plan.layout import CentralVein, Layout
from glisson_phantom.plan.needle import Core, NeedlePass, draw_core
from glisson_phantom.plan.preparation import Texture, draw_texture
from glisson_phantom.plan.shapes import Profile
from glisson_phantom.plan.stroma import Stroma
from glisson_phantom.plan.tracts import Tract, draw_tract
from glisson_phantom.world import Canvas, polygon_cover

_CENTRE_UM = np.array([1500.0, 0.0])


def _disc(radius_um: float, wall_um: float = 2.0) -> Profile:
    x_um, y_um = map(float, _CENTRE_UM)
    return Profile(x_um, y_um, radius_um, 1.0, 0.0, wall_um, 0.0)


def _tract(**stroma: float) -> Tract:
    """An inflamed disc of 300 µm in the middle of the core."""
    return Tract((_disc(150).polygon(),), infiltrate=0.7, stroma=Stroma(**stroma))


def _core() -> Core:
    (core,) = draw_core(np.random.default_rng(1), NeedlePass(3000, 1200))
    shift = _CENTRE_UM - core.centreline_um[len(core.centreline_um) // 2]
    return core.move(shift)


def _section(
    tract: Tract | None = None, vein: CentralVein | None = None, **texture: float
) -> Section:
    """500 µm round one tract or one hepatic vein."""
    rng = np.random.default_rng(3)
    plain: Texture = replace(draw_texture(rng), displacement=0.3, looseness=0.0, **texture)
    layout = Layout(
        (_core(),),
        central_veins=() if vein is None else (vein,),
        tracts=() if tract is None else (tract,),
    )
    x_um, y_um = _CENTRE_UM - 250
    canvas = Canvas(float(x_um), float(y_um), 500, 500, 1.0, 4)
    return draw_tissue(canvas, layout, Disease("aih", 1, interface=0.5), plain)


def _distance_um(section: Section) -> np.ndarray:
    x_um, y_um = section.canvas.centres_um()
    return np.hypot(x_um[None] - _CENTRE_UM[0], y_um[:, None] - _CENTRE_UM[1])


def _cells(section: Section, low_um: float, high_um: float) -> float:
    """Share of a ring that is darkly blue."""
    distance = _distance_um(section)
    ring = (distance >= low_um) & (distance < high_um)
    return float((section.dyes.haematoxylin[ring] > 0.3).mean())


def test_hyaline_stroma_is_smooth_and_nearly_without_nuclei() -> None:
    quiet = replace(_tract(), infiltrate=0.0)
    hyaline = replace(quiet, stroma=Stroma(hyaline=1.0))
    plain, dense = (_section(t, fibre_contrast=0.3) for t in (quiet, hyaline))
    assert _cells(dense, 0, 110) < 0.5 * _cells(plain, 0, 110)
    inner = _distance_um(plain) < 110
    assert dense.dyes.eosin[inner].std() < 0.8 * plain.dyes.eosin[inner].std()
    assert dense.dyes.eosin[inner].mean() == pytest.approx(plain.dyes.eosin[inner].mean(), rel=0.1)


def test_myxoid_stroma_is_pale() -> None:
    plain, loose = _section(_tract()), _section(_tract(myxoid=1.0, eosin=0.3))
    inner = _distance_um(plain) < 110
    assert loose.dyes.eosin[inner].mean() < 0.5 * plain.dyes.eosin[inner].mean()
    assert np.array_equal(loose.labels, plain.labels)


def test_a_packed_sheet_has_more_cells_and_less_collagen() -> None:
    plain, packed = _section(_tract()), _section(_tract(packed=1.0))
    pale = _section(_tract(packed=1.0, cells=0.5))
    assert _cells(packed, 0, 110) > 1.2 * _cells(plain, 0, 110)
    inner = _distance_um(plain) < 110
    assert packed.dyes.eosin[inner].mean() < 0.9 * plain.dyes.eosin[inner].mean()
    assert pale.dyes.haematoxylin[inner].mean() < 0.7 * packed.dyes.haematoxylin[inner].mean()


def _added_cells(ragged: float) -> tuple[float, float]:
    """Share of pixels darkened by an infiltrate, beyond the limiting plate and just inside it."""
    tract = _tract(packed=1.0, ragged=ragged)
    full, quiet = _section(tract), _section(replace(tract, infiltrate=0.0))
    assert np.array_equal(full.labels, quiet.labels)
    darker = full.dyes.haematoxylin > quiet.dyes.haematoxylin + 0.1
    margin = (full.ground.portal.shape[0] - full.canvas.height_px) // 2
    inside_um = full.ground.portal[margin:-margin, margin:-margin]
    beyond, rim = (inside_um < -6) & (inside_um > -25), (inside_um > 0) & (inside_um < 8)
    return float(darker[beyond].mean()), float(darker[rim].mean())


def test_an_infiltrate_ends_at_a_crisp_limiting_plate_and_spills_over_a_ragged_one() -> None:
    """What spills over is lobule, and sparse."""
    crisp, ragged = _added_cells(0.0), _added_cells(1.4)
    assert crisp[0] < 0.2 * ragged[0]
    assert ragged[0] < 0.5 * ragged[1]
    assert crisp[1] > 0.3


def test_a_wide_portal_vein_is_portal_and_a_wide_hepatic_vein_is_lobule() -> None:
    """Holes of the same size: the rim with duct and artery makes the tract."""
    profile = _disc(90)
    rim = Tract((profile.polygon(5),), 0.0, veins=(profile,), has_rim_only=True)
    portal = _section(rim)
    hepatic = _section(vein=CentralVein(profile, scar_um=6.0, sublobular=False))
    for section, label in ((portal, PORTAL), (hepatic, LOBULE)):
        part, cover = polygon_cover(section.canvas, profile.polygon())
        assert (section.labels[part][cover > 0.5] == label.index).all()
        lumen = _distance_um(section) < 60
        assert section.dyes.haematoxylin[lumen].mean() < 0.02
    assert (portal.labels == PORTAL.index).mean() < 1.4 * (cover.sum() / portal.labels.size)
    seen = hepatic.features & np.uint32(Feature.CENTRAL_VEIN)
    assert seen[250, 250]


def test_hepatic_veins_wider_than_distances_reach_are_drawn() -> None:
    vein = CentralVein(_disc(160, wall_um=12), scar_um=0.0, sublobular=True)
    section = _section(vein=vein)
    assert (section.features & np.uint32(Feature.SUBLOBULAR_VEIN) > 0).mean() > 0.2
    assert (section.labels == LOBULE.index).all()


def test_thick_walls_agree_where_canvases_overlap() -> None:
    artery = _disc(70, wall_um=40)
    tract = replace(_tract(), infiltrate=0.0, arteries=(artery,))
    whole = _section(tract)
    layout, disease, texture = whole.layout, whole.disease, whole.texture
    x_um, y_um = _CENTRE_UM + 10
    part = draw_tissue(Canvas(float(x_um), float(y_um), 120, 120, 1.0, 4), layout, disease, texture)
    shown = whole.dyes.eosin[260:380, 260:380]
    assert (np.abs(part.dyes.eosin - shown) > 0.01).mean() < 0.002  # rounding moves a fibre


def test_ducts_and_arteries_lie_beside_a_wide_vein() -> None:
    rng = np.random.default_rng(8)
    for _ in range(100):
        vein = draw_wide_vein(rng, _CENTRE_UM)
        spot = move_out(vein, _CENTRE_UM + rng.normal(0, 40, 2), 8.0)
        assert np.min(np.hypot(*(vein.polygon() - spot).T)) > 1.0


def _share(difficult: float, count: int = 400) -> float:
    rng = np.random.default_rng(6)
    tracts = [draw_tract(rng, draw_disease(rng), np.zeros(2), difficult) for _ in range(count)]
    kinds = [t.has_rim_only or t.stroma.hyaline + t.stroma.myxoid > 0 for t in tracts]
    return float(np.mean(kinds))


def test_difficult_tracts_are_as_common_as_asked_for() -> None:
    assert _share(0.0) == 0.0
    assert 0.08 < _share(1.0) < 0.25
    assert _share(4.0) > 2.5 * _share(1.0)


def test_a_tile_of_difficult_tracts_is_its_seed() -> None:
    one, again = (render_tile(12, 96, look=TileLook(difficult_tracts=4.0)) for _ in range(2))
    assert np.array_equal(one.rgb, again.rgb)
    assert np.array_equal(one.labels, again.labels)
