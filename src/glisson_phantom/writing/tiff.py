"""The generic tiled TIFF, and the steps that all TIFF styles share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from glisson.frames import Size
from glisson_phantom.writing.pyramid import TILE_PX, Level, Pixels, SlideDetails, SpooledPyramid

_MOST_CLASSIC_BYTES = 1 << 32


def write_generic(path: Path, pyramid: SpooledPyramid, details: SlideDetails) -> None:
    """Write a tiled TIFF with a page per level, which OpenSlide calls `generic-tiff`."""
    with tifffile.TiffWriter(path, bigtiff=is_big(pyramid.size_l0)) as tiff:
        for level in pyramid.levels:
            tags = resolution_tags(level, pyramid.size_l0, details)
            if level.number == 0 and details.comment:
                tags["description"] = details.comment
            with pyramid.tiles(level) as tiles:
                write_level(tiff, tiles, level.size, level, details.quality, **tags)


def write_level(
    tiff: tifffile.TiffWriter,
    tiles: Iterator[Pixels],
    size: Size,
    level: Level,
    quality: int,
    **tags: Any,
) -> None:
    """Write the tiles of a level as one JPEG-compressed page of `size`."""
    tiff.write(
        tiles,
        shape=(size.height, size.width, 3),
        dtype=np.uint8,
        tile=(TILE_PX, TILE_PX),
        photometric="rgb",
        compression="jpeg",
        compressionargs={"level": quality},
        subfiletype=0 if level.number == 0 else 1,
        **({"metadata": None, "software": False} | tags),
    )


def resolution_tags(level: Level, size_l0: Size, details: SlideDetails) -> dict[str, Any]:
    """Return the tags for the pixels per centimetre of a level."""
    return {
        "resolution": (
            1e4 / details.pixel_size.x_um * level.size.width / size_l0.width,
            1e4 / details.pixel_size.y_um * level.size.height / size_l0.height,
        ),
        "resolutionunit": "CENTIMETER",
    }


def is_big(size: Size) -> bool:
    """Return whether a slide needs BigTIFF: from 4 GiB of raw pixels on.

    Below, even the best JPEG fits into offsets of 32 bits.
    """
    return size.width * size.height * 3 > _MOST_CLASSIC_BYTES
