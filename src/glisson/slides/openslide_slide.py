"""Slides of OpenSlide: Aperio, Hamamatsu, MIRAX, Philips, DICOM, tiled TIFF and more."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import openslide

from glisson.errors import DamagedSlide, UnsupportedSlide
from glisson.frames import BoxL0, Size
from glisson.slides.base import LevelSlide, Mask, Pixels
from glisson.slides.pixel_size import choose_pixel_size
from glisson.slides.plausible import MOST_TILE_PX, check_declared
from glisson.slides.slide import SlideInfo
from glisson.slides.synthetic import is_synthetic

logger = logging.getLogger(__name__)

_CACHE_BYTES = 64 << 20
_PIECE_PX = 512
_MOST_FAILURES = 2000

GENERIC_TIFF = "generic-tiff"
"""OpenSlide's name of a tiled TIFF of no vendor."""
_ONE_FILE = {"aperio", GENERIC_TIFF, "leica", "philips", "trestle", "ventana"}
"""Vendors whose slides are a single TIFF."""

_BOUNDS = (
    openslide.PROPERTY_NAME_BOUNDS_X,
    openslide.PROPERTY_NAME_BOUNDS_Y,
    openslide.PROPERTY_NAME_BOUNDS_WIDTH,
    openslide.PROPERTY_NAME_BOUNDS_HEIGHT,
)


class OpenSlideSlide(LevelSlide):
    """A slide read by OpenSlide.

    OpenSlide's errors latch: after an error, every later read of that handle fails, in every
    thread. So a failed read is repeated on a handle of its own, and then in smaller pieces. The
    reader records pieces that fail again, and no measurement counts them.
    Transparent pixels (unscanned parts of MIRAX) get the background colour and are readable.

    Args:
        path: the slide file, or one file of a slide of several.
        mpp: level-0 µm per pixel, or (x, y); overrides what the file says.
        name: the slide's name; the file's by default.
    """

    def __init__(
        self,
        path: Path,
        mpp: float | tuple[float, float] | None = None,
        name: str | None = None,
    ) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._handle = open_handle(path)
        self._failures = 0
        try:
            info = _read_info(path, self._handle, mpp, name or path.stem)
        except Exception:
            self._handle.close()
            raise
        super().__init__(info, tuple(self._handle.level_dimensions))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._handle.close()

    def _read_level(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[Pixels, Mask]:
        pixels = self._try_read(level, left, top, width, height)
        if pixels is not None:
            return pixels, np.ones((height, width), bool)
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[:] = self._info.background_rgb
        readable = np.zeros((height, width), bool)
        for y, x in _split(left, top, width, height):
            piece_width = min(x + _PIECE_PX - x % _PIECE_PX, left + width) - x
            piece_height = min(y + _PIECE_PX - y % _PIECE_PX, top + height) - y
            part = (slice(y - top, y - top + piece_height), slice(x - left, x - left + piece_width))
            piece = self._try_read(level, x, y, piece_width, piece_height)
            if piece is None:
                self._note_damage(level, x, y, piece_width, piece_height)
            else:
                pixels[part], readable[part] = piece, True
        return pixels, readable

    def _try_read(self, level: int, left: int, top: int, width: int, height: int) -> Pixels | None:
        """Return the pixels, or None if they cannot be read."""
        # OpenSlide divides by its own downsample, not by the level's exact scale.
        downsample = self._info.level_downsamples[level]
        corner_l0 = (round(left * downsample), round(top * downsample))
        handle = self._handle
        try:
            rgba = np.asarray(handle.read_region(corner_l0, level, (width, height)))
        except openslide.OpenSlideError:
            self._replace(handle)
            # Another thread's error may have broken the handle: only a handle of one's own tells.
            with open_handle(self._path) as own:
                try:
                    rgba = np.asarray(own.read_region(corner_l0, level, (width, height)))
                except openslide.OpenSlideError as error:
                    logger.info("%s: level %d at %s: %s", self._path.name, level, corner_l0, error)
                    self._count_failure()
                    return None
        return _blend(rgba, self._info.background_rgb)

    def _replace(self, broken: openslide.OpenSlide) -> None:
        """Replace a broken handle, once even if several threads saw it break."""
        with self._lock:
            if self._handle is broken:
                self._handle = open_handle(self._path)

    def _count_failure(self) -> None:
        with self._lock:
            self._failures += 1
        if self._failures > _MOST_FAILURES:
            raise DamagedSlide(
                f"{self._path}: more than {_MOST_FAILURES} regions cannot be read. "
                "The file is damaged or incomplete; copy it again from its source."
            )


def _split(left: int, top: int, width: int, height: int) -> list[tuple[int, int]]:
    """Return corners (y, x) of pieces on a fixed grid: every read records the same damage."""
    rows = [top, *range(top - top % _PIECE_PX + _PIECE_PX, top + height, _PIECE_PX)]
    columns = [left, *range(left - left % _PIECE_PX + _PIECE_PX, left + width, _PIECE_PX)]
    return [(y, x) for y in rows for x in columns]


def open_handle(path: Path) -> openslide.OpenSlide:
    """Open OpenSlide's handle of a file; convert its errors to Glisson's.

    Raises:
        UnsupportedSlide: OpenSlide does not know the file.
        DamagedSlide: OpenSlide knows the format and cannot open the file.
    """
    try:
        handle = openslide.OpenSlide(path)
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise UnsupportedSlide(f"{path} is not a slide that OpenSlide can read.") from error
    except openslide.OpenSlideError as error:
        if "Unsupported TIFF compression" in str(error):
            raise UnsupportedSlide(
                f"{path} is compressed in a way that OpenSlide does not read ({error}). Convert it "
                "to JPEG or deflate, for example with libvips or bfconvert."
            ) from error
        if "BitsAllocated" in str(error):
            raise UnsupportedSlide(
                f"{path} does not hold 8 bits per channel ({error}). Convert it to 8 bits."
            ) from error
        raise DamagedSlide(_explain_damage(path, error)) from error
    handle.set_cache(openslide.OpenSlideCache(_CACHE_BYTES))
    return handle


def _explain_damage(path: Path, error: Exception) -> str:
    advice = "The file is damaged or incomplete; copy it again from its source."
    if path.suffix.lower() == ".mrxs":
        advice = (
            f"A MIRAX slide needs the folder {path.with_suffix('').name}/ with all of its files "
            "beside it; copy both again."
        )
    return f"{path} cannot be opened: {error}. {advice}"


def _read_info(
    path: Path, handle: openslide.OpenSlide, mpp: float | tuple[float, float] | None, name: str
) -> SlideInfo:
    properties = handle.properties
    if properties.get(openslide.PROPERTY_NAME_VENDOR) in _ONE_FILE:
        check_declared(path, *handle.dimensions)
    _check_tiles(path, handle)
    pixel_size, source = choose_pixel_size(_parse_mpp(properties), mpp, path.name)
    return SlideInfo(
        name=name,
        path=path,
        format=f"openslide:{properties.get(openslide.PROPERTY_NAME_VENDOR, 'unknown')}",
        size_l0=Size(*handle.dimensions),
        pixel_size=pixel_size,
        pixel_size_source=source,
        bounds_l0=parse_bounds(properties),
        level_downsamples=tuple(handle.level_downsamples),
        background_rgb=_parse_background(properties),
        synthetic=is_synthetic(properties.values()),
    )


def _check_tiles(path: Path, handle: openslide.OpenSlide) -> None:
    """Reject tiles that exceed memory: OpenSlide aborts the process if malloc fails."""
    for level in range(handle.level_count):
        sides = [
            handle.properties.get(f"openslide.level[{level}].tile-{side}", "0")
            for side in ("width", "height")
        ]
        if all(side.isdecimal() for side in sides) and int(sides[0]) * int(sides[1]) > MOST_TILE_PX:
            raise UnsupportedSlide(
                f"{path} packs {sides[0]} x {sides[1]} pixels in one tile; Glisson reads "
                f"tiles of at most {MOST_TILE_PX}. Convert it, for example with libvips."
            )


def _parse_mpp(properties: Mapping[str, str]) -> tuple[float, float] | None:
    try:
        return (
            float(properties[openslide.PROPERTY_NAME_MPP_X]),
            float(properties[openslide.PROPERTY_NAME_MPP_Y]),
        )
    except (KeyError, ValueError):
        return None


def parse_bounds(properties: Mapping[str, str]) -> BoxL0 | None:
    """Return the scanned area to which QuPath 0.5 to 0.7 crop.

    OpenSlide 4.0.1 gives bounds to generic TIFF without empty tiles too; the OpenSlide 4.0.0 of
    those versions of QuPath does not, so such a file is shown whole.
    """
    if properties.get(openslide.PROPERTY_NAME_VENDOR) == GENERIC_TIFF:
        return None
    try:
        return BoxL0(*(float(properties[name]) for name in _BOUNDS))
    except (KeyError, ValueError):
        return None


def _parse_background(properties: Mapping[str, str]) -> tuple[int, int, int]:
    colour = properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR, "FFFFFF")
    try:
        red, green, blue = bytes.fromhex(colour)
    except ValueError:
        return (255, 255, 255)
    return red, green, blue


def _blend(rgba: np.ndarray, background_rgb: tuple[int, int, int]) -> Pixels:
    """Blend RGBA, which openslide-python has un-premultiplied, with the background colour."""
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)
    share = alpha.astype(np.float32) / 255
    mixed = rgba[..., :3] * share + np.array(background_rgb, np.float32) * (1 - share)
    return np.rint(mixed).astype(np.uint8)
