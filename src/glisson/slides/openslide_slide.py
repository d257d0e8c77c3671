"""Slides that OpenSlide reads: Aperio, Hamamatsu, MIRAX, Philips, DICOM, tiled TIFF and more."""

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
from glisson.slides.pixel_size import chosen_pixel_size
from glisson.slides.plausible import MOST_TILE_PX, check_declared
from glisson.slides.slide import SlideInfo
from glisson.slides.synthetic import says_synthetic

logger = logging.getLogger(__name__)

_CACHE_BYTES = 64 << 20
_PIECE_PX = 512
_MOST_FAILURES = 2000

_ONE_FILE = {"aperio", "generic-tiff", "leica", "philips", "trestle", "ventana"}
"""Vendors whose slides are one TIFF."""

_BOUNDS = (
    openslide.PROPERTY_NAME_BOUNDS_X,
    openslide.PROPERTY_NAME_BOUNDS_Y,
    openslide.PROPERTY_NAME_BOUNDS_WIDTH,
    openslide.PROPERTY_NAME_BOUNDS_HEIGHT,
)


class OpenSlideSlide(LevelSlide):
    """A slide read by OpenSlide.

    OpenSlide's errors latch: after one, every later read of that handle fails. So a failed
    read closes and reopens the file, tries again in smaller pieces, and only the pieces that
    still fail are given up, noted and left out of every measurement.
    Transparent pixels (unscanned parts of MIRAX) hold the background colour and are readable.

    Args:
        path: the slide file, or one file of a slide of several.
        mpp: level-0 µm per pixel, or (x, y); overrides what the file says.
        name: the slide's name, where it is not the file's.
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
            info = _info(path, self._handle, mpp, name or path.stem)
        except Exception:
            self._handle.close()
            raise
        super().__init__(info, tuple(self._handle.level_dimensions))

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._handle.close()

    def _read_level(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[Pixels, Mask]:
        pixels = self._try(level, left, top, width, height)
        if pixels is not None:
            return pixels, np.ones((height, width), bool)
        return self._read_in_pieces(level, left, top, width, height)

    def _read_in_pieces(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[Pixels, Mask]:
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[:] = self._info.background_rgb
        readable = np.zeros((height, width), bool)
        for y, x in _pieces(left, top, width, height):
            piece_width = min(x + _PIECE_PX - x % _PIECE_PX, left + width) - x
            piece_height = min(y + _PIECE_PX - y % _PIECE_PX, top + height) - y
            part = (slice(y - top, y - top + piece_height), slice(x - left, x - left + piece_width))
            piece = self._try(level, x, y, piece_width, piece_height)
            if piece is None:
                self._note_damage(level, x, y, piece_width, piece_height)
            else:
                pixels[part], readable[part] = piece, True
        return pixels, readable

    def _try(self, level: int, left: int, top: int, width: int, height: int) -> Pixels | None:
        """Pixels, or None where they cannot be read."""
        # OpenSlide divides by its own downsample, whatever the level's true scale.
        downsample = self._info.level_downsamples[level]
        corner_l0 = (round(left * downsample), round(top * downsample))
        handle = self._handle
        try:
            rgba = np.asarray(handle.read_region(corner_l0, level, (width, height)))
        except openslide.OpenSlideError as error:
            logger.info("%s: level %d at %s: %s", self._path.name, level, corner_l0, error)
            self._reopen(handle)
            return None
        return _over_background(rgba, self._info.background_rgb)

    def _reopen(self, broken: openslide.OpenSlide) -> None:
        """Replace a broken handle, once however many threads saw it break."""
        with self._lock:
            self._failures += 1
            if self._failures > _MOST_FAILURES:
                raise DamagedSlide(
                    f"{self._path}: more than {_MOST_FAILURES} regions cannot be read. "
                    "The file is damaged or incomplete; copy it again from its source."
                )
            if self._handle is broken:
                self._handle = open_handle(self._path)


def _pieces(left: int, top: int, width: int, height: int) -> list[tuple[int, int]]:
    """Corners (y, x) of pieces on a fixed grid, so that damage is the same for every read."""
    rows = [top, *range(top - top % _PIECE_PX + _PIECE_PX, top + height, _PIECE_PX)]
    columns = [left, *range(left - left % _PIECE_PX + _PIECE_PX, left + width, _PIECE_PX)]
    return [(y, x) for y in rows for x in columns]


def open_handle(path: Path) -> openslide.OpenSlide:
    """OpenSlide's handle of a file; the one place where its opening errors become ours.

    Raises:
        UnsupportedSlide: OpenSlide does not know the file.
        DamagedSlide: it knows the file and cannot open it.
    """
    try:
        handle = openslide.OpenSlide(path)
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise UnsupportedSlide(f"{path} is not a slide that OpenSlide can read.") from error
    except openslide.OpenSlideError as error:
        if "BitsAllocated" in str(error):
            raise UnsupportedSlide(
                f"{path} does not hold 8 bits a channel ({error}); an 8-bit colour slide is needed."
            ) from error
        raise DamagedSlide(_why_damaged(path, error)) from error
    handle.set_cache(openslide.OpenSlideCache(_CACHE_BYTES))
    return handle


def _why_damaged(path: Path, error: Exception) -> str:
    advice = "The file is damaged or incomplete; copy it again from its source."
    if path.suffix.lower() == ".mrxs":
        advice = (
            f"A MIRAX slide needs the folder {path.with_suffix('').name}/ with all of its files "
            "beside it; copy both again."
        )
    return f"{path} cannot be opened: {error}. {advice}"


def _info(
    path: Path, handle: openslide.OpenSlide, mpp: float | tuple[float, float] | None, name: str
) -> SlideInfo:
    properties = handle.properties
    if properties.get(openslide.PROPERTY_NAME_VENDOR) in _ONE_FILE:
        check_declared(path, *handle.dimensions)
    _check_tiles(path, handle)
    pixel_size, source = chosen_pixel_size(_mpp_in_file(properties), mpp, path.name)
    return SlideInfo(
        name=name,
        path=path,
        format=f"openslide:{properties.get(openslide.PROPERTY_NAME_VENDOR, 'unknown')}",
        size_l0=Size(*handle.dimensions),
        pixel_size=pixel_size,
        pixel_size_source=source,
        bounds_l0=_bounds(properties),
        level_downsamples=tuple(handle.level_downsamples),
        background_rgb=_background(properties),
        synthetic=says_synthetic(properties.values()),
    )


def _check_tiles(path: Path, handle: openslide.OpenSlide) -> None:
    """Refuse tiles that no memory holds: OpenSlide ends the process where it gets none."""
    for level in range(handle.level_count):
        sides = [
            handle.properties.get(f"openslide.level[{level}].tile-{side}", "0")
            for side in ("width", "height")
        ]
        if all(side.isdecimal() for side in sides) and int(sides[0]) * int(sides[1]) > MOST_TILE_PX:
            raise UnsupportedSlide(
                f"{path} packs {sides[0]} x {sides[1]} pixels in one tile; tiles of at most "
                f"{MOST_TILE_PX} are read. Convert it, for example with libvips."
            )


def _mpp_in_file(properties: Mapping[str, str]) -> tuple[float, float] | None:
    try:
        return (
            float(properties[openslide.PROPERTY_NAME_MPP_X]),
            float(properties[openslide.PROPERTY_NAME_MPP_Y]),
        )
    except (KeyError, ValueError):
        return None


def _bounds(properties: Mapping[str, str]) -> BoxL0 | None:
    try:
        return BoxL0(*(float(properties[name]) for name in _BOUNDS))
    except (KeyError, ValueError):
        return None


def _background(properties: Mapping[str, str]) -> tuple[int, int, int]:
    colour = properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR, "FFFFFF")
    try:
        red, green, blue = bytes.fromhex(colour)
    except ValueError:
        return (255, 255, 255)
    return red, green, blue


def _over_background(rgba: np.ndarray, background_rgb: tuple[int, int, int]) -> Pixels:
    """RGBA laid over the background colour; openslide-python has undone the premultiplication."""
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)
    share = alpha.astype(np.float32) / 255
    mixed = rgba[..., :3] * share + np.array(background_rgb, np.float32) * (1 - share)
    return np.rint(mixed).astype(np.uint8)
