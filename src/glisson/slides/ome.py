"""OME-TIFF, whose pyramid levels sit in SubIFDs that OpenSlide does not look into."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile

from glisson.errors import DamagedSlide, GlissonError, UnsupportedSlide
from glisson.frames import Size
from glisson.slides.base import LevelSlide, Mask, Pixels
from glisson.slides.pixel_size import chosen_pixel_size
from glisson.slides.plausible import MOST_TILE_PX, check_declared, xml_root
from glisson.slides.slide import SlideInfo
from glisson.slides.synthetic import says_synthetic

logger = logging.getLogger(__name__)

_UM_PER_UNIT = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6}
_OTHER_PICTURES = ("label", "macro", "overview", "thumbnail")


def is_ome_tiff(file: Path | BinaryIO) -> bool:
    """Whether the file is a TIFF with OME metadata."""
    try:
        with _tiff(file) as tiff:
            return bool(tiff.is_ome)
    except GlissonError:
        raise
    except Exception as error:  # noqa: BLE001  tifffile raises struct.error, KeyError ...
        logger.info("This is no TIFF that tifffile can read: %s", type(error).__name__)
        return False


def open_ome_pyramid(
    file: BinaryIO, path: Path, mpp: float | tuple[float, float] | None, finest_mpp: float
) -> OmeTiffSlide | None:
    """An OME-TIFF in an open file, if it has a level that spares reading the finest one.

    Args:
        file: which stays open as long as the slide is.
        path: what the slide is called by.
        mpp: as `open_slide`.
        finest_mpp: µm/px of the finest reads that are to come.

    Raises:
        SlideError: as `open_slide`.
    """
    if not is_ome_tiff(file):
        return None
    slide = OmeTiffSlide(path, mpp, file)
    if slide.level_for(finest_mpp) > 0:
        return slide
    slide.close()
    return None


class OmeTiffSlide(LevelSlide):
    """An OME-TIFF with 8-bit RGB pixels, in one plane.

    Args:
        path: the slide file.
        mpp: level-0 µm per pixel, or (x, y); overrides what the file says.
        file: the slide's bytes, where they are not at the path.
    """

    def __init__(
        self,
        path: Path,
        mpp: float | tuple[float, float] | None = None,
        file: BinaryIO | None = None,
    ) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._tiff = _opened(path, file)
        try:
            self._pages = [_rgb_page(path, level) for level in _main_image(path, self._tiff)]
            info = self._describe(mpp)
        except GlissonError:
            self._tiff.close()
            raise
        except Exception as error:  # tifffile raises struct.error, KeyError, TypeError ...
            self._tiff.close()
            raise _damaged(path, error) from error
        super().__init__(info, tuple((page.imagewidth, page.imagelength) for page in self._pages))

    def close(self) -> None:
        """Release the file."""
        self._tiff.close()

    def _describe(self, mpp: float | tuple[float, float] | None) -> SlideInfo:
        width, height = self._pages[0].imagewidth, self._pages[0].imagelength
        check_declared(self._path, width, height, self._tiff.filehandle.size)
        in_file = _physical_size(self._tiff.ome_metadata or "", self._path.name)
        pixel_size, source = chosen_pixel_size(in_file, mpp, self._path.name)
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
            synthetic=says_synthetic([self._tiff.ome_metadata or ""]),
        )

    def _read_level(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[Pixels, Mask]:
        page = self._pages[level]
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[:] = self._info.background_rgb
        readable = np.zeros((height, width), bool)
        for index in _segments(page, left, top, width, height):
            self._place(page, level, index, left, top, pixels, readable)
        return pixels, readable

    def _place(
        self,
        page: Any,
        level: int,
        index: int,
        left: int,
        top: int,
        pixels: Pixels,
        readable: Mask,
    ) -> None:
        """Decode one tile or strip and copy what overlaps."""
        x, y = _corner(page, index)
        data = self._decode(page, index)
        if data is None:
            self._note_damage(level, x, y, page.tilewidth or page.imagewidth, _segment_height(page))
            return
        first_row, first_column = max(top - y, 0), max(left - x, 0)
        row, column = max(y - top, 0), max(x - left, 0)
        part = data[first_row:, first_column:][: pixels.shape[0] - row, : pixels.shape[1] - column]
        area = (slice(row, row + part.shape[0]), slice(column, column + part.shape[1]))
        pixels[area], readable[area] = part, True

    def _decode(self, page: Any, index: int) -> Pixels | None:
        try:
            with self._lock:
                handle = self._tiff.filehandle
                handle.seek(page.dataoffsets[index])
                encoded = handle.read(page.databytecounts[index])
            data, _, shape = page.decode(encoded, index, jpegtables=page.jpegtables)
        except GlissonError:  # a store that does not answer is no damage of the slide
            raise
        except Exception as error:  # noqa: BLE001  codecs raise types of their own
            del error
            return None
        if data is None:
            return None
        decoded: Pixels = data[0, : shape[1], : shape[2]]
        return decoded


def _tiff(file: Path | BinaryIO) -> Any:
    if not isinstance(file, Path):
        file.seek(0)  # tifffile takes the file's position for its start
    return tifffile.TiffFile(file)


def _opened(path: Path, file: BinaryIO | None) -> tifffile.TiffFile:
    try:
        return _tiff(path if file is None else file)
    except GlissonError:
        raise
    except Exception as error:  # as above
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DamagedSlide:
    # Without the error's own words, which may cite what the file says of its patient.
    return DamagedSlide(
        f"{path} cannot be read as OME-TIFF ({type(error).__name__}). It is damaged or incomplete; "
        "copy it again from its source."
    )


def _main_image(path: Path, tiff: tifffile.TiffFile) -> Any:
    """Levels of the first image that is no label and no other picture of the glass."""
    xml_root(tiff.ome_metadata or "", path.name)  # before tifffile parses it
    for series in tiff.series:
        if not any(word in str(series.name).casefold() for word in _OTHER_PICTURES):
            return series.levels
    raise UnsupportedSlide(f"{path} holds no image but labels and overviews of the glass.")


def _rgb_page(path: Path, level: Any) -> Any:
    page = level.keyframe
    plain = page.dtype == np.uint8 and page.samplesperpixel == 3 and page.planarconfig == 1
    if not plain or len(level.pages) != 1:
        raise UnsupportedSlide(
            f"{path} holds {len(level.pages)} plane(s) of {page.dtype} with "
            f"{page.samplesperpixel} channel(s); one plane of 8-bit RGB is needed."
        )
    if not 1 <= _segment_px(page) <= MOST_TILE_PX:
        raise UnsupportedSlide(
            f"{path} packs {_segment_px(page)} pixels in one piece; tiles of 1 to "
            f"{MOST_TILE_PX} are read. Convert it, for example with bfconvert or libvips."
        )
    return page


def _segment_px(page: Any) -> int:
    return int(page.tilewidth or page.imagewidth) * _segment_height(page)


def _segments(page: Any, left: int, top: int, width: int, height: int) -> list[int]:
    """Indices of the tiles or strips that overlap a region."""
    tile_width = page.tilewidth or page.imagewidth
    tile_height = _segment_height(page)
    across = -(-page.imagewidth // tile_width)
    return [
        row * across + column
        for row in range(top // tile_height, (top + height - 1) // tile_height + 1)
        for column in range(left // tile_width, (left + width - 1) // tile_width + 1)
    ]


def _segment_height(page: Any) -> int:
    return int(page.tilelength or min(page.rowsperstrip, page.imagelength))


def _corner(page: Any, index: int) -> tuple[int, int]:
    tile_width = page.tilewidth or page.imagewidth
    across = -(-page.imagewidth // tile_width)
    return (index % across) * tile_width, (index // across) * _segment_height(page)


def _physical_size(xml: str, where: str) -> tuple[float, float] | None:
    """µm per pixel from OME-XML, or None."""
    for element in xml_root(xml, where).iter():
        if element.tag.endswith("}Pixels"):
            return _pixels_size(element.attrib)
    return None


def _pixels_size(attributes: dict[str, str]) -> tuple[float, float] | None:
    try:
        sizes = [
            float(attributes[f"PhysicalSize{axis}"])
            * _UM_PER_UNIT[attributes.get(f"PhysicalSize{axis}Unit", "µm")]
            for axis in "XY"
        ]
    except (KeyError, ValueError):
        return None
    return sizes[0], sizes[1]
