"""Each style of slide is opened as its vendor's, with the pixels and the scale written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import openslide
import pytest
import tifffile
from numpy.typing import NDArray

from glisson.errors import MissingExtra, OutputError, SettingsError, UnsupportedSlide
from glisson.frames import PixelSize, RegionUm, Size
from glisson.slides import SYNTHETIC, InMemorySlide, open_slide
from glisson_phantom.writing import PyramidStyle, write_pyramid

pydicom = pytest.importorskip("pydicom")

Pixels = NDArray[np.uint8]

PIXEL = PixelSize(0.25, 0.26)
ENDINGS: dict[PyramidStyle, str] = {
    "aperio": ".svs", "tiff": ".tif", "philips": ".tiff", "ome": ".ome.tif", "dicom": ".dcm",
}  # fmt: skip
VENDORS: dict[PyramidStyle, str] = {
    "aperio": "aperio", "tiff": "generic-tiff", "philips": "philips", "dicom": "dicom",
}  # fmt: skip
NEW_STYLES: tuple[PyramidStyle, ...] = ("philips", "ome", "dicom")
# Several levels; two levels, nothing whole; smaller than a tile.
SIZES = (Size(4400, 1300), Size(1030, 517), Size(100, 90))
TILE = 256


def picture(size: Size) -> Pixels:
    """Colours that change slowly, so that JPEG keeps them."""
    shape = (size.height // 160 + 2, size.width // 160 + 2, 3)
    coarse = np.random.default_rng(3).integers(40, 250, shape).astype(np.uint8)
    large = cv2.resize(coarse, (160 * shape[1], 160 * shape[0]), interpolation=cv2.INTER_CUBIC)
    return large[: size.height, : size.width]


def write(folder: Path, style: PyramidStyle, size: Size, name: str = "slide") -> Path:
    path = folder / f"{name}{ENDINGS[style]}"
    write_pyramid(path, picture(size), size, PIXEL, style, quality=95)
    return path


def first_file(path: Path) -> Path:
    return min(path.iterdir()) if path.is_dir() else path


def levels_of(path: Path) -> list[Pixels]:
    """Every level's pixels, as another reader sees them."""
    if path.name.endswith(".ome.tif"):
        with tifffile.TiffFile(path) as tiff:
            return [level.asarray() for level in tiff.series[0].levels]
    with openslide.OpenSlide(first_file(path)) as slide:
        return [
            np.asarray(slide.read_region((0, 0), number, size).convert("RGB"))
            for number, size in enumerate(slide.level_dimensions)
        ]


def filled(pixels: Pixels, multiple: int, style: PyramidStyle) -> Pixels:
    beyond = ((0, -pixels.shape[0] % multiple), (0, -pixels.shape[1] % multiple), (0, 0))
    if style == "philips":
        return np.pad(pixels, beyond, constant_values=255)
    return np.pad(pixels, beyond, mode="edge")


def expected_levels(style: PyramidStyle, size: Size) -> list[Pixels]:
    """Means of means; Philips' finest level is as large as its tiles, with white beyond."""
    levels = [filled(picture(size), TILE, style) if style == "philips" else picture(size)]
    while max(picture(size).shape) > 1020 * 4 ** (len(levels) - 1):
        whole = filled(levels[-1], 4, style)
        half = (whole.shape[1] // 4, whole.shape[0] // 4)
        levels.append(cv2.resize(whole, half, interpolation=cv2.INTER_AREA))
    return levels


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("style", VENDORS)
def test_openslide_knows_vendor_levels_and_pixel_size(
    tmp_path: Path, style: PyramidStyle, size: Size
) -> None:
    expected = expected_levels(style, size)
    with openslide.OpenSlide(first_file(write(tmp_path, style, size))) as slide:
        assert slide.properties["openslide.vendor"] == VENDORS[style]
        assert slide.level_dimensions == tuple(p.shape[1::-1] for p in expected)
        assert slide.level_downsamples == pytest.approx([1, 4, 16][: len(expected)], rel=0.02)
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.25)
        # Aperio knows one pixel size for both axes.
        mpp_y = 0.25 if style == "aperio" else 0.26
        assert float(slide.properties["openslide.mpp-y"]) == pytest.approx(mpp_y)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("style", ENDINGS)
def test_every_level_is_the_mean_of_what_was_written(
    tmp_path: Path, style: PyramidStyle, size: Size
) -> None:
    levels = levels_of(write(tmp_path, style, size))
    expected = expected_levels(style, size)
    assert [level.shape for level in levels] == [level.shape for level in expected]
    for level, wanted in zip(levels, expected, strict=True):
        assert np.abs(level.astype(int) - wanted).mean() < 2


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("style", NEW_STYLES)
def test_our_reader_finds_the_same_place_at_every_scale(
    tmp_path: Path, style: PyramidStyle, size: Size
) -> None:
    truth = InMemorySlide(picture(size), PIXEL)
    region = RegionUm(0, 0, size.width * 0.7 * PIXEL.x_um, size.height * 0.7 * PIXEL.y_um)
    with open_slide(write(tmp_path, style, size)) as slide:
        assert slide.info.name == "slide"
        assert slide.info.pixel_size.x_um == pytest.approx(PIXEL.x_um)
        assert slide.info.pixel_size.y_um == pytest.approx(PIXEL.y_um)
        whole = Size(*expected_levels(style, size)[0].shape[1::-1])
        assert slide.info.size_l0 == whole
        for mpp in (0.5, 1.1, 4.2):
            read, wanted = slide.read(region, mpp), truth.read(region, mpp)
            assert read.readable.all()
            assert np.abs(read.rgb.astype(int) - wanted.rgb).mean() < 2


@pytest.mark.parametrize("style", NEW_STYLES)
def test_same_pixels_same_bytes(tmp_path: Path, style: PyramidStyle) -> None:
    size = SIZES[0]
    pixels, written = picture(size), []
    for number, height in enumerate((97, 1300)):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / f"slide{ENDINGS[style]}"
        bands = (pixels[top : top + height] for top in range(0, size.height, height))
        write_pyramid(path, bands, size, PIXEL, style)
        written.append(contents(path))
    assert written[0] == written[1]


def contents(path: Path) -> dict[str, bytes]:
    files = path.iterdir() if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in sorted(files)}


def test_identity_decides_what_is_unique(tmp_path: Path) -> None:
    size = SIZES[2]
    for name, identity in (("a", "one"), ("b", "one"), ("c", "two")):
        write_pyramid(tmp_path / f"{name}.ome.tif", picture(size), size, PIXEL, "ome", 85, identity)
    first, second, third = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert first == second
    assert first != third


@pytest.mark.parametrize("style", NEW_STYLES)
def test_failure_midway_leaves_nothing(tmp_path: Path, style: PyramidStyle) -> None:
    def bands() -> Iterator[Pixels]:
        yield np.zeros((1000, 4400, 3), np.uint8)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_pyramid(tmp_path / "slide", bands(), SIZES[0], PIXEL, style)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", [1024, 1200, 1310])
@pytest.mark.parametrize("style", NEW_STYLES)
def test_wrong_number_of_rows_leaves_nothing(
    tmp_path: Path, style: PyramidStyle, rows: int
) -> None:
    pixels = np.zeros((rows, 4400, 3), np.uint8)
    with pytest.raises(SettingsError):
        write_pyramid(tmp_path / "slide", pixels, SIZES[0], PIXEL, style)
    assert list(tmp_path.iterdir()) == []


def test_philips_is_white_beyond_the_slide(tmp_path: Path) -> None:
    for level in levels_of(write(tmp_path, "philips", SIZES[0])):
        beyond = level.shape[0] * 1300 // 1536 + 8  # JPEG rings beside the edge
        assert level[beyond:].min() >= 250


def test_tifffile_knows_philips(tmp_path: Path) -> None:
    with tifffile.TiffFile(write(tmp_path, "philips", SIZES[0])) as tiff:
        assert tiff.is_philips
        assert len(tiff.series[0].levels) == 3


def test_ome_levels_are_subifds(tmp_path: Path) -> None:
    with tifffile.TiffFile(write(tmp_path, "ome", SIZES[0])) as tiff:
        assert len(tiff.pages) == 1
        assert len(tiff.pages[0].subifds) == 2
        assert 'PhysicalSizeX="0.25"' in tiff.ome_metadata


class TestDicom:
    def test_any_file_opens_the_slide(self, tmp_path: Path) -> None:
        folder = write(tmp_path, "dicom", SIZES[0])
        files = sorted(folder.iterdir())
        assert len(files) == 3
        for path in files:
            with open_slide(path) as slide:
                assert slide.info.format == "openslide:dicom"
                assert slide.info.size_l0 == SIZES[0]
                assert slide.info.name == path.stem

    def test_header_is_sound(self, tmp_path: Path) -> None:
        fine, coarse = (
            pydicom.dcmread(path) for path in sorted(write(tmp_path, "dicom", SIZES[1]).iterdir())
        )
        assert list(fine.ImageType) == ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
        assert list(coarse.ImageType) == ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"]
        assert fine.SeriesInstanceUID == coarse.SeriesInstanceUID
        assert fine.SOPInstanceUID != coarse.SOPInstanceUID
        assert all(e.value.is_valid for e in fine.iterall() if e.VR == "UI")
        spacing = coarse.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
        assert [float(mm) for mm in spacing] == pytest.approx([0.00104, 0.001])
        assert fine.pixel_array.shape == (fine.NumberOfFrames, TILE, TILE, 3) == (15, 256, 256, 3)

    def test_frames_beyond_32_bits(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("glisson_phantom.writing.encapsulation._MOST_BASIC_OFFSET", 1000)
        folder = write(tmp_path, "dicom", SIZES[0])
        dataset = pydicom.dcmread(first_file(folder))
        assert len(dataset.ExtendedOffsetTable) == 8 * dataset.NumberOfFrames
        last = dataset.pixel_array[-1][:20, :48]
        assert np.abs(last.astype(int) - picture(SIZES[0])[1280:, 4352:]).mean() < 2
        level = levels_of(folder)[0]
        assert np.abs(level.astype(int) - picture(SIZES[0])).mean() < 2

    def test_other_pixels_are_another_series(self, tmp_path: Path) -> None:
        series = set()
        for value in (10, 200):
            pixels = np.full((90, 100, 3), value, np.uint8)
            write_pyramid(tmp_path / "a.dcm", pixels, SIZES[2], PIXEL, "dicom")
            series.add(pydicom.dcmread(first_file(tmp_path / "a.dcm")).SeriesInstanceUID)
        assert len(series) == 2

    def test_folder_of_two_slides(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            for path in list(write(tmp_path, "dicom", SIZES[1], name).iterdir()):
                path.rename(tmp_path / path.name)
        with pytest.raises(UnsupportedSlide, match="several"):
            open_slide(tmp_path)
        with open_slide(tmp_path / "two-level-1.dcm") as slide:
            assert slide.info.size_l0 == SIZES[1]

    def test_folder_of_something_else_is_not_overwritten(self, tmp_path: Path) -> None:
        folder = write(tmp_path, "dicom", SIZES[2])
        write(tmp_path, "dicom", SIZES[2])
        assert [path.name for path in tmp_path.iterdir()] == ["slide.dcm"]
        (folder / "notes.txt").write_text("dear")
        with pytest.raises(OutputError, match="something else"):
            write(tmp_path, "dicom", SIZES[2])
        assert (folder / "notes.txt").exists()

    def test_names_that_are_no_file_names(self, tmp_path: Path) -> None:
        write_pyramid(
            tmp_path / "a", picture(SIZES[2]), SIZES[2], PIXEL, "dicom", identity="µ/\\ 1\n"
        )
        with open_slide(tmp_path / "a") as slide:
            assert slide.info.name == "a"

    def test_without_pydicom(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "glisson_phantom.writing.dicom_header", raising=False)
        monkeypatch.setitem(sys.modules, "pydicom", None)
        with pytest.raises(MissingExtra, match=r"pip install 'glisson\[phantom\]'"):
            write(tmp_path, "dicom", SIZES[2])
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("style", ["aperio", "tiff", *NEW_STYLES])
def test_a_drawn_slide_says_so_in_its_own_file(tmp_path: Path, style: PyramidStyle) -> None:
    """Renamed and moved, it is still told from a patient's."""
    size = SIZES[2]
    for name, comment in (("drawn", SYNTHETIC), ("patient", "")):
        path = tmp_path / f"{name}{ENDINGS[style]}"
        write_pyramid(path, picture(size), size, PIXEL, style, comment=comment)
        with open_slide(path) as slide:
            assert slide.info.synthetic is bool(comment), name
