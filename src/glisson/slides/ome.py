"""OME-TIFF slides; their pyramid levels sit in SubIFDs, which OpenSlide does not read."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile

from glisson.errors import DamagedSlide, GlissonError, UnsupportedSlide
from glisson.frames import Size
from glisson.slides.base import LevelSlide, Mask, Pixels
from glisson.slides.pixel_size import choose_pixel_size
from glisson.slides.plausible import MOST_TILE_PX, check_declared, parse_xml
from glisson.slides.slide import SlideInfo
from glisson.slides.synthetic import is_synthetic

logger = logging.getLogger(__name__)

_UM_PER_UNIT = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6}
_OTHER_PICTURES = ("label", "macro", "overview", "thumbnail")


def is_ome_tiff(file: Path | BinaryIO) -> bool:
    """Return whether the file is a TIFF with OME metadata."""
    try:
        with _open_tiff(file) as tiff:
            return bool(tiff.is_ome)
    except GlissonError:
        raise
    except Exception as error:  # noqa: BLE001  tifffile raises struct.error, KeyError ...
        logger.info("tifffile cannot read the file: %s", type(error).__name__)
        return False


def open_ome_pyramid(
    file: BinaryIO, path: Path, mpp: float | tuple[float, float] | None, finest_mpp: float
) -> OmeTiffSlide | None:
    """Open an OME-TIFF in an open file; return None if reads would need its finest level.

    Args:
        file: the open file; it must stay open as long as the slide.
        path: the slide's name, used in messages.
        mpp: as `open_slide`.
        finest_mpp: µm/px of the finest reads to come.

    Raises:
        SlideError: as `open_slide`.
    """
    if not is_ome_tiff(file):
        return None
    slide = OmeTiffSlide(path, mpp, file)
    if slide.choose_level(finest_mpp) > 0:
        return slide
    slide.close()
    return None


class OmeTiffSlide(LevelSlide):
    """An OME-TIFF with 8-bit RGB pixels, in one plane.

    Args:
        path: the slide file.
        mpp: level-0 µm per pixel, or (x, y); overrides what the file says.
        file: the open file, if the slide is not at `path`.
    """

    def __init__(
        self,
        path: Path,
        mpp: float | tuple[float, float] | None = None,
        file: BinaryIO | None = None,
    ) -> None:
        self._path = path
        self._lock = threading.Lock()
        with _as_damage(path):
            self._tiff = _open_tiff(path if file is None else file)
        try:
            with _as_damage(path):
                self._pages = [_check_page(path, level) for level in _find_levels(path, self._tiff)]
                info = self._describe(mpp)
        except GlissonError:
            self._tiff.close()
            raise
        super().__init__(info, tuple((page.imagewidth, page.imagelength) for page in self._pages))

    def close(self) -> None:
        """Close the file."""
        self._tiff.close()

    def _describe(self, mpp: float | tuple[float, float] | None) -> SlideInfo:
        width, height = self._pages[0].imagewidth, self._pages[0].imagelength
        check_declared(self._path, width, height, self._tiff.filehandle.size)
        in_file = _parse_pixel_size(self._tiff.ome_metadata or "", self._path.name)
        pixel_size, source = choose_pixel_size(in_file, mpp, self._path.name)
        name = self._path.name.removesuffix(self._path.suffix).removesuffix(".ome")
        return SlideInfo(
            name=name,
            path=self._path,
            format="tifffile:ome",
            size_l0=Size(width, height),
            pixel_size=pixel_size,
            pixel_size_source=source,
            bounds_l0=None,
            level_downsamples=tuple(width / page.imagewidth for page in self._pages),
            synthetic=is_synthetic([self._tiff.ome_metadata or ""]),
        )

    def _read_level(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[Pixels, Mask]:
        page = self._pages[level]
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[:] = self._info.background_rgb
        readable = np.zeros((height, width), bool)
        for index in _find_segments(page, left, top, width, height):
            x, y = _corner(page, index)
            data = self._decode(page, index)
            if data is None:
                self._note_damage(level, x, y, _segment_width(page), _segment_height(page))
                continue
            row, column = max(y - top, 0), max(x - left, 0)
            part = data[max(top - y, 0) :, max(left - x, 0) :][: height - row, : width - column]
            area = (slice(row, row + part.shape[0]), slice(column, column + part.shape[1]))
            pixels[area], readable[area] = part, True
        return pixels, readable

    def _decode(self, page: Any, index: int) -> Pixels | None:
        """Read and decode a tile or strip; return None if it is damaged."""
        try:
            with self._lock:
                handle = self._tiff.filehandle
                handle.seek(page.dataoffsets[index])
                encoded = handle.read(page.databytecounts[index])
            data, _, shape = page.decode(encoded, index, jpegtables=page.jpegtables)
        except GlissonError:  # a failing store is no damage of the slide
            raise
        except Exception as error:  # noqa: BLE001  every codec raises other types
            logger.debug("%s: %s", self._path.name, type(error).__name__)
            return None
        if data is None:
            return None
        decoded: Pixels = data[0, : shape[1], : shape[2]]
        return decoded


def _open_tiff(file: Path | BinaryIO) -> tifffile.TiffFile:
    if not isinstance(file, Path):
        file.seek(0)  # tifffile starts to read at the file's position
    return tifffile.TiffFile(file)


@contextmanager
def _as_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except GlissonError:
        raise
    except Exception as error:  # tifffile raises struct.error, KeyError, TypeError ...
        # The error's own words may cite patient data from the file, so leave them out.
        raise DamagedSlide(
            f"{path} cannot be read as OME-TIFF ({type(error).__name__}). It is damaged or "
            "incomplete; copy it again from its source."
        ) from error


def _find_levels(path: Path, tiff: tifffile.TiffFile) -> Any:
    """Return the levels of the first image that is neither label nor overview."""
    parse_xml(tiff.ome_metadata or "", path.name)  # rejects hostile XML before tifffile parses it
    for series in tiff.series:
        if not any(word in str(series.name).casefold() for word in _OTHER_PICTURES):
            return series.levels
    raise UnsupportedSlide(
        f"{path} holds only labels and overviews. Export the scan itself as OME-TIFF."
    )


def _check_page(path: Path, level: Any) -> Any:
    """Return the level's page if it holds 8-bit RGB in tiles that fit memory."""
    page = level.keyframe
    plain = page.dtype == np.uint8 and page.samplesperpixel == 3 and page.planarconfig == 1
    if not plain or len(level.pages) != 1:
        raise UnsupportedSlide(
            f"{path} holds {len(level.pages)} plane(s) of {page.dtype} with "
            f"{page.samplesperpixel} channel(s); Glisson reads one plane of 8-bit RGB."
        )
    segment_px = _segment_width(page) * _segment_height(page)
    if not 1 <= segment_px <= MOST_TILE_PX:
        raise UnsupportedSlide(
            f"{path} packs {segment_px} pixels in one tile; Glisson reads tiles "
            f"of 1 to {MOST_TILE_PX}. Convert it, for example with bfconvert or libvips."
        )
    return page


def _segment_width(page: Any) -> int:
    return int(page.tilewidth or page.imagewidth)


def _find_segments(page: Any, left: int, top: int, width: int, height: int) -> list[int]:
    """Return the indices of the tiles or strips that overlap a region."""
    tile_width, tile_height = _segment_width(page), _segment_height(page)
    across = -(-page.imagewidth // tile_width)
    return [
        row * across + column
        for row in range(top // tile_height, (top + height - 1) // tile_height + 1)
        for column in range(left // tile_width, (left + width - 1) // tile_width + 1)
    ]


def _segment_height(page: Any) -> int:
    return int(page.tilelength or min(page.rowsperstrip, page.imagelength))


def _corner(page: Any, index: int) -> tuple[int, int]:
    tile_width = _segment_width(page)
    across = -(-page.imagewidth // tile_width)
    return (index % across) * tile_width, (index // across) * _segment_height(page)


def _parse_pixel_size(xml: str, where: str) -> tuple[float, float] | None:
    """Parse µm per pixel (x, y) from OME-XML; return None if it gives no valid size."""
    attributes = next(
        (each.attrib for each in parse_xml(xml, where).iter() if each.tag.endswith("}Pixels")), {}
    )
    try:
        x_um, y_um = (
            float(attributes[f"PhysicalSize{axis}"])
            * _UM_PER_UNIT[attributes.get(f"PhysicalSize{axis}Unit", "µm")]
            for axis in "XY"
        )
    except (KeyError, ValueError):
        return None
    return x_um, y_um
