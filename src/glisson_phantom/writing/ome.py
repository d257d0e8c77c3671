"""OME-TIFF: one series, with coarser levels in SubIFDs."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import tifffile

from glisson_phantom.writing.pyramid import SlideDetails, SpooledPyramid
from glisson_phantom.writing.tiff import is_big, resolution_tags, write_level


def write_ome(path: Path, pyramid: SpooledPyramid, details: SlideDetails) -> None:
    """Write an OME-TIFF; OpenSlide sees only the finest level, as `generic-tiff`."""
    levels = pyramid.levels
    with tifffile.TiffWriter(path, bigtiff=is_big(pyramid.size_l0), ome=True) as tiff:
        for level in levels:
            tags = resolution_tags(level, pyramid.size_l0, details)
            if level.number == 0:
                tags |= {"subifds": len(levels) - 1, "metadata": _describe(details)}
            with pyramid.tiles(level) as tiles:
                write_level(tiff, tiles, level.size, level, details.quality, **tags)


def _describe(details: SlideDetails) -> dict[str, Any]:
    comment = {"Description": details.comment} if details.comment else {}
    return comment | {
        "axes": "YXS",
        "Creator": "Glisson",
        # tifffile's default is random.
        "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"glisson:{details.identity}")),
        "Name": details.identity,
        "PhysicalSizeX": details.pixel_size.x_um,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": details.pixel_size.y_um,
        "PhysicalSizeYUnit": "µm",
    }
