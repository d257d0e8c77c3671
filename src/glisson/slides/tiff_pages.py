"""The images of a TIFF without OME metadata: pages, their reduced copies and their sizes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import tifffile

from glisson.errors import UnsupportedSlide
from glisson.slides.pixel_size import LEAST_UM, MOST_UM
from glisson.slides.tiff_image import Page, TiffImage, TiffLevel, join_levels, with_problem
from glisson.slides.units import find_um_per_unit

_MOST_PAGES = 1000
_UM_PER_RESOLUTION_UNIT = {2: 25_400.0, 3: 10_000.0, 4: 1000.0, 5: 1.0}


def list_pages(tiff: tifffile.TiffFile, path: Path) -> list[TiffImage]:
    """List the images of a TIFF; each has as levels all pages that are reduced copies of it.

    Raises:
        UnsupportedSlide: over 1,000 pages.
    """
    if len(tiff.pages) > _MOST_PAGES:
        raise UnsupportedSlide(f"{path} holds {len(tiff.pages)} pages. Export the scan alone.")
    pages: list[Page] = list(tiff.pages)
    levels = [TiffLevel((page,)) for page in pages]
    return [
        with_problem(
            TiffImage(
                number,
                _read_name(page),
                join_levels(level, [*_list_sub_pages(page), *_find_copies(number, levels)]),
                _read_size(tiff, page),
                size_is_sure=False,
                is_reduced=bool(page.is_reduced),
            )
        )
        for number, (page, level) in enumerate(zip(pages, levels, strict=True))
    ]


def _list_sub_pages(page: Page) -> list[TiffLevel]:
    return [TiffLevel((each,)) for each in page.pages or ()]


def _find_copies(number: int, levels: list[TiffLevel]) -> list[TiffLevel]:
    """Return the pages that the file marks as reduced copies and that lie in tiles."""
    return [
        level
        for place, level in enumerate(levels)
        if place != number and level.is_tiled and level.pages[0].is_reduced
    ]


def _read_name(page: Page) -> str:
    tag = page.tags.get("PageName")
    return str(tag.value)[:60] if tag is not None else ""


def _read_size(tiff: tifffile.TiffFile, page: Page) -> tuple[float, float] | None:
    """Return µm per pixel (x, y) from the resolution tags; None if they give no pixel's size."""
    um = _UM_PER_RESOLUTION_UNIT.get(int(_value(page, "ResolutionUnit", 2)))
    if tiff.is_imagej:
        unit = str((tiff.imagej_metadata or {}).get("unit", ""))
        um = find_um_per_unit(unit.encode().decode("unicode_escape") if "\\u" in unit else unit)
    if um is None:
        return None
    sizes = []
    for axis in "XY":
        value = _value(page, f"{axis}Resolution", None)
        if value is None or not value[0] or not value[1]:
            return None
        sizes.append(um * value[1] / value[0])
    return (sizes[0], sizes[1]) if all(math.isfinite(size) for size in sizes) else None


def drop_default_size(size_um: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return None for a resolution that no scan has: 72 dpi is what programs write unasked."""
    if size_um is None or not all(LEAST_UM <= um <= MOST_UM for um in size_um):
        return None
    return size_um


def _value(page: Page, name: str, default: object) -> Any:
    tag = page.tags.get(name)
    return default if tag is None else tag.value
