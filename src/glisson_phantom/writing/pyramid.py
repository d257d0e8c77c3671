"""The levels of a slide, cut into tiles from bands that are read once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.errors import SettingsError
from glisson.frames import PixelSize, Size

Pixels = NDArray[np.uint8]
Padding = Literal["edge", "white"]

TILE_PX = 256
STEP = 4
COARSEST_PX = 1024


@dataclass(frozen=True)
class Level:
    """One level of a pyramid.

    Attributes:
        number: 0 for the finest.
        size: pixels of this level.
    """

    number: int
    size: Size

    @property
    def downsample(self) -> int:
        """Return the level-0 pixels per pixel of this level, along each axis."""
        return STEP**self.number

    @property
    def padded_size(self) -> Size:
        """Return the pixels of the whole tiles that cover the level."""
        return Size(_round_up(self.size.width, TILE_PX), _round_up(self.size.height, TILE_PX))


@dataclass(frozen=True)
class SlideDetails:
    """The description of a slide in its file.

    Attributes:
        pixel_size: µm per level-0 pixel.
        quality: JPEG quality, 1 to 100.
        identity: the slide's name, from which unique identifiers in the file derive.
        comment: words for the file's description, if the format has one.
    """

    pixel_size: PixelSize
    quality: int
    identity: str
    comment: str = ""


@dataclass(frozen=True)
class SpooledPyramid:
    """Levels 1/4/16 of a slide; writing a level creates the next coarser level.

    Memory holds one band: temporary files hold coarser levels, uncompressed, the first with a
    sixteenth of the pixels.

    Attributes:
        strips: (h, W, 3) uint8 bands of level 0 from the top, of any heights; read once.
        size_l0: level-0 pixels.
        spool: an existing folder for temporary files.
        padding: fill of tiles beyond the image: its last pixels, which suit JPEG best, or white.
    """

    strips: Iterator[Pixels]
    size_l0: Size
    spool: Path
    padding: Padding = "edge"

    @property
    def levels(self) -> tuple[Level, ...]:
        """Return all levels that are at least as long as a tile, finest first."""
        levels = [Level(0, self.size_l0)]
        while _longest(levels[-1].size) > (COARSEST_PX if len(levels) > 1 else 0):
            coarser = Level(len(levels), _reduce_size(levels[-1].size))
            if _longest(coarser.size) < TILE_PX:
                break
            levels.append(coarser)
        return tuple(levels)

    @contextmanager
    def tiles(self, level: Level) -> Iterator[Iterator[Pixels]]:
        """Yield whole (256, 256, 3) tiles of a level in row-major order.

        Callers take levels in order, since the tiles of a level fill the spool of the next.

        Raises:
            SettingsError: the bands do not fill `size_l0`.
        """
        with self._spool_of(level.number + 1).open("wb") as coarser:
            tiles = self._tiles(level, coarser)
            yield tiles
            deque(tiles, maxlen=0)  # the check follows the last tile, where a writer may stop

    def map_coarser(self, level: Level) -> Pixels:
        """Map (h, w, 3) pixels four times coarser than a level, after its tiles were consumed."""
        return _map_level(self._spool_of(level.number + 1), _reduce_size(level.size))

    def _tiles(self, level: Level, coarser: BinaryIO) -> Iterator[Pixels]:
        for strip in _regroup(self._strips_of(level), TILE_PX):
            coarser.write(_reduce(strip, self.padding).tobytes())
            for left in range(0, level.size.width, TILE_PX):
                yield _fill(strip[:, left : left + TILE_PX], TILE_PX, self.padding)

    def _strips_of(self, level: Level) -> Iterator[Pixels]:
        if level.number == 0:
            return _check_strips(self.strips, self.size_l0)
        return _read_back(self._spool_of(level.number), level.size)

    def _spool_of(self, number: int) -> Path:
        return self.spool / f"level-{number}"


def _regroup(strips: Iterator[Pixels], height: int) -> Iterator[Pixels]:
    """Regroup rows into strips of `height`; the last strip may be lower."""
    waiting: list[Pixels] = []
    for strip in strips:
        waiting.append(strip)
        if sum(part.shape[0] for part in waiting) < height:
            continue
        rows = _join(waiting)
        whole = rows.shape[0] - rows.shape[0] % height
        yield from (rows[top : top + height] for top in range(0, whole, height))
        waiting = [rows[whole:]] if rows.shape[0] > whole else []
    if waiting:
        yield _join(waiting)


def _join(parts: list[Pixels]) -> Pixels:
    """Join parts; a single part, perhaps the whole image, is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _fill(pixels: Pixels, multiple: int, padding: Padding) -> Pixels:
    """Pad pixels at the bottom and the right up to a multiple."""
    height, width = pixels.shape[0], pixels.shape[1]
    beyond = ((0, -height % multiple), (0, -width % multiple), (0, 0))
    if padding == "white":
        return np.pad(pixels, beyond, mode="constant", constant_values=255)
    return np.pad(pixels, beyond, mode="edge")


def _reduce(strip: Pixels, padding: Padding) -> Pixels:
    """Average blocks of 4 x 4 pixels; padding completes blocks at the edge."""
    padded = _fill(strip, STEP, padding)
    size = (padded.shape[1] // STEP, padded.shape[0] // STEP)
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _reduce_size(size: Size) -> Size:
    return Size(-(-size.width // STEP), -(-size.height // STEP))


def _longest(size: Size) -> int:
    return max(size.width, size.height)


def _round_up(length: int, multiple: int) -> int:
    return length + -length % multiple


def _map_level(path: Path, size: Size) -> Pixels:
    return np.memmap(path, np.uint8, "r", shape=(size.height, size.width, 3))


def _read_back(path: Path, size: Size) -> Iterator[Pixels]:
    """Yield a spooled level in strips of a tile's height."""
    with path.open("rb") as file:
        for top in range(0, size.height, TILE_PX):
            shape = (min(TILE_PX, size.height - top), size.width, 3)
            yield np.fromfile(file, np.uint8, shape[0] * shape[1] * 3).reshape(shape)


def _check_strips(strips: Iterator[Pixels], size: Size) -> Iterator[Pixels]:
    rows = 0
    for strip in strips:
        rows += strip.shape[0]
        if strip.shape[1:] != (size.width, 3) or strip.dtype != np.uint8 or rows > size.height:
            raise SettingsError(
                f"A band of shape {strip.shape} and type {strip.dtype} does not fit into "
                f"{size.width} x {size.height} RGB pixels."
            )
        yield strip
    if rows != size.height:
        raise SettingsError(f"The bands hold {rows} rows; the slide's size needs {size.height}.")
