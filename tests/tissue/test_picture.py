"""The kept picture is what the slide shows, and glass wherever it shows nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glisson.frames import BoxL0, BoxPx, PixelSize
from glisson.slides import InMemorySlide
from glisson.tissue import find_tissue
from glisson.tissue.picture import Picture

from . import scenes

GLASS = (240, 239, 241)
RGB = np.random.default_rng(1).integers(0, 200, (12, 20, 3)).astype(np.uint8)


@given(st.integers(-30, 40), st.integers(-30, 40), st.integers(1, 30), st.integers(1, 30))
def test_a_crop_anywhere(x: int, y: int, width: int, height: int) -> None:
    whole = np.empty((120, 120, 3), np.uint8)
    whole[:] = GLASS
    whole[40 + 5 : 40 + 17, 40 + 7 : 40 + 27] = RGB
    found = Picture(RGB, 7, 5, GLASS).crop(BoxPx(x, y, width, height))
    np.testing.assert_array_equal(found, whole[40 + y : 40 + y + height, 40 + x : 40 + x + width])


def test_it_is_what_the_slide_shows() -> None:
    slide = scenes.scene("grey", 0.5).slide()
    found = find_tissue(slide)
    assert found.picture is not None
    box = BoxPx(30, 20, 100, 60)
    shown = slide.read(found.frame.region_um(box), found.frame.mpp).rgb
    np.testing.assert_array_equal(found.picture.crop(box), shown)


def test_what_cannot_be_read_is_glass() -> None:
    rgb = np.full((400, 400, 3), 235, np.uint8)
    damage = BoxL0(100, 100, 100, 100)
    slide = InMemorySlide(rgb, PixelSize(4.0, 4.0), damaged_l0=[damage], background_rgb=(0, 0, 0))
    found = find_tissue(slide)
    assert found.picture is not None
    assert set(np.unique(found.picture.crop(BoxPx(100, 100, 100, 100)))) == {*found.background_rgb}
