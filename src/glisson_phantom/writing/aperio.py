"""Aperio SVS: tiled pages, a thumbnail second, and descriptions that name the pixel size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import tifffile

from glisson.frames import Size
from glisson_phantom.writing.pyramid import TILE_PX, Level, Pixels, SlideDetails, SpooledPyramid
from glisson_phantom.writing.tiff import is_big, write_level

_LIBRARY = "Aperio Image Library v0.0.0"
_THUMBNAIL_PX = 1024


def write_aperio(path: Path, pyramid: SpooledPyramid, details: SlideDetails) -> None:
    """Write an SVS file, which OpenSlide calls `aperio`."""
    with tifffile.TiffWriter(path, bigtiff=is_big(pyramid.size_l0)) as tiff:
        for level in pyramid.levels:
            text = _describe(level, pyramid.size_l0, details)
            with pyramid.tiles(level) as tiles:
                write_level(tiff, tiles, level.size, level, details.quality, description=text)
            if level.number == 0:
                _write_thumbnail(tiff, pyramid.map_coarser(level))


def _describe(level: Level, base: Size, details: SlideDetails) -> str:
    shape = f"{base.width}x{base.height} [0,0 {base.width}x{base.height}] ({TILE_PX}x{TILE_PX})"
    if level.number:
        shape += f" -> {level.size.width}x{level.size.height}"
    magnification = 40 if details.pixel_size.x_um < 0.35 else 20
    comment = f"|Comment = {details.comment}" if details.comment else ""
    return (
        f"{_LIBRARY}\r\n{shape} JPEG/RGB Q={details.quality}"
        f"|AppMag = {magnification}|MPP = {details.pixel_size.x_um:.6g}{comment}"
    )


def _write_thumbnail(tiff: tifffile.TiffWriter, pixels: Pixels) -> None:
    """Write Aperio's second page: a small picture in strips."""
    scale = min(1.0, _THUMBNAIL_PX / max(pixels.shape))
    height, width = (max(1, round(length * scale)) for length in pixels.shape[:2])
    small = cv2.resize(np.asarray(pixels), (width, height), interpolation=cv2.INTER_AREA)
    tiff.write(
        small,
        photometric="rgb",
        compression="jpeg",
        rowsperstrip=16,
        description=f"{_LIBRARY}\r\n{width}x{height} thumbnail",
        metadata=None,
        software=False,
    )
