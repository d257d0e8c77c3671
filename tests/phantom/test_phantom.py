"""Phantoms are the same every time, agree where they overlap, and know their truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glisson.errors import SettingsError
from glisson.frames import BoxPx, RegionUm
from glisson.slides import open_slide
from glisson_phantom import (
    DIAGNOSES,
    FIRST_READER,
    SECOND_READER,
    SITES,
    Case,
    Feature,
    PhantomSettings,
    TileLook,
    annotate,
    draw_readings,
    plan_biopsy,
    plan_cohort,
    render_phantom,
    render_tile,
    write_phantom,
)
from glisson_phantom.draw import draw_tissue
from glisson_phantom.draw.section import Section
from glisson_phantom.plan.disease import draw_disease
from glisson_phantom.plan.glass import Artefacts
from glisson_phantom.plan.layout import lay_out
from glisson_phantom.plan.needle import NeedlePass, draw_core
from glisson_phantom.plan.preparation import draw_texture
from glisson_phantom.slide import create_truth
from glisson_phantom.world import Canvas, noise, sample, scatter, signed_distance_um
from glisson_phantom.writing import PyramidStyle

SMALL = PhantomSettings(seed=3, length_mm=1.2, width_mm=0.6, stage=1, mpp=1.0)


def test_a_tile_is_its_seed() -> None:
    one, again, other = render_tile(5, 128), render_tile(5, 128), render_tile(6, 128)
    assert np.array_equal(one.rgb, again.rgb)
    assert np.array_equal(one.labels, again.labels)
    assert not np.array_equal(one.rgb, other.rgb)


@pytest.mark.parametrize("mpp", [0.5, 1.0, 2.0])
def test_a_tile_has_the_size_asked_for(mpp: float) -> None:
    tile = render_tile(8, 96, mpp)
    assert tile.rgb.shape == (96, 96, 3)
    assert tile.labels.shape == (96, 96)
    assert set(np.unique(tile.labels)) <= {0, 1, 2}


def test_many_tiles_hold_all_classes() -> None:
    coarse = TileLook(drawn_mpp=2.0)
    labels = np.stack([render_tile(seed, 128, 2.0, coarse).labels for seed in range(40, 64)])
    shares = np.bincount(labels.ravel(), minlength=3) / labels.size
    assert (shares > 0.08).all(), shares


@cache
def _inflamed_tract(**texture: float) -> Section:
    """A tract full of inflammatory cells, in a preparation with some settings changed."""
    rng = np.random.default_rng(2)
    disease = replace(draw_disease(rng, "aih", 1), infiltrate=1.0, fat=0.0)
    layout = lay_out(rng, disease, draw_core(rng, NeedlePass(3000, 500)))
    line = layout.cores[0].centreline_um
    sites = np.array([tract.centre_um for tract in layout.tracts])
    distance = np.hypot(*(sites[:, None] - line[None]).transpose(2, 0, 1)).min(1)
    x_um, y_um = np.floor(sites[distance.argmin()] - 200)
    canvas = Canvas(float(x_um), float(y_um), 800, 800, 0.5, 1)
    return draw_tissue(canvas, layout, disease, replace(draw_texture(rng), **texture))


def test_lobule_is_darker_than_glass_and_portal_has_more_nuclei() -> None:
    """The truth lies where the picture says it does."""
    section = _inflamed_tract()
    dye = section.dyes.haematoxylin
    assert dye[section.labels == 2].mean() > 1.1 * dye[section.labels == 1].mean()
    assert dye[section.labels == 1].mean() > 5 * dye[section.labels == 0].mean()


def test_an_infiltrate_pushes_collagen_aside() -> None:
    full, thinned = (_inflamed_tract(displacement=share) for share in (0.0, 0.8))
    portal, lobule = full.labels == 2, full.labels == 1
    assert thinned.dyes.eosin[portal].mean() < 0.8 * full.dyes.eosin[portal].mean()
    assert thinned.dyes.eosin[lobule].mean() > 0.9 * full.dyes.eosin[lobule].mean()
    nuclei = full.dyes.haematoxylin > 0.4
    kept = np.isclose(thinned.dyes.haematoxylin, full.dyes.haematoxylin, atol=0.05)
    assert kept[nuclei].mean() > 0.9  # the others are fibroblasts, part of the stroma


def test_loose_stroma_takes_less_eosin_and_as_much_haematoxylin() -> None:
    dense, loose = (_inflamed_tract(looseness=share, displacement=0.0) for share in (0.0, 1.0))
    portal = dense.labels == 2
    lost = [
        1 - getattr(loose.dyes, dye)[portal].mean() / getattr(dense.dyes, dye)[portal].mean()
        for dye in ("eosin", "haematoxylin")
    ]
    assert lost[0] > 0.1
    assert lost[1] < 0.5 * lost[0]


@given(x=st.floats(-20, 60), y=st.floats(-20, 60), radius=st.floats(8, 30), seed=st.integers(0, 5))
@example(x=-12.0, y=1.5, radius=8.0, seed=0)
@settings(max_examples=20, deadline=None)
def test_distances_to_a_disc_are_right(x: float, y: float, radius: float, seed: int) -> None:
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    disc = np.array([x, y]) + radius * np.stack([np.cos(turn), np.sin(turn)], 1)
    canvas = Canvas(-10.0, -5.0, 120, 100, 0.5, seed)
    found = signed_distance_um(canvas, [disc])
    x_um, y_um = canvas.centres_um()
    exact = np.clip(radius - np.hypot(x_um[None] - x, y_um[:, None] - y), -80, 80)
    outline_um, chamfer = 1.5, 0.02  # pixels of the 1 µm grid; OpenCV's 5 x 5 distances
    assert (np.abs(found - exact) < outline_um + chamfer * np.abs(exact)).all()


def test_features_are_where_they_are_planned() -> None:
    biopsy = plan_biopsy(PhantomSettings(seed=21, length_mm=2, diagnosis="masld", stage=1, mpp=1.0))
    truth = create_truth(biopsy)
    for number, chunk in enumerate(biopsy.draw_chunks()):
        truth.put(divmod(number, biopsy.columns), chunk.labels, chunk.features)
    (box,) = truth.boxes()
    flags, labels = truth.features(box), truth.crop(box).labels
    lobule_only = flags & np.uint32(Feature.of_lobule())
    assert not lobule_only[labels != 1].any()
    per_um = 1 / truth.frame.mpp
    inner = [v for v in biopsy.layout.central_veins if not v.sublobular]
    spots = np.array([v.profile.centre_um for v in inner]) * per_um - (box.x_px, box.y_px)
    seen = [
        bool(flags[int(y), int(x)] & Feature.CENTRAL_VEIN)
        for x, y in spots
        if 0 <= x < box.width_px and 0 <= y < box.height_px and labels[int(y), int(x)] == 1
    ]
    assert len(seen) > 0
    assert all(seen)


def test_every_diagnosis_and_site_can_be_drawn() -> None:
    for diagnosis in DIAGNOSES:
        look = TileLook(diagnosis, drawn_mpp=2.0)
        tiles = (render_tile(seed, 96, 2.0, look) for seed in range(8))
        assert any((tile.labels > 0).mean() > 0.3 for tile in tiles)
    for site in SITES.values():
        assert site.mpp > 0.15
        assert site.written_as in get_args(PyramidStyle)


def test_lengths_of_pieces_sum_to_what_was_asked_for() -> None:
    for seed, shape in enumerate(("straight", "curved", "u")):
        biopsy = plan_biopsy(
            PhantomSettings(seed=seed, length_mm=16, shape=shape, breaks=3, pieces=2)
        )
        assert biopsy.centreline_length_mm == pytest.approx(16, rel=0.01)


def test_ribbons_are_near_copies() -> None:
    one = plan_biopsy(PhantomSettings(seed=4, length_mm=6, ribbons=1))
    three = plan_biopsy(PhantomSettings(seed=4, length_mm=6, ribbons=3))
    assert len(three.layout.tracts) == 3 * len(one.layout.tracts)
    assert three.centreline_length_mm == pytest.approx(3 * one.centreline_length_mm)
    assert three.size_l0.height > 2 * one.size_l0.height


def test_bounds_move_slide_and_nothing_else() -> None:
    biopsy = plan_biopsy(replace(SMALL, artefacts=0.0))
    plain, _ = render_phantom(biopsy)
    framed, _ = render_phantom(biopsy, offset_l0=(128, 64))
    bounds = framed.info.bounds_l0
    assert bounds is not None
    assert (bounds.x_l0, bounds.y_l0) == (128, 64)
    mpp = biopsy.pixel_size.x_um
    size = RegionUm(0, 0, 300, 200)
    moved = RegionUm(128 * mpp, 64 * mpp, 300, 200)
    assert np.array_equal(plain.read(size, mpp).rgb, framed.read(moved, mpp).rgb)


def test_annotators_are_a_few_micrometres_off() -> None:
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    disc = shapely.Polygon(np.stack([np.cos(turn), np.sin(turn)], 1) * 90)
    off = [
        abs(shapely.Point(p).distance(disc.exterior))
        for seed in range(20)
        for _, drawn in annotate([disc], FIRST_READER, seed)
        for p in drawn.exterior.coords
    ]
    assert 1.0 < np.mean(off) < 5.0
    assert np.max(off) < 20.0


def test_the_second_reader_misses_small_tracts() -> None:
    small = [shapely.Point(300 * k, 0).buffer(20) for k in range(60)]
    assert len(annotate(small, SECOND_READER, 1)) < 45
    assert annotate(small, SECOND_READER, 1) == annotate(small, SECOND_READER, 1)


def test_the_paper_cohort_has_the_papers_numbers() -> None:
    cases = plan_cohort("paper")
    roles = Counter(case.role for case in cases)
    assert roles == {"train": 272, "test": 29, "clinical": 35}
    assert len({case.patient for case in cases if case.role == "train"}) == 223
    test = Counter(case.settings.diagnosis for case in cases if case.role == "test")
    assert test == {"aih": 16, "pbc": 8, "gvhd": 5}
    per_site = Counter(case.site for case in cases if case.role != "clinical")
    assert all(per_site[key] == site.slides for key, site in SITES.items())
    trained = {case.patient for case in cases if case.role == "train"}
    assert trained.isdisjoint(case.patient for case in cases if case.role != "train")
    assert len({case.slide for case in cases}) == len(cases)
    clinical = [case.settings.stage for case in cases if case.role == "clinical"]
    assert sum(stage is not None and stage < 3 for stage in clinical) == 26


def test_a_rescanned_patient_has_the_same_tissue() -> None:
    cases = plan_cohort("paper")
    by_patient: dict[str, list[Case]] = {}
    for case in cases:
        by_patient.setdefault(case.patient, []).append(case)
    first, again = next(group for group in by_patient.values() if len(group) == 2)
    one, two = plan_biopsy(first.settings), plan_biopsy(again.settings)
    assert one.disease == two.disease
    assert one.centreline_length_mm == pytest.approx(two.centreline_length_mm)
    assert first.site != again.site


def test_readings_are_close_and_blank_where_tracts_bridge() -> None:
    read = [draw_readings(seed, 16, 1, 19.0) for seed in range(200)]
    counts = np.array([r.report_tract_count for r in read], dtype=float)
    assert abs(counts.mean() - 16) < 0.5
    assert 0.5 < counts.std() < 3
    assert draw_readings(1, 16, 3, 19.0).report_tract_count is None


@given(
    dx=st.integers(0, 200), dy=st.integers(0, 200), wavelength=st.sampled_from([3.0, 20.0, 300.0])
)
@settings(max_examples=25, deadline=None)
def test_noise_is_a_function_of_the_world(dx: int, dy: int, wavelength: float) -> None:
    whole = noise(Canvas(-50, 20, 300, 300, 0.5, 9), wavelength, 4)
    part = noise(Canvas(-50 + dx * 0.5, 20 + dy * 0.5, 90, 80, 0.5, 9), wavelength, 4)
    assert np.allclose(part, whole[dy : dy + 80, dx : dx + 90], atol=1e-4)


def test_noise_has_unit_variance() -> None:
    field = noise(Canvas(0, 0, 1500, 1500, 1.0, 3), 12.0, 1)
    assert abs(field.mean()) < 0.05
    assert field.std() == pytest.approx(1.0, abs=0.08)


@given(dx=st.integers(0, 100))
@settings(max_examples=15, deadline=None)
def test_points_are_a_function_of_the_world(dx: int) -> None:
    whole = scatter(Canvas(0, 0, 400, 400, 1.0, 5), 20, 0.8, 3)
    part = scatter(Canvas(dx, 0, 200, 200, 1.0, 5), 20, 0.8, 3)
    known = {tuple(point) for point in np.round(whole.points_um, 6)}
    inside = (part.points_um[:, 0] > dx + 1) & (part.points_um[:, 0] < dx + 199)
    inside &= (part.points_um[:, 1] > 1) & (part.points_um[:, 1] < 199)
    assert all(tuple(point) in known for point in np.round(part.points_um[inside], 6))


def test_sampling_takes_the_pixel_under_the_point() -> None:
    field = np.arange(12.0).reshape(3, 4)
    canvas = Canvas(10, 20, 4, 3, 2.0, 0)
    assert sample(field, canvas, np.array([[10.1, 20.1], [17.9, 25.9]])).tolist() == [0.0, 11.0]


@pytest.mark.parametrize("mpp", [0.33, 1.0])  # two level-0 pixels to a drawn one, and one
def test_a_slide_agrees_with_its_truth(
    tmp_path: Path, mpp: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glisson_phantom.plan.slide._GLASS_UM", 200.0)  # bare glass is slow
    biopsy = plan_biopsy(replace(SMALL, length_mm=0.6, mpp=mpp, artefacts=0.0))
    truth = write_phantom(tmp_path / "phantom.svs", biopsy)
    with open_slide(tmp_path / "phantom.svs") as slide:
        assert slide.info.format == "openslide:aperio"
        assert slide.info.size_l0 == biopsy.size_l0
        size = truth.frame.size_px(slide.info.size_l0)
        assert truth.size_px == size
        labels = truth.crop(BoxPx(0, 0, size.width, size.height)).labels
        grid = truth.frame.mpp
        shown = slide.read(RegionUm(0, 0, size.width * grid, size.height * grid), grid)
    glass = np.array(biopsy.stain.background_rgb)
    coloured = np.abs(shown.rgb - glass).sum(-1) > 60
    core = np.asarray(labels > 0)
    assert (coloured & core).sum() > 0.75 * core.sum()
    assert (coloured & ~core).sum() < 0.1 * core.sum()


def test_workers_and_repetition_change_no_byte(tmp_path: Path) -> None:
    biopsy = plan_biopsy(SMALL)
    one = write_phantom(tmp_path / "one.svs", biopsy, workers=1)
    two = write_phantom(tmp_path / "two.svs", plan_biopsy(SMALL), workers=2)
    assert (tmp_path / "one.svs").read_bytes() == (tmp_path / "two.svs").read_bytes()
    (box,) = one.boxes()
    assert np.array_equal(one.crop(box).labels, two.crop(box).labels)
    assert np.array_equal(one.features(box), two.features(box))


def test_padding_hides_tissue_and_truth() -> None:
    biopsy = plan_biopsy(SMALL)
    everything = (0.0, 0.0, 1e6, 1e6)
    hidden = replace(biopsy, artefacts=Artefacts(padding_um=(everything,)))
    chunk = hidden.draw_chunk(0, 0)
    assert not chunk.pixels.any()
    assert not chunk.labels.any()
    assert (chunk.features == Feature.PADDING).all()


def test_the_centreline_is_as_long_as_asked_for() -> None:
    for seed in range(5):
        biopsy = plan_biopsy(PhantomSettings(seed=seed, length_mm=18, pieces=3))
        assert biopsy.centreline_length_mm == pytest.approx(18, rel=0.01)


@pytest.mark.parametrize(
    "bad",
    [
        {"length_mm": 0},
        {"pieces": 0},
        {"stage": 5},
        {"mpp": 50},
        {"artefacts": -1},
        {"diagnosis": "flu"},
        {"site": "rome"},
        {"gauge": "3G"},
        {"shape": "spiral"},
        {"ribbons": 0},
    ],
)
def test_impossible_phantoms_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(bad))):
        PhantomSettings(**bad)  # type: ignore[arg-type]


def test_a_coarser_drawing_shows_the_same_tissue() -> None:
    """For tiles at 2 µm/px, which are drawn four times faster at 1 µm/px than at 0.5."""
    for seed in (31, 32, 33):
        fine, coarse = (render_tile(seed, 128, 2.0, TileLook(drawn_mpp=mpp)) for mpp in (0.5, 1.0))
        assert np.mean(fine.labels == coarse.labels) > 0.97
        shown = fine.rgb.astype(float).mean(axis=(0, 1)), coarse.rgb.astype(float).mean(axis=(0, 1))
        assert np.abs(shown[0] - shown[1]).max() < 4
