"""Opening real slides, and refusing what is none."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from glisson.errors import (
    AbsurdPixelSize,
    DamagedSlide,
    MissingPixelSize,
    SlideError,
    SlideNotFound,
    UnsupportedSlide,
)
from glisson.frames import BoxL0, PixelSize, RegionUm, Size
from glisson.slides import InMemorySlide, open_slide
from glisson_phantom.writing import write_pyramid


def test_aperio(fixtures_dir: Path) -> None:
    with open_slide(fixtures_dir / "slides" / "aperio-cmu1-small-region.svs") as slide:
        assert slide.info.format == "openslide:aperio"
        assert slide.info.size_l0 == Size(2220, 2967)
        assert slide.info.pixel_size == PixelSize(0.499, 0.499)
        assert slide.info.pixel_size_source == "file"
        assert slide.info.bounds_l0 is None


def test_awkward_name(fixtures_dir: Path) -> None:
    with open_slide(fixtures_dir / "slides" / "hamamatsu fluorescence (387).ndpi") as slide:
        assert slide.info.name == "hamamatsu fluorescence (387)"
        assert slide.read(RegionUm(0, 0, 200, 200), 1.0).readable.all()


def test_bounds_are_read(fixtures_dir: Path) -> None:
    with open_slide(fixtures_dir / "slides" / "Mirax2-Fluorescence-2.mrxs") as slide:
        assert slide.info.bounds_l0 == BoxL0(9153, 102664, 10439, 7641)


def test_damage_costs_itself_only(fixtures_dir: Path) -> None:
    """Levels 0 and 1 of this slide lack files; coarser levels read."""
    with open_slide(fixtures_dir / "slides" / "Mirax2-Fluorescence-2.mrxs") as slide:
        bounds, pixel = slide.info.bounds_l0, slide.info.pixel_size
        assert bounds is not None
        inside = RegionUm(bounds.x_l0 * pixel.x_um, bounds.y_l0 * pixel.y_um, 400, 400)
        fine = slide.read(inside, 0.4)
        assert not fine.readable.any()
        assert len(slide.damaged_l0) > 0
        again = len(slide.damaged_l0)
        slide.read(inside, 0.4)
        assert len(slide.damaged_l0) == again, "the same damage is counted once"
        assert slide.read(inside, 2.0).readable.all(), "the handle works again after an error"


def test_damage_in_memory_is_noted_and_not_readable() -> None:
    rgb = np.full((400, 400, 3), 200, np.uint8)
    slide = InMemorySlide(rgb, PixelSize(1, 1), damaged_l0=[BoxL0(100, 100, 50, 50)])
    patch = slide.read(RegionUm(0, 0, 400, 400), 2.0)
    assert (~patch.readable).sum() == 25 * 25
    assert slide.damaged_l0 == (BoxL0(100, 100, 50, 50),)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("generic-pyramid-no-mpp.tif", MissingPixelSize),
        ("generic-absurd-mpp.tiff", AbsurdPixelSize),
        ("dicom-camelyon-overview.dcm", AbsurdPixelSize),
        ("plain-unsupported.tif", MissingPixelSize),
        ("dicom-sm-grayscale-unsupported.dcm", SlideError),
    ],
)
def test_refused_with_the_right_error(
    fixtures_dir: Path, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=name):
        open_slide(fixtures_dir / "slides" / name)


@pytest.mark.parametrize("name", ["generic-pyramid-no-mpp.tif", "generic-absurd-mpp.tiff"])
def test_override_wins_and_is_recorded(fixtures_dir: Path, name: str) -> None:
    with open_slide(fixtures_dir / "slides" / name, mpp=0.25) as slide:
        assert slide.info.pixel_size == PixelSize(0.25, 0.25)
        assert slide.info.pixel_size_source == "override"


def test_every_message_on_pixel_size_names_the_option(fixtures_dir: Path) -> None:
    with pytest.raises(AbsurdPixelSize, match=r"352\.858.*--mpp"):
        open_slide(fixtures_dir / "slides" / "generic-absurd-mpp.tiff")


@pytest.mark.parametrize("mpp", [0.0, -1.0, float("nan"), float("inf"), 352.9, 0.001, (0.2, 0.4)])
def test_absurd_override(tmp_path: Path, mpp: float) -> None:
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), np.full((50, 60, 3), 200, np.uint8))
    with pytest.raises(AbsurdPixelSize, match="--mpp"):
        open_slide(path, mpp=mpp)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_plain_images_need_mpp(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"image{suffix}"
    cv2.imwrite(str(path), np.full((50, 60, 3), 200, np.uint8))
    with pytest.raises(MissingPixelSize, match="--mpp"):
        open_slide(path)
    with open_slide(path, mpp=0.5) as slide:
        assert slide.info.size_l0 == Size(60, 50)
        assert slide.info.format.startswith("image:")


def test_missing_folder_and_empty(tmp_path: Path) -> None:
    with pytest.raises(SlideNotFound, match=r"nowhere\.svs"):
        open_slide(tmp_path / "nowhere.svs")
    with pytest.raises(UnsupportedSlide, match="folder"):
        open_slide(tmp_path)
    (tmp_path / "empty.svs").touch()
    with pytest.raises(UnsupportedSlide, match="empty"):
        open_slide(tmp_path / "empty.svs")


@pytest.mark.parametrize("name", ["slide.json", "slide.svs", "slide.tif", "slide.png"])
def test_json_is_no_slide(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(SlideError, match=name):
        open_slide(path, mpp=0.5)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_aperio_fails_or_marks_what_is_lost(
    fixtures_dir: Path, tmp_path: Path, share: float
) -> None:
    whole = (fixtures_dir / "slides" / "aperio-cmu1-small-region.svs").read_bytes()
    path = tmp_path / "truncated.svs"
    path.write_bytes(whole[: int(len(whole) * share)])
    if share < 0.95:  # the directory stands at the end of this file
        with pytest.raises(SlideError, match=r"truncated\.svs"):
            open_slide(path)
        return
    with open_slide(path) as slide:
        patch = slide.read(RegionUm(0, 0, 1100, 1480), 1.0)
        assert not patch.readable.all()
        assert slide.damaged_l0


def test_incomplete_mirax_names_the_folder(fixtures_dir: Path, tmp_path: Path) -> None:
    shutil.copy(fixtures_dir / "slides" / "Mirax2-Fluorescence-2.mrxs", tmp_path / "lonely.mrxs")
    with pytest.raises(SlideError, match="lonely/"):
        open_slide(tmp_path / "lonely.mrxs")


def test_truncated_image(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    cv2.imwrite(str(path), noise)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(DamagedSlide, match=r"cut\.png"):
        open_slide(path, mpp=1.0)


def test_grey_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((50, 60), 200, np.uint8))
    with pytest.raises(UnsupportedSlide, match="colour"):
        open_slide(path, mpp=1.0)


def test_threads_do_not_see_each_others_damage(tmp_path: Path) -> None:
    """One error breaks OpenSlide's handle for all threads; sound regions stay readable."""
    path = tmp_path / "a.svs"
    rgb = np.random.default_rng(0).integers(0, 255, (2048, 2048, 3), np.uint8)
    write_pyramid(path, rgb, Size(2048, 2048), PixelSize(0.5, 0.5))
    with tifffile.TiffFile(path) as file:
        place, size = file.pages[0].dataoffsets[0], file.pages[0].databytecounts[0]
    with path.open("r+b") as written:
        written.seek(place)
        written.write(bytes(size))
    bad, sound = RegionUm(0, 0, 100, 100), RegionUm(600, 600, 100, 100)
    with open_slide(path) as slide, ThreadPoolExecutor(4) as threads:
        regions = [bad, sound, sound, sound] * 25
        patches = list(threads.map(lambda region: slide.read(region, 0.5), regions))
    assert all(patch.readable.all() for patch in patches[1::4] + patches[2::4] + patches[3::4])
    assert not any(patch.readable.any() for patch in patches[::4])
