"""Scenes with a known answer: what is tissue stays, what is not goes."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.errors import SettingsError
from glisson.frames import BoxL0, PixelSize, RegionUm, Size
from glisson.slides import InMemorySlide, Patch, SlideInfo
from glisson.tissue import Cause, TissueMap, TissueSettings, find_tissue

from . import scenes
from .scenes import GLASS, INKS, MPP, Scene

CHANGES = {
    "stripes": scenes.with_stripes,
    "dust": scenes.with_dust,
    "edge": scenes.with_edge,
    "bubble": scenes.with_bubble,
    "fat": scenes.with_fat,
    "cleft": scenes.with_cleft,
    "black padding": lambda scene: scenes.with_padding(scene, 0),
    "white padding": lambda scene: scenes.with_padding(scene, 255),
}


def check(scene: Scene) -> TissueMap:
    """Recall at least 0.97, intersection over union at least 0.9."""
    found = find_tissue(scene.slide())
    both = np.count_nonzero(found.mask & scene.tissue)
    assert both >= 0.97 * np.count_nonzero(scene.tissue)
    assert both >= 0.90 * np.count_nonzero(found.mask | scene.tissue)
    assert (found.causes[found.mask] == Cause.NONE).all()
    return found


@pytest.mark.parametrize(("glass", "strength"), [*itertools.product(GLASS, (0.2, 1.0, 2.0))])
def test_any_stain_on_any_glass(glass: str, strength: float) -> None:
    found = check(scenes.scene(glass, strength))
    assert np.abs(np.subtract(found.background_rgb, GLASS[glass])).max() <= 3
    assert found.warnings == ()


@pytest.mark.parametrize("glass", ["dark", "white", "saturated"])
def test_noisy_glass(glass: str) -> None:
    check(scenes.scene(glass, 0.35, noise=5))


@pytest.mark.parametrize(
    ("glass", "change", "strength"), [*itertools.product(["grey", "pinker"], CHANGES, (0.35, 1.0))]
)
def test_any_artefact(glass: str, change: str, strength: float) -> None:
    check(CHANGES[change](scenes.scene(glass, strength)))


@pytest.mark.parametrize(
    ("ink", "crossing", "strength"), [*itertools.product(INKS, (False, True), (0.35, 1.0))]
)
def test_ink_is_left_out(ink: str, crossing: bool, strength: float) -> None:
    scene = scenes.with_ink(scenes.scene(strength=strength), ink, crossing)
    found = check(scene)
    assert found.mask[scene.ink].mean() <= 0.05
    assert found.mask_of(Cause.PEN)[scene.ink].mean() >= 0.9


@pytest.mark.parametrize(("glass", "noise"), [*itertools.product(GLASS, (0.0, 1.5, 5.0))])
def test_an_empty_slide_says_so(glass: str, noise: float) -> None:
    scene = scenes.empty(glass, noise=noise)
    for slide in (scene, scenes.with_stripes(scene), scenes.with_dust(scene)):
        found = find_tissue(slide.slide())
        assert found.is_empty
        assert found.area_um2 == found.fraction_of_slide == 0
        assert any("No tissue" in warning for warning in found.warnings)


def test_ink_alone_is_no_tissue() -> None:
    for ink in INKS:
        assert find_tissue(scenes.with_ink(scenes.empty(), ink, crossing=True).slide()).is_empty


@pytest.mark.parametrize("strength", [0.35, 1.0])
def test_a_fragment_of_a_twentieth_mm2_is_kept(strength: float) -> None:
    y, x = np.mgrid[:300, :400]
    radius_px = np.sqrt(0.05e6 / np.pi) / MPP
    mask = (x - 200) ** 2 + (y - 150) ** 2 < radius_px**2
    found = check(scenes.scene("grey", strength, mask=mask))
    assert found.area_um2 == pytest.approx(0.05e6, rel=0.1)


def test_smaller_pieces_are_debris() -> None:
    mask = np.zeros((300, 400), bool)
    mask[100:120, 100:120] = True
    found = find_tissue(scenes.scene(mask=mask).slide())
    assert found.is_empty
    assert found.mask_of(Cause.DEBRIS)[mask].mean() > 0.9


def test_causes_are_named() -> None:
    scene = scenes.with_padding(scenes.with_edge(scenes.with_dust(scenes.scene("grey"))), 0)
    found = find_tissue(scene.slide())
    for cause in (Cause.DUST, Cause.EDGE, Cause.PADDING):
        assert found.mask_of(cause).any()
    assert found.mask_of(Cause.PADDING)[:, :190].all()


def test_fraction_leaves_padding_out() -> None:
    scene = scenes.scene("grey")
    bare = find_tissue(scene.slide()).fraction_of_slide
    for value in (0, 255):
        padded = find_tissue(scenes.with_padding(scene, value).slide())
        assert padded.fraction_of_slide == pytest.approx(bare, rel=0.05)


def test_a_wide_lumen_stays_glass_and_fat_is_filled() -> None:
    scene = scenes.scene("grey")
    rgb = scene.rgb.copy()
    rgb[180:230, 300:350] = GLASS["grey"]  # 200 µm
    rgb[180:193, 400:413] = GLASS["grey"]  # 52 µm
    mask = find_tissue(InMemorySlide(rgb, PixelSize(MPP, MPP))).mask
    assert not mask[185:225, 305:345].any()
    assert mask[180:193, 400:413].all()


def test_a_field_full_of_tissue_warns_and_works() -> None:
    found = check(scenes.scene(mask=np.ones((300, 300), bool)))
    assert found.fraction_of_slide > 0.99
    assert any("Tissue covers" in warning for warning in found.warnings)


def test_dark_background_is_not_tissue() -> None:
    rgb = np.full((300, 300, 3), (3, 2, 12), np.uint8)
    rgb[100:140, 50:250] = (20, 30, 220)
    found = find_tissue(InMemorySlide(rgb, PixelSize(MPP, MPP)))
    assert found.is_empty
    assert "dark" in found.warnings[-1]


def test_nothing_but_padding() -> None:
    found = find_tissue(InMemorySlide(np.zeros((200, 200, 3), np.uint8), PixelSize(MPP, MPP)))
    assert found.is_empty
    assert found.warnings


def test_damage_costs_only_itself() -> None:
    scene = scenes.scene("grey")
    damage = (BoxL0(200, 150, 60, 40),)
    slide = InMemorySlide(scene.rgb, PixelSize(MPP, MPP), damaged_l0=damage)
    found = find_tissue(slide)
    assert found.mask_of(Cause.UNREADABLE)[150:190, 200:260].all()
    assert not found.mask[150:190, 200:260].any()
    assert found.mask[100:300, 300:600].mean() > 0.9
    assert any("could not be read" in warning for warning in found.warnings)


def test_outside_the_scanned_bounds_is_padding() -> None:
    scene = scenes.scene("grey")
    slide = InMemorySlide(scene.rgb, PixelSize(MPP, MPP), bounds_l0=BoxL0(100, 50, 500, 300))
    found = find_tissue(slide)
    assert found.mask_of(Cause.PADDING).sum() == scene.tissue.size - 500 * 300
    assert not found.mask[:, :100].any()


def test_senseless_bounds_are_ignored() -> None:
    scene = scenes.scene("grey")
    slide = InMemorySlide(scene.rgb, PixelSize(MPP, MPP), bounds_l0=BoxL0(9000, 9000, 10, 10))
    np.testing.assert_array_equal(find_tissue(slide).mask, find_tissue(scene.slide()).mask)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 90), st.integers(0, 60), st.integers(0, 3))
def test_shifting_the_slide_shifts_the_mask(right: int, down: int, seed: int) -> None:
    """To 0.5 % of the area: the glass is averaged in blocks that stay in place."""
    scene = scenes.scene("grey", 0.5, seed=seed, shape=(260, 300), noise=0)
    height, width = scene.tissue.shape
    glass = np.full((height + 60, width + 90, 3), GLASS["grey"], np.uint8)
    still, moved = glass.copy(), glass.copy()
    still[:height, :width] = scene.rgb
    moved[down : down + height, right : right + width] = scene.rgb
    first, second = (
        find_tissue(InMemorySlide(g, PixelSize(MPP, MPP))).mask for g in (still, moved)
    )
    difference = first[:height, :width] ^ second[down:, right:][:height, :width]
    assert difference.sum() <= 0.005 * first.sum()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 90), st.integers(1, 90), st.floats(0.3, 4.9), st.sampled_from([2.0, 4.0, 8.0])
)
def test_mask_has_the_frames_size(width: int, height: int, um: float, mpp: float) -> None:
    rgb = np.full((height, width, 3), 240, np.uint8)
    found = find_tissue(InMemorySlide(rgb, PixelSize(um, um * 1.01)), TissueSettings(mpp=mpp))
    size = found.frame.size_px(Size(width, height))
    assert found.mask.shape == found.causes.shape == (size.height, size.width)


def test_bands_and_pieces_change_nothing() -> None:
    scene = scenes.scene("grey", 0.5)
    whole = find_tissue(scene.slide())
    cut = find_tissue(scene.slide(), TissueSettings(band_rows=50, max_read_px=90 * 90))
    np.testing.assert_array_equal(whole.mask, cut.mask)


def test_threads_change_nothing() -> None:
    scene = scenes.with_ink(scenes.with_dust(scenes.scene("grey", 0.5)), "blue", True)
    cut = TissueSettings(max_read_px=90 * 90)
    alone, many = (find_tissue(scene.slide(), replace(cut, threads=n)) for n in (1, 4))
    np.testing.assert_array_equal(alone.mask, many.mask)
    np.testing.assert_array_equal(alone.causes, many.causes)
    assert alone.warnings == many.warnings


class WideSlide:
    """100,000 x 20,000 level-0 pixels of glass with one core, made as it is read."""

    def __init__(self) -> None:
        size, pixel = Size(100_000, 20_000), PixelSize(0.25, 0.25)
        self.info = SlideInfo("wide", None, "test", size, pixel, "file", None, (1.0, 4.0, 16.0))
        self.damaged_l0: tuple[BoxL0, ...] = ()
        self.largest_read_px = 0

    def read(self, region_um: RegionUm, mpp: float) -> Patch:
        shape = round(region_um.height_um / mpp), round(region_um.width_um / mpp)
        self.largest_read_px = max(self.largest_read_px, shape[0] * shape[1])
        rows = region_um.y_um + mpp * np.arange(shape[0])
        rgb = np.full((*shape, 3), GLASS["grey"], np.uint8)
        speckle = np.random.default_rng(int(region_um.x_um)).integers(-25, 25, (*shape, 1))
        tissue = np.array([184, 109, 151]) + speckle
        core = (np.abs(rows - 2500) < 400)[:, None, None]
        return Patch(np.where(core, tissue, rgb).astype(np.uint8), np.ones(shape, bool))


def test_a_very_wide_slide_is_read_in_pieces() -> None:
    slide = WideSlide()
    found = find_tissue(slide, TissueSettings(max_grid_px=3_000_000, max_read_px=1_000_000))  # type: ignore[arg-type]
    assert slide.largest_read_px <= 1_000_000
    assert found.frame.mpp == 8.0
    assert "very large" in found.warnings[0]
    assert found.area_um2 == pytest.approx(800 * 25_000, rel=0.03)


@pytest.mark.parametrize("wrong", [{"mpp": 0.0}, {"max_grid_px": 0}, {"band_rows": 0}])
def test_wrong_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        TissueSettings(**wrong)  # type: ignore[arg-type]
