"""Phantoms are the same every time, agree where they overlap, and know their truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.errors import SettingsError
from glisson.frames import RegionUm
from glisson.phantom import PhantomSettings, plan_biopsy, render_tile, write_phantom
from glisson.phantom.canvas import Canvas, noise, sample, scatter
from glisson.phantom.glass import Artefacts
from glisson.phantom.layout import draw_core, draw_layout
from glisson.phantom.render import render
from glisson.phantom.style import draw_style
from glisson.slides import open_slide

SMALL = PhantomSettings(seed=3, length_mm=1.2, width_mm=0.6, stage=1, mpp=0.5)


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
    labels = np.stack([render_tile(seed, 128, 2.0).labels for seed in range(40, 64)])
    shares = np.bincount(labels.ravel(), minlength=3) / labels.size
    assert (shares > 0.08).all(), shares


def test_lobule_is_darker_than_glass_and_portal_has_more_nuclei() -> None:
    """The truth lies where the picture says it does."""
    rng = np.random.default_rng(2)
    style = draw_style(rng, stage=1)
    style = replace(style, disease=replace(style.disease, infiltrate=1.0, steatosis=0.0))
    layout = draw_layout(rng, style.disease, [draw_core(rng, 3000, 1000, (0, 0))])
    sites = np.array([tract.polygons_um[0].mean(0) for tract in layout.tracts])
    line = layout.centrelines_um[0]
    distance = np.hypot(*(sites[:, None] - line[None]).transpose(2, 0, 1)).min(1)
    site = sites[distance.argmin()]
    canvas = Canvas(
        float(np.floor(site[0] - 300)), float(np.floor(site[1] - 300)), 1200, 1200, 0.5, 1
    )
    drawn = render(canvas, layout, style)
    dye = drawn.dyes.haematoxylin
    assert dye[drawn.labels == 2].mean() > 1.1 * dye[drawn.labels == 1].mean()
    assert dye[drawn.labels == 1].mean() > 5 * dye[drawn.labels == 0].mean()


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


@pytest.mark.parametrize("mpp", [0.25, 0.5])
def test_a_slide_agrees_with_its_truth(tmp_path: Path, mpp: float) -> None:
    biopsy = plan_biopsy(replace(SMALL, mpp=mpp, artefacts=0.0))
    truth = write_phantom(tmp_path / "phantom.svs", biopsy)
    with open_slide(tmp_path / "phantom.svs") as slide:
        assert slide.info.format == "openslide:aperio"
        assert slide.info.size_l0 == biopsy.size_l0
        size = truth.frame.size_px(slide.info.size_l0)
        assert truth.labels.shape == (size.height, size.width)
        grid = truth.frame.mpp
        shown = slide.read(RegionUm(0, 0, size.width * grid, size.height * grid), grid)
    glass = np.array(biopsy.style.stain.background_rgb)
    coloured = np.abs(shown.rgb - glass).sum(-1) > 60
    core = np.asarray(truth.labels > 0)
    assert (coloured & core).sum() > 0.75 * core.sum()
    assert (coloured & ~core).sum() < 0.1 * core.sum()


def test_workers_and_repetition_change_no_byte(tmp_path: Path) -> None:
    biopsy = plan_biopsy(SMALL)
    one = write_phantom(tmp_path / "one.svs", biopsy, workers=1)
    two = write_phantom(tmp_path / "two.svs", plan_biopsy(SMALL), workers=2)
    assert (tmp_path / "one.svs").read_bytes() == (tmp_path / "two.svs").read_bytes()
    assert np.array_equal(one.labels, two.labels)


def test_padding_hides_tissue_and_truth() -> None:
    biopsy = plan_biopsy(SMALL)
    everything = (0.0, 0.0, 1e6, 1e6)
    hidden = replace(biopsy, artefacts=Artefacts(padding_um=(everything,)))
    pixels, labels = next(iter(hidden.bands()))
    assert not pixels.any()
    assert not labels.any()


def test_the_centreline_is_as_long_as_asked_for() -> None:
    for seed in range(5):
        biopsy = plan_biopsy(PhantomSettings(seed=seed, length_mm=18, pieces=3))
        assert biopsy.centreline_length_mm == pytest.approx(18, rel=0.01)


@pytest.mark.parametrize(
    "bad",
    [{"length_mm": 0}, {"pieces": 0}, {"stage": 5}, {"mpp": 50}, {"artefacts": -1}],
)
def test_impossible_phantoms_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(bad))):
        PhantomSettings(**bad)  # type: ignore[arg-type]
