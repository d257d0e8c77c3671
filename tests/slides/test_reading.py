"""Every reader keeps the promises of the Slide protocol: the same tests for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from glisson.errors import SettingsError
from glisson.frames import PixelSize, RegionUm, Size
from glisson.slides import InMemorySlide, Slide, open_slide
from glisson_phantom.writing import write_pyramid

PIXEL = PixelSize(0.5, 0.5)


def smooth_picture(height: int, width: int) -> np.ndarray:
    coarse = np.random.default_rng(3).integers(40, 250, (height // 40, width // 40, 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


PICTURE = smooth_picture(1200, 1600)


def in_memory(folder: Path) -> Slide:
    return InMemorySlide(PICTURE, PIXEL)


def aperio(folder: Path) -> Slide:
    path = folder / "slide.svs"
    write_pyramid(path, PICTURE, Size(1600, 1200), PIXEL, "aperio", quality=95)
    return open_slide(path)


def generic(folder: Path) -> Slide:
    path = folder / "slide.tif"
    write_pyramid(path, PICTURE, Size(1600, 1200), PIXEL, "tiff", quality=95)
    return open_slide(path)


def ome(folder: Path) -> Slide:
    path = folder / "slide.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(
            PICTURE,
            tile=(256, 256),
            photometric="rgb",
            compression="zlib",
            subifds=1,
            metadata={"axes": "YXS", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5},
        )
        half = cv2.resize(PICTURE, (800, 600), interpolation=cv2.INTER_AREA)
        tiff.write(half, tile=(256, 256), photometric="rgb", subfiletype=1)
    return open_slide(path)


def dicom(folder: Path) -> Slide:
    write_pyramid(folder / "slide", PICTURE, Size(1600, 1200), PIXEL, "dicom", quality=95)
    return open_slide(folder / "slide")


@pytest.fixture(
    scope="module", params=[in_memory, aperio, generic, ome, dicom], ids=lambda f: f.__name__
)
def slide(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Slide]:
    maker: Callable[[Path], Slide] = request.param
    with maker(tmp_path_factory.mktemp("slide")) as opened:
        yield opened


def test_knows_its_size_and_pixel_size(slide: Slide) -> None:
    assert slide.info.size_l0 == Size(1600, 1200)
    assert slide.info.pixel_size.x_um == pytest.approx(0.5, rel=1e-6)
    assert slide.info.bounds_l0 is None or slide.info.bounds_l0.x_l0 == 0


def test_level_0_is_what_was_written(slide: Slide) -> None:
    patch = slide.read(RegionUm(100, 50, 300, 200), 0.5)
    assert patch.rgb.shape == (400, 600, 3)
    assert patch.readable.all()
    difference = np.abs(patch.rgb.astype(int) - PICTURE[100:500, 200:800])
    assert difference.mean() < 2


def test_colours_are_kept(slide: Slide) -> None:
    patch = slide.read(RegionUm(0, 0, 800, 600), 4.0)
    assert np.abs(patch.rgb.mean((0, 1)) - PICTURE.mean((0, 1))).max() < 1


@pytest.mark.parametrize("mpp", [0.5, 0.73, 1.0, 2.0, 2.3])
def test_reading_in_tiles_is_reading_at_once(slide: Slide, mpp: float) -> None:
    whole = slide.read(RegionUm(20, 20, 128 * mpp, 128 * mpp), mpp).rgb
    for row in (0, 64):
        for column in (0, 64):
            region = RegionUm(20 + column * mpp, 20 + row * mpp, 64 * mpp, 64 * mpp)
            tile = slide.read(region, mpp).rgb
            part = whole[row : row + 64, column : column + 64]
            assert np.abs(tile.astype(int) - part).max() <= 1


@pytest.mark.parametrize("mpp", [0.5, 1.0, 1.7])
def test_outside_is_background_and_not_readable(slide: Slide, mpp: float) -> None:
    patch = slide.read(RegionUm(-50, -30, 100, 60), mpp)
    inside_px = round(50 / mpp)
    assert not patch.readable[: round(30 / mpp) - 1].any()
    assert patch.readable[-(inside_px // 2) :, -(inside_px // 2) :].all()
    assert (patch.rgb[0, 0] == slide.info.background_rgb).all()


def test_far_outside_reads_as_nothing(slide: Slide) -> None:
    assert not slide.read(RegionUm(1e5, 1e5, 50, 50), 1.0).readable.any()


def test_empty_region_is_refused(slide: Slide) -> None:
    with pytest.raises(SettingsError):
        slide.read(RegionUm(0, 0, 0, 10), 1.0)
    with pytest.raises(SettingsError):
        slide.read(RegionUm(0, 0, 10, 10), 0.0)


@given(
    mpp=st.floats(0.5, 9.0),
    x_um=st.floats(0, 200),
    y_um=st.floats(0, 200),
    value=st.integers(0, 255),
)
@settings(max_examples=60, deadline=None)
def test_a_constant_slide_stays_constant(mpp: float, x_um: float, y_um: float, value: int) -> None:
    rgb = np.full((900, 900, 3), value, np.uint8)
    patch = InMemorySlide(rgb, PIXEL).read(RegionUm(x_um, y_um, 20 * mpp, 15 * mpp), mpp)
    assert (patch.rgb == value).all()


@given(mpp=st.floats(0.51, 6.0), x_um=st.floats(0, 50))
@settings(max_examples=60, deadline=None)
def test_a_ramp_stays_in_its_place(mpp: float, x_um: float) -> None:
    """The mean of a linear ramp over a pixel is its value at the pixel's centre."""
    row = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    slide = InMemorySlide(np.repeat(row, 40, 0), PIXEL)
    count = int((127 - x_um) / mpp)
    found = slide.read(RegionUm(x_um, 2, count * mpp, mpp), mpp).rgb[0, :, 0].astype(float)
    centres_px = (x_um + (np.arange(count) + 0.5) * mpp) / 0.5
    assert np.abs(found - (centres_px - 0.5)).max() < 0.7  # 0.5 of it is rounding to bytes


@given(x_mpp=st.floats(0.4, 0.5), y_mpp=st.floats(0.4, 0.5), mpp=st.sampled_from([1.0, 1.3, 2.0]))
@settings(max_examples=30, deadline=None)
def test_anisotropic_pixels_keep_shapes(x_mpp: float, y_mpp: float, mpp: float) -> None:
    """A disc in µm covers the same area whatever the pixels' shape."""
    y, x = np.mgrid[:700, :700]
    disc = np.hypot((x + 0.5) * x_mpp - 140, (y + 0.5) * y_mpp - 140) < 80
    rgb = np.repeat((disc * 255).astype(np.uint8)[..., None], 3, 2)
    slide = InMemorySlide(rgb, PixelSize(x_mpp, y_mpp))
    patch = slide.read(RegionUm(0, 0, 280, 280), mpp)
    area_um2 = patch.rgb[..., 0].astype(float).sum() / 255 * mpp**2
    assert area_um2 == pytest.approx(np.pi * 80**2, rel=0.01)
    shares = patch.rgb[..., 0].astype(float)
    centre_um = (np.average(np.indices(shares.shape)[1], weights=shares) + 0.5) * mpp
    assert centre_um == pytest.approx(140, abs=0.1)
