"""The same pixels in any container are the same slide, or a clear refusal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image

from glisson.errors import MissingPixelSize, UnsupportedSlide
from glisson.frames import BoxL0, PixelSize, RegionUm, Size
from glisson.slides import Slide, open_slide
from glisson.slides.openslide_slide import parse_bounds
from tests.slides.test_reading import smooth_picture

SCAN = smooth_picture(600, 800)
HALF = cv2.resize(SCAN, (400, 300), interpolation=cv2.INTER_AREA)
QUARTER = cv2.resize(SCAN, (200, 150), interpolation=cv2.INTER_AREA)
OTHER = np.random.default_rng(5).integers(0, 255, (130, 170, 3)).astype(np.uint8)
ALPHA = np.dstack([SCAN, np.full(SCAN.shape[:2], 255, np.uint8)])
PLANES = np.moveaxis(SCAN, 2, 0)

TILED: dict[str, Any] = {"tile": (128, 128), "compression": "zlib", "photometric": "rgb"}
STRIPED: dict[str, Any] = {"compression": "zlib", "photometric": "rgb"}
GREY = TILED | {"photometric": "minisblack"}
PLANAR = TILED | {"planarconfig": "separate"}
REDUCED = {"subfiletype": 1}

Content = tuple[np.ndarray, dict[str, Any], dict[str, Any]]


def sized(um: float) -> dict[str, Any]:
    """Resolution tags."""
    return {"resolution": (1e4 / um, 1e4 / um), "resolutionunit": "CENTIMETER"}


def image(pixels: np.ndarray, name: str, um: float | None, **facts: Any) -> Content:
    sizes = {} if um is None else {"PhysicalSizeX": um, "PhysicalSizeY": um}
    return pixels, TILED, {"Name": name} | sizes | facts


def write_ome(path: Path, *contents: Content) -> Path:
    with tifffile.TiffWriter(path, ome=True) as tiff:
        for pixels, settings, metadata in contents:
            tiff.write(pixels, metadata=metadata, **settings)
    return path


def write_pages(path: Path, *contents: tuple[np.ndarray, dict[str, Any]]) -> Path:
    with tifffile.TiffWriter(path) as tiff:
        for pixels, settings in contents:
            tiff.write(pixels, metadata=None, **settings)
    return path


def read_level_0(slide: Slide) -> np.ndarray:
    size, pixel = slide.info.size_l0, slide.info.pixel_size
    region = RegionUm(0, 0, size.width * pixel.x_um, size.height * pixel.y_um)
    patch = slide.read(region, pixel.x_um)
    assert patch.readable.all()
    return patch.rgb


def check_is_scan(path: Path, series: int | None = None, mpp: float | None = None) -> None:
    with open_slide(path, mpp) as slide:
        assert slide.info.size_l0 == Size(800, 600)
        assert slide.info.pixel_size == PixelSize(1, 1)
        assert slide.info.series == series
        assert np.array_equal(read_level_0(slide), SCAN)


@pytest.mark.parametrize(
    "first",
    [
        image(OTHER, "label image", 2.0),
        image(OTHER, "label image", None),
        image(OTHER, "S12.svs [macro image]", 4.0),
        image(OTHER, "macro", 16.0),
        image(HALF, "Overview", 3.2475),
        image(HALF, "no name that tells", 5.0),
        image(OTHER, "no name that tells", None),
    ],
)
def test_ome_reads_the_scan_with_its_own_pixel_size(tmp_path: Path, first: Content) -> None:
    scan = image(SCAN, "main", 1.0)
    check_is_scan(write_ome(tmp_path / "first.ome.tif", first, scan), series=1)
    check_is_scan(write_ome(tmp_path / "after.ome.tif", scan, first), series=0)


@pytest.mark.parametrize("name", ["macrosteatosis.svs", "labelled", "overviewer"])
def test_part_of_a_word_is_no_label(tmp_path: Path, name: str) -> None:
    check_is_scan(write_ome(tmp_path / "a.ome.tif", image(SCAN, name, 1.0)))


def test_ome_without_the_scans_size_does_not_take_the_labels(tmp_path: Path) -> None:
    contents = image(OTHER, "label image", 2.0), image(SCAN, "main", None)
    with pytest.raises(MissingPixelSize):
        open_slide(write_ome(tmp_path / "a.ome.tif", *contents))


@pytest.mark.parametrize(
    "second",
    [
        image(SCAN[:500], "region 2", 1.0),
        image(SCAN[:200, :300], "region 2", 1.0),
        image(SCAN[:500], "region 2", None),
        image(HALF, "region 2", 2.0 / 3),
    ],
)
def test_two_scans_in_one_file_are_named_and_chosen(tmp_path: Path, second: Content) -> None:
    path = write_ome(tmp_path / "a.ome.tif", image(SCAN, "region 1", 1.0), second)
    with pytest.raises(UnsupportedSlide, match=r"'region 1' \(800 x 600.*'region 2'.*--series"):
        open_slide(path)
    with open_slide(path, series=0) as slide:
        assert np.array_equal(read_level_0(slide), SCAN)
    with open_slide(path, mpp=2, series=1) as slide:
        assert slide.info.size_l0 == Size(*second[0].shape[1::-1])
        assert slide.info.series == 1
    with pytest.raises(UnsupportedSlide, match=r"no image 2.*0 'region 1'"):
        open_slide(path, series=2)


def test_series_of_a_file_of_one_scan_is_refused(fixtures_dir: Path) -> None:
    for name in ("aperio-cmu1-small-region.svs", "Mirax2-Fluorescence-2.mrxs"):
        with pytest.raises(UnsupportedSlide, match="--series"):
            open_slide(fixtures_dir / "slides" / name, series=1)


@pytest.mark.parametrize(
    ("pixels", "settings", "facts"),
    [
        (PLANES, GREY, {"axes": "CYX"}),
        (PLANES, GREY, {"axes": "CYX", "Channel": {"Name": ["Red", "Green", "Blue"]}}),
        (PLANES[::-1], GREY, {"axes": "CYX", "Channel": {"Name": ["B", "G", "R"]}}),
        (PLANES, PLANAR, {"axes": "SYX"}),
        (ALPHA, TILED, {"axes": "YXS"}),
        (np.moveaxis(ALPHA, 2, 0), PLANAR, {"axes": "SYX"}),
    ],
    ids=["planes", "named", "reversed", "planar", "alpha", "planar-alpha"],
)
def test_layouts_of_colour(
    tmp_path: Path, pixels: np.ndarray, settings: dict[str, Any], facts: dict[str, Any]
) -> None:
    content = pixels, settings, image(SCAN, "a", 1.0)[2] | facts
    check_is_scan(write_ome(tmp_path / "a.ome.tif", content))


@pytest.mark.parametrize(
    ("pixels", "facts", "why"),
    [
        (PLANES, {"Channel": {"Name": ["DAPI", "FITC", "TRITC"]}}, "DAPI"),
        (PLANES, {"Channel": {"EmissionWavelength": [460, 520, 600]}}, "fluorescence"),
        (PLANES[:2], {}, "2 channels"),
        (np.concatenate([PLANES, PLANES[:1]]), {}, "4 channels"),
        (PLANES, {"axes": "ZYX"}, "stack"),
        (PLANES.astype(np.uint16), {}, "16 bits"),
    ],
)
def test_layouts_that_are_no_colour_picture(
    tmp_path: Path, pixels: np.ndarray, facts: dict[str, Any], why: str
) -> None:
    content = pixels, GREY, image(SCAN, "a", 1.0)[2] | {"axes": "CYX"} | facts
    with pytest.raises(UnsupportedSlide, match=why):
        open_slide(write_ome(tmp_path / "a.ome.tif", content))


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_transparent_pixels_are_glass(tmp_path: Path, kind: str) -> None:
    pixels = ALPHA.copy()
    pixels[:100] = 0
    content = pixels, TILED | {"extrasamples": [kind]}, image(SCAN, "a", 1.0)[2]
    Image.fromarray(pixels, "RGBA").save(tmp_path / "a.png")
    paths = write_ome(tmp_path / "a.ome.tif", content), tmp_path / "a.png"
    for path in paths:
        with open_slide(path, 1.0) as slide:
            shown = read_level_0(slide)
        assert (shown[:100] == 255).all()
        assert np.array_equal(shown[100:], SCAN[100:])


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        ("µm", 1),
        ("\u03bcm", 1),
        ("micron", 1),
        ("nm", 1000),
        ("mm", 0.001),
        ("\u00c5", 10_000),
        ("\u212b", 10_000),
        ("in", 1 / 25_400),
        ("inch", 1 / 25_400),
        ("mil", 1 / 25.4),
        ("thou", 1 / 25.4),
    ],
)
def test_units(tmp_path: Path, unit: str, size: float) -> None:
    units = {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    check_is_scan(write_ome(tmp_path / "a.ome.tif", image(SCAN, "a", size, **units)))


@pytest.mark.parametrize("unit", ["pixel", "reference frame", "px"])
def test_units_that_are_no_length(tmp_path: Path, unit: str) -> None:
    units = {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    with pytest.raises(MissingPixelSize):
        open_slide(write_ome(tmp_path / "a.ome.tif", image(SCAN, "a", 1, **units)))


LOSSLESS: dict[str, dict[str, Any]] = {"webp": {"lossless": True}, "jpegxr": {"level": 1.0}}


@pytest.mark.parametrize(
    "codec",
    ["webp", "jpeg2000", "jpegxl", "lerc", "png", "jpegxr", "lzma", "zstd", "lzw", "packbits"],
)
def test_codecs(tmp_path: Path, codec: str) -> None:
    packed = TILED | {"compression": codec, "compressionargs": LOSSLESS.get(codec, {})}
    path = write_pages(
        tmp_path / "a.tif", (SCAN, packed | sized(1)), (HALF, packed | REDUCED | sized(2))
    )
    check_is_scan(path)
    with open_slide(path) as slide:
        assert slide.info.level_downsamples == (1, 2)


@pytest.mark.parametrize(
    ("pages", "number"),
    [
        ([(HALF, STRIPED), (SCAN, TILED | sized(1))], 1),
        ([(QUARTER, STRIPED), (SCAN, STRIPED | sized(1))], 1),
        ([(HALF, TILED | sized(2)), (SCAN, TILED | sized(1))], 1),
        ([(OTHER, STRIPED), (SCAN, TILED | sized(1))], 1),
        ([(OTHER, TILED | sized(4)), (SCAN, TILED | sized(1))], 1),
        ([(QUARTER, TILED), (HALF, TILED), (SCAN, TILED | sized(1))], 2),
        ([(SCAN, TILED | sized(1)), (HALF, TILED | REDUCED), (OTHER, STRIPED)], None),
        ([(SCAN, STRIPED | sized(1)), (OTHER, STRIPED)], 0),
    ],
)
def test_the_largest_page_is_read(
    tmp_path: Path, pages: Sequence[tuple[np.ndarray, dict[str, Any]]], number: int | None
) -> None:
    check_is_scan(write_pages(tmp_path / "a.tif", *pages), number)


@pytest.mark.parametrize(
    "pages",
    [
        [(SCAN, TILED), (SCAN, TILED)],
        [(SCAN[:, :700], TILED | sized(1)), (SCAN, TILED | sized(1))],
        [(SCAN[:, :700], STRIPED), (SCAN, STRIPED)],
        [(HALF, TILED | sized(1)), (SCAN, TILED | sized(1))],
    ],
)
def test_pages_that_may_all_be_the_scan(
    tmp_path: Path, pages: Sequence[tuple[np.ndarray, dict[str, Any]]]
) -> None:
    path = write_pages(tmp_path / "a.tif", *pages)
    with pytest.raises(UnsupportedSlide, match=r"0 \(.*1 \(800 x 600.*--series"):
        open_slide(path, mpp=1)
    with open_slide(path, 1, 1) as slide:
        assert np.array_equal(read_level_0(slide), SCAN)
    with open_slide(path, 1, 0) as slide:
        assert slide.info.size_l0 == Size(*pages[0][0].shape[1::-1])


@pytest.mark.parametrize("unit", ["micron", "\\u00B5m", "mm"])
def test_imagej_says_its_pixel_size(tmp_path: Path, unit: str) -> None:
    per_unit = 1000 if unit == "mm" else 1
    tifffile.imwrite(
        tmp_path / "a.tif",
        SCAN,
        imagej=True,
        resolution=(per_unit, per_unit),
        metadata={"unit": unit},
    )
    check_is_scan(tmp_path / "a.tif")


def drop_empty_tiles(path: Path) -> None:
    """Remove from the index the tiles around the middle, which hold glass."""
    used = [
        128 <= y < 384 and 256 <= x < 512 for y in range(0, 600, 128) for x in range(0, 800, 128)
    ]
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for name in ("TileOffsets", "TileByteCounts"):
            tag = tiff.pages[0].tags[name]
            tag.overwrite([value * use for value, use in zip(tag.value, used, strict=True)])


@pytest.mark.parametrize("codec", ["zlib", "png"])
def test_sparse_tiff_is_whole_as_in_qupath(tmp_path: Path, codec: str) -> None:
    """OpenSlide 4.0.1 gives the file bounds, and that of QuPath 0.5 to 0.7 does not."""
    shown = np.full_like(SCAN, 255)
    shown[128:384, 256:512] = SCAN[128:384, 256:512]
    packed = TILED | {"compression": codec} | sized(1)
    path = write_pages(tmp_path / "a.tif", (shown, packed))
    drop_empty_tiles(path)
    if codec == "zlib":
        with openslide.OpenSlide(path) as handle:
            assert handle.properties[openslide.PROPERTY_NAME_BOUNDS_X] == "256"
    with open_slide(path) as slide:
        assert slide.info.bounds_l0 is None
        assert slide.info.size_l0 == Size(800, 600)
        assert np.array_equal(read_level_0(slide), shown)


@pytest.mark.parametrize(
    ("vendor", "is_cropped"),
    [("mirax", True), ("leica", True), ("ventana", True), ("generic-tiff", False)],
)
def test_bounds_by_vendor(vendor: str, is_cropped: bool) -> None:
    numbers = {"x": 10, "y": 20, "width": 300, "height": 400}
    properties = {f"openslide.bounds-{name}": str(value) for name, value in numbers.items()}
    found = parse_bounds({"openslide.vendor": vendor} | properties)
    assert found == (BoxL0(10, 20, 300, 400) if is_cropped else None)
