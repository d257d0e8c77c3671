"""Writing pyramidal slides band by band, in Aperio's or a generic style."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from glisson.errors import SettingsError
from glisson.files import atomic_path
from glisson.frames import PixelSize, Size

PyramidStyle = Literal["aperio", "tiff"]
Pixels = NDArray[np.uint8]

_TILE_PX = 256
_STEP = 4
_COARSEST_PX = 1024


def write_pyramid(
    path: Path,
    bands: Iterable[Pixels] | Pixels,
    size: Size,
    pixel_size: PixelSize,
    style: PyramidStyle = "aperio",
    quality: int = 85,
) -> None:
    """Write a JPEG-tiled pyramid of levels 1/4/16 that OpenSlide opens as that vendor.

    Memory is bounded by a band: coarser levels are spooled to temporary files beside `path`
    uncompressed, the first at a sixteenth of the pixels. The same pixels give the same bytes.

    Args:
        path: file to write.
        bands: (h, W, 3) uint8 strips from the top, of any heights, or the whole image.
        size: level-0 pixels.
        pixel_size: µm per level-0 pixel.
        style: `aperio` (.svs) or `tiff` (generic tiled TIFF).
        quality: JPEG quality, 1 to 100.

    Raises:
        SettingsError: the bands do not fill `size`.
        OutputError: the file cannot be written.
    """
    strips = iter([bands]) if isinstance(bands, np.ndarray) else iter(bands)
    with (
        atomic_path(path) as unfinished,
        tempfile.TemporaryDirectory(prefix=".pyramid-", dir=path.parent) as spool,
        tifffile.TiffWriter(unfinished, bigtiff=_is_big(size)) as tiff,
    ):
        level_file = Path(spool) / "level-1"
        reduced = _reduced_size(size)
        with level_file.open("wb") as file:
            rows = _rows_of_tiles(_checked(strips, size), size, file)
            _write_level(tiff, rows, size, _level_options(style, size, size, pixel_size, quality))
        if style == "aperio":
            _write_thumbnail(tiff, level_file, reduced)
        _write_coarser(tiff, Path(spool), 1, reduced, size, pixel_size, style, quality)


def _write_coarser(
    tiff: tifffile.TiffWriter,
    spool: Path,
    number: int,
    level: Size,
    base: Size,
    pixel_size: PixelSize,
    style: PyramidStyle,
    quality: int,
) -> None:
    if max(level.width, level.height) < _TILE_PX:
        return
    pixels = _spooled(spool / f"level-{number}", level)
    with (spool / f"level-{number + 1}").open("wb") as file:
        strips = (pixels[top : top + _STEP * _TILE_PX] for top in range(0, level.height, 1024))
        rows = _rows_of_tiles(strips, level, file)
        _write_level(tiff, rows, level, _level_options(style, base, level, pixel_size, quality))
    if max(level.width, level.height) > _COARSEST_PX:
        _write_coarser(
            tiff, spool, number + 1, _reduced_size(level), base, pixel_size, style, quality
        )


def _write_level(
    tiff: tifffile.TiffWriter, tiles: Iterator[Pixels], size: Size, options: dict[str, Any]
) -> None:
    tiff.write(
        tiles,
        shape=(size.height, size.width, 3),
        dtype=np.uint8,
        tile=(_TILE_PX, _TILE_PX),
        photometric="rgb",
        metadata=None,
        software=False,
        **options,
    )


def _level_options(
    style: PyramidStyle, base: Size, level: Size, pixel_size: PixelSize, quality: int
) -> dict[str, Any]:
    options: dict[str, Any] = {
        "compression": "jpeg",
        "compressionargs": {"level": quality},
        "subfiletype": 0 if level == base else 1,
    }
    if style == "aperio":
        options["description"] = _aperio_description(base, level, pixel_size, quality)
        return options
    options["resolution"] = (
        1e4 / pixel_size.x_um * level.width / base.width,
        1e4 / pixel_size.y_um * level.height / base.height,
    )
    options["resolutionunit"] = "CENTIMETER"
    return options


def _aperio_description(base: Size, level: Size, pixel_size: PixelSize, quality: int) -> str:
    shape = f"{base.width}x{base.height} [0,0 {base.width}x{base.height}] ({_TILE_PX}x{_TILE_PX})"
    if level != base:
        shape += f" -> {level.width}x{level.height}"
    magnification = 40 if pixel_size.x_um < 0.35 else 20
    return (
        f"Aperio Image Library v0.0.0\r\n{shape} JPEG/RGB Q={quality}"
        f"|AppMag = {magnification}|MPP = {pixel_size.x_um:.6g}"
    )


def _write_thumbnail(tiff: tifffile.TiffWriter, level_file: Path, level: Size) -> None:
    """Aperio's second page: a small picture in strips."""
    pixels = _spooled(level_file, level)
    scale = min(1.0, 1024 / max(level.width, level.height))
    width, height = max(1, round(level.width * scale)), max(1, round(level.height * scale))
    small = cv2.resize(np.asarray(pixels), (width, height), interpolation=cv2.INTER_AREA)
    tiff.write(
        small,
        photometric="rgb",
        compression="jpeg",
        rowsperstrip=16,
        description=f"Aperio Image Library v0.0.0\r\n{width}x{height} thumbnail",
        metadata=None,
        software=False,
    )


def _rows_of_tiles(strips: Iterator[Pixels], size: Size, coarser: Any) -> Iterator[Pixels]:
    """Tiles in row-major order; what is four times coarser goes to a file on the way."""
    for strip in _regrouped(strips, _STEP * _TILE_PX):
        coarser.write(_reduced(strip).tobytes())
        for top in range(0, strip.shape[0], _TILE_PX):
            for left in range(0, size.width, _TILE_PX):
                yield _tile(strip[top : top + _TILE_PX, left : left + _TILE_PX])


def _tile(pixels: Pixels) -> Pixels:
    """A full tile; beyond the image the last pixels repeat, which JPEG likes best."""
    bottom, right = _TILE_PX - pixels.shape[0], _TILE_PX - pixels.shape[1]
    return np.pad(pixels, ((0, bottom), (0, right), (0, 0)), mode="edge")


def _regrouped(strips: Iterator[Pixels], height: int) -> Iterator[Pixels]:
    """The same rows in strips of `height`, the last one lower."""
    waiting: list[Pixels] = []
    for strip in strips:
        waiting.append(strip)
        if sum(part.shape[0] for part in waiting) < height:
            continue
        rows = np.concatenate(waiting)
        whole = rows.shape[0] - rows.shape[0] % height
        yield from (rows[top : top + height] for top in range(0, whole, height))
        waiting = [rows[whole:]] if rows.shape[0] > whole else []
    if waiting:
        yield np.concatenate(waiting)


def _reduced_size(size: Size) -> Size:
    return Size(max(1, -(-size.width // _STEP)), max(1, -(-size.height // _STEP)))


def _reduced(strip: Pixels) -> Pixels:
    """Means of 4 x 4 blocks; blocks cut by the edge repeat its last pixels."""
    height, width = strip.shape[0], strip.shape[1]
    bottom, right = -height % _STEP, -width % _STEP
    padded = np.pad(strip, ((0, bottom), (0, right), (0, 0)), mode="edge")
    size = (padded.shape[1] // _STEP, padded.shape[0] // _STEP)
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _spooled(path: Path, size: Size) -> Pixels:
    return np.memmap(path, np.uint8, "r", shape=(size.height, size.width, 3))


def _checked(strips: Iterator[Pixels], size: Size) -> Iterator[Pixels]:
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
        raise SettingsError(f"The bands hold {rows} rows, and {size.height} were announced.")


def _is_big(size: Size) -> bool:
    """BigTIFF above 2 GiB of raw pixels; JPEG makes them smaller, but not for certain."""
    return size.width * size.height * 3 > 1 << 33
