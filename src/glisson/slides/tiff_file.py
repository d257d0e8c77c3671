"""Open a TIFF by the reader that shows its scan: OpenSlide, tifffile or Pillow."""

from __future__ import annotations

import logging
from pathlib import Path

import openslide
import tifffile

from glisson.errors import GlissonError, UnsupportedSlide
from glisson.slides.image_file import MOST_PIXELS, open_image
from glisson.slides.memory import InMemorySlide
from glisson.slides.openslide_slide import GENERIC_TIFF, OpenSlideSlide
from glisson.slides.slide import Slide
from glisson.slides.tiff_image import TiffImage, choose_image, require_readable
from glisson.slides.tiff_pages import drop_default_size, list_pages
from glisson.slides.tiff_slide import TiffSlide, is_ome_tiff

logger = logging.getLogger(__name__)

Mpp = float | tuple[float, float] | None


def is_generic_tiff(path: Path) -> bool:
    """Return whether the file is a tiled TIFF of no vendor, whatever its ending."""
    return bool(openslide.OpenSlide.detect_format(path) == GENERIC_TIFF)


def open_tiff(path: Path, mpp: Mpp, series: int | None) -> Slide:
    """Open a TIFF of any kind.

    OpenSlide reads the formats of scanners, and a TIFF of no vendor whose first page is the scan.
    tifffile reads OME-TIFF, and what OpenSlide does not: other codecs, and files whose first page
    is an overview. Pillow reads small pictures with a palette or other colours than RGB.

    Raises:
        SlideError: as `open_slide`.
    """
    if is_ome_tiff(path):
        return TiffSlide(path, mpp, series)
    vendor = openslide.OpenSlide.detect_format(path)
    if vendor not in (None, GENERIC_TIFF):
        if series:
            raise UnsupportedSlide(f"{path} holds one scan. Leave out --series.")
        return OpenSlideSlide(path, mpp)
    image = _find_scan(path, series)
    if vendor is not None and (image is None or _is_read_by_openslide(path, image)):
        return OpenSlideSlide(path, mpp)
    return _open_page(path, mpp, image)


def _open_page(path: Path, mpp: Mpp, image: TiffImage | None) -> Slide:
    """Open a page by tifffile; by Pillow a first page that tifffile does not read as RGB."""
    if image is None:
        return open_image(path, mpp)
    if image.problem is not None and image.number == 0:
        return open_image(path, mpp, drop_default_size(image.size_um))
    if require_readable(image, path).finest.is_tiled:
        return TiffSlide(path, mpp, image.number)
    return _open_in_memory(path, mpp, image)


def _find_scan(path: Path, series: int | None) -> TiffImage | None:
    """Return the page that holds the scan; None where tifffile cannot read the file.

    Raises:
        UnsupportedSlide: several pages may be the scan.
    """
    try:
        with tifffile.TiffFile(path) as tiff:
            images = list_pages(tiff, path)
            return choose_image(images, series, path) if images else None
    except GlissonError:
        raise
    except Exception as error:  # noqa: BLE001  tifffile raises struct.error, KeyError ...
        logger.info("tifffile cannot read the file: %s", type(error).__name__)
        return None


def _is_read_by_openslide(path: Path, image: TiffImage) -> bool:
    """Return whether OpenSlide reads the right image of a TIFF of no vendor, and nothing else.

    OpenSlide takes the first page for level 0, and every tiled page that is marked as reduced for
    a level, whatever it shows.
    """
    if image.number != 0:
        return False
    try:
        with openslide.OpenSlide(path) as handle:
            sizes = set(handle.level_dimensions)
    except openslide.OpenSlideError as error:
        return "Unsupported TIFF compression" not in str(error)
    levels = {(level.width, level.height) for level in image.levels}
    return image.problem is not None or sizes <= levels


def _open_in_memory(path: Path, mpp: Mpp, image: TiffImage) -> InMemorySlide:
    """Read an image of strips whole: each strip would be decoded again for every window."""
    if image.pixels > MOST_PIXELS:
        raise UnsupportedSlide(
            f"{path} has {image.finest.width} x {image.finest.height} pixels in strips, too many "
            "to read at once; convert it to a tiled TIFF, for example with libvips."
        )
    with TiffSlide(path, mpp, image.number) as slide:
        rgb, damaged_l0 = slide.read_all()
        info = slide.info
    return InMemorySlide(
        rgb,
        info.pixel_size,
        info.name,
        damaged_l0=damaged_l0,
        path=path,
        format="image:tiff",
        pixel_size_source=info.pixel_size_source,
        synthetic=info.synthetic,
        series=info.series,
    )
