"""Slides in TIFF that tifffile reads: OME-TIFF, and TIFF that OpenSlide does not read."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile

from glisson.errors import DamagedSlide, GlissonError
from glisson.frames import BoxL0, Size
from glisson.slides.base import LevelSlide, Mask, Pixels
from glisson.slides.ome_images import list_ome_images
from glisson.slides.pixel_size import choose_pixel_size
from glisson.slides.plausible import check_declared, parse_xml
from glisson.slides.slide import SlideInfo
from glisson.slides.synthetic import is_synthetic
from glisson.slides.tiff_image import (
    Page,
    TiffImage,
    TiffLevel,
    choose_image,
    number_series,
    require_readable,
)
from glisson.slides.tiff_pages import drop_default_size, list_pages

logger = logging.getLogger(__name__)

_ASSOCIATED, _UNASSOCIATED = 1, 2
"""Kinds of a fourth channel that are transparency: colours already multiplied by it, or not."""


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
    file: BinaryIO,
    path: Path,
    mpp: float | tuple[float, float] | None,
    finest_mpp: float,
    series: int | None = None,
) -> TiffSlide | None:
    """Open an OME-TIFF in an open file; return None if reads would need its finest level.

    Args:
        file: the open file; it must stay open as long as the slide.
        path: the slide's name, used in messages.
        mpp: as `open_slide`.
        finest_mpp: µm/px of the finest reads to come.
        series: as `open_slide`.

    Raises:
        SlideError: as `open_slide`.
    """
    if not is_ome_tiff(file):
        return None
    slide = TiffSlide(path, mpp, series, file)
    if slide.choose_level(finest_mpp) > 0:
        return slide
    slide.close()
    return None


def list_tiff_images(path: Path, tiff: tifffile.TiffFile) -> list[TiffImage]:
    """List the images of an open TIFF."""
    if tiff.is_ome:
        parse_xml(tiff.ome_metadata or "", path.name)  # rejects hostile XML
        return list_ome_images(tiff, path)
    return list_pages(tiff, path)


class TiffSlide(LevelSlide):
    """A TIFF image with 8-bit RGB pixels: in one page, in planes, or with transparency.

    Args:
        path: the slide file.
        mpp: level-0 µm per pixel, or (x, y); overrides what the file says.
        series: number of the image; None for the only scan of the file.
        file: the open file, if the slide is not at `path`.
    """

    def __init__(
        self,
        path: Path,
        mpp: float | tuple[float, float] | None = None,
        series: int | None = None,
        file: BinaryIO | None = None,
    ) -> None:
        self._path = path
        self._lock = threading.Lock()
        with _as_damage(path):
            self._tiff = _open_tiff(path if file is None else file)
        try:
            with _as_damage(path):
                images = list_tiff_images(path, self._tiff)
                image = require_readable(choose_image(images, series, path), path)
                info = self._describe(image, mpp, number_series(image, images))
        except GlissonError:
            self._tiff.close()
            raise
        self._levels = [_Reader(self._tiff, level, self._lock) for level in image.levels]
        super().__init__(info, tuple((level.width, level.height) for level in image.levels))

    def close(self) -> None:
        """Close the file."""
        self._tiff.close()

    def read_all(self) -> tuple[Pixels, tuple[BoxL0, ...]]:
        """Return the pixels of level 0, and the boxes of unreadable pixels."""
        pixels, _ = self._read_level(0, 0, 0, *self._level_sizes[0])
        return pixels, self.damaged_l0

    def _describe(
        self, image: TiffImage, mpp: float | tuple[float, float] | None, series: int | None
    ) -> SlideInfo:
        finest, tiff = image.finest, self._tiff
        check_declared(self._path, finest.width, finest.height, tiff.filehandle.size)
        in_file = image.size_um if finest.is_tiled else drop_default_size(image.size_um)
        pixel_size, source = choose_pixel_size(in_file, mpp, self._path.name)
        texts = [tiff.ome_metadata or "", str(tiff.pages[0].description), finest.pages[0].software]
        name = self._path.name.removesuffix(self._path.suffix)
        return SlideInfo(
            name=name.removesuffix(".ome") if tiff.is_ome else name,
            path=self._path,
            format="tifffile:ome" if tiff.is_ome else "tifffile:tiff",
            size_l0=Size(finest.width, finest.height),
            pixel_size=pixel_size,
            pixel_size_source=source,
            bounds_l0=None,
            level_downsamples=tuple(finest.width / level.width for level in image.levels),
            synthetic=is_synthetic(texts),
            series=series,
        )

    def _read_level(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[Pixels, Mask]:
        reader = self._levels[level]
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[:] = self._info.background_rgb
        readable = np.zeros((height, width), bool)
        for row, column in _find_segments(reader.level, left, top, width, height):
            x, y = column * reader.level.segment_width, row * reader.level.segment_height
            data = self._decode(reader, row, column)
            if data is None:
                self._note_damage(
                    level, x, y, reader.level.segment_width, reader.level.segment_height
                )
                continue
            first_row, first_column = max(y - top, 0), max(x - left, 0)
            part = data[max(top - y, 0) :, max(left - x, 0) :]
            part = part[: height - first_row, : width - first_column]
            area = (
                slice(first_row, first_row + part.shape[0]),
                slice(first_column, first_column + part.shape[1]),
            )
            pixels[area], readable[area] = part, True
        return pixels, readable

    def _decode(self, reader: _Reader, row: int, column: int) -> Pixels | None:
        """Return the pixels of a tile or strip; None if it is damaged."""
        try:
            return reader.decode(row, column, self._info.background_rgb)
        except GlissonError:  # a failing store is no damage of the slide
            raise
        except Exception as error:  # noqa: BLE001  every codec raises other types
            logger.debug("%s: %s", self._path.name, type(error).__name__)
            return None


@dataclass(frozen=True)
class _Reader:
    """Reads and decodes the tiles or strips of a level."""

    tiff: tifffile.TiffFile
    level: TiffLevel
    lock: threading.Lock

    def decode(self, row: int, column: int, background_rgb: tuple[int, int, int]) -> Pixels | None:
        """Return the RGB pixels of a tile or strip, without padding; None if it has no data."""
        index = row * self.level.across + column
        parts = [self._decode_part(page, index + offset) for page, offset in self._list_parts()]
        present = [part for part in parts if part is not None]
        if not present:  # writers leave out tiles without tissue
            return self._make_empty(row, column, background_rgb)
        if len(present) < len(parts):
            return None
        channels = present[0] if len(present) == 1 else np.concatenate(present, axis=2)
        return _blend(channels, self._alpha, background_rgb)

    def _list_parts(self) -> list[tuple[Page, int]]:
        """Return the page and the first index of each group of channels."""
        first = self.level.pages[0]
        if len(self.level.pages) > 1 or first.planarconfig == 1:
            return [(page, 0) for page in self.level.pages]
        count = self.level.across * self.level.down
        return [(first, plane * count) for plane in range(first.samplesperpixel)]

    @property
    def _alpha(self) -> int:
        kinds = self.level.pages[0].extrasamples
        return int(kinds[0]) if kinds else 0

    def _decode_part(self, page: Page, index: int) -> Pixels | None:
        with self.lock:  # tifffile reads long lists of tiles from the file at first use
            size = page.databytecounts[index]
            if size == 0:
                return None
            handle = self.tiff.filehandle
            handle.seek(page.dataoffsets[index])
            encoded = handle.read(size)
        data, _, shape = page.decode(encoded, index, jpegtables=page.jpegtables)
        if data is None:
            raise ValueError("no pixels")
        decoded: Pixels = data[0, : shape[1], : shape[2]]
        return decoded

    def _make_empty(self, row: int, column: int, background_rgb: tuple[int, int, int]) -> Pixels:
        level = self.level
        height = min(level.segment_height, level.height - row * level.segment_height)
        width = min(level.segment_width, level.width - column * level.segment_width)
        empty = np.empty((height, width, 3), np.uint8)
        empty[:] = background_rgb
        return empty


def _blend(channels: Pixels, alpha: int, background_rgb: tuple[int, int, int]) -> Pixels:
    """Return RGB; where the fourth channel is transparency, blend with the background."""
    rgb = channels[..., :3]
    if channels.shape[2] < 4 or alpha not in (_ASSOCIATED, _UNASSOCIATED):
        return rgb
    opaque = channels[..., 3:]
    if opaque.min() == 255:
        return rgb
    share = opaque.astype(np.float32) / 255
    shown = rgb if alpha == _ASSOCIATED else rgb * share
    mixed = shown + np.array(background_rgb, np.float32) * (1 - share)
    return np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)


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
            f"{path} cannot be read as TIFF ({type(error).__name__}). It is damaged or "
            "incomplete; copy it again from its source."
        ) from error


def _find_segments(
    level: TiffLevel, left: int, top: int, width: int, height: int
) -> Iterator[tuple[int, int]]:
    """Yield rows and columns of the tiles or strips that overlap a region."""
    for row in range(top // level.segment_height, (top + height - 1) // level.segment_height + 1):
        for column in range(
            left // level.segment_width, (left + width - 1) // level.segment_width + 1
        ):
            yield row, column
