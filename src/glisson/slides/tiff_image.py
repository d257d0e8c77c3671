"""The images of a TIFF file, and the choice of the image that is the scan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tifffile import TIFF

from glisson.errors import UnsupportedSlide
from glisson.slides.plausible import MOST_TILE_PX

_OTHER_PICTURES = {"label", "macro", "overview", "thumbnail", "barcode", "preview"}
_COARSER = 3.5
"""An image of so much larger pixels than the scan's is an overview."""
_SMALLER = 16
"""An image of unknown pixel size with so many times fewer pixels than the scan is no scan."""
_MOST_NAMED = 12
_RGB, _YCBCR, _GREY = 2, 6, 1
_JPEG = {6, 7, 33007, 34892}
"""The codecs that turn YCbCr into RGB."""
_LEVEL_ROUNDING_PX = 1.5

Page = Any
"""A page of tifffile, which has no public type for it."""


@dataclass(frozen=True)
class TiffLevel:
    """A level of an image: one page with all colours, or a page for each of red, green and blue."""

    pages: tuple[Page, ...]

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pages[0].imagewidth)

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pages[0].imagelength)

    @property
    def is_tiled(self) -> bool:
        """Return whether the pixels lie in tiles; else in strips of the whole width."""
        return bool(self.pages[0].is_tiled)

    @property
    def segment_width(self) -> int:
        """Width of a tile or strip in pixels."""
        page = self.pages[0]
        return int(page.tilewidth or page.imagewidth)

    @property
    def segment_height(self) -> int:
        """Height of a tile or strip in pixels."""
        page = self.pages[0]
        return int(page.tilelength or min(page.rowsperstrip, page.imagelength))

    @property
    def across(self) -> int:
        """Number of tiles or strips side by side."""
        return -(-self.width // self.segment_width)

    @property
    def down(self) -> int:
        """Number of tiles or strips below each other."""
        return -(-self.height // self.segment_height)

    def is_copy_of(self, other: TiffLevel) -> bool:
        """Return whether the level has the shape of a reduced copy of `other`."""
        if not 0 < self.width < other.width:
            return False
        height = other.height * self.width / other.width
        slack = max(_LEVEL_ROUNDING_PX, other.height / other.width * _LEVEL_ROUNDING_PX)
        return abs(self.height - height) <= slack

    @cached_property
    def problem(self) -> str | None:
        """Return why the level's pixels cannot be read, or None."""
        first = self.pages[0]
        alike = {_describe_layout(page) for page in self.pages}
        if len(alike) > 1:
            return "holds red, green and blue in pages that differ"
        if first.dtype != np.uint8 or first.bitspersample != 8:
            return f"holds {first.bitspersample} bits per channel instead of 8"
        if not _is_rgb(self.pages):
            channels, planes = first.samplesperpixel, len(self.pages)
            return (
                f"holds {planes} plane(s) of {channels} channel(s), coded as "
                f"{getattr(first.photometric, 'name', first.photometric)}, instead of RGB"
            )
        if not 1 <= self.segment_width * self.segment_height <= MOST_TILE_PX:
            return (
                f"packs {self.segment_width} x {self.segment_height} pixels in one tile, and "
                f"Glisson reads tiles of at most {MOST_TILE_PX}"
            )
        if not _has_codec(first.compression):
            codec = getattr(first.compression, "name", first.compression)
            return f"is compressed with {codec}, which Glisson cannot read"
        return None


@dataclass(frozen=True)
class TiffImage:
    """An image of a TIFF file.

    Attributes:
        number: place in the file, from 0, as Bio-Formats counts series.
        name: as the file gives it, or empty.
        levels: finest first.
        size_um: µm per level-0 pixel (x, y), or None where the file does not say.
        size_is_sure: whether the writer gives a size to this image alone; tags are often copied.
        is_reduced: whether the file marks it as a reduced copy.
        problem: why it cannot be read, or None.
    """

    number: int
    name: str
    levels: tuple[TiffLevel, ...]
    size_um: tuple[float, float] | None
    size_is_sure: bool = True
    is_reduced: bool = False
    problem: str | None = None

    @property
    def finest(self) -> TiffLevel:
        """Return level 0."""
        return self.levels[0]

    @property
    def pixels(self) -> int:
        """Number of pixels of level 0."""
        return self.finest.width * self.finest.height

    @property
    def is_other_picture(self) -> bool:
        """Return whether the name is that of a label or overview."""
        return not _OTHER_PICTURES.isdisjoint(re.split(r"[^a-z]+", self.name.casefold()))

    def is_below(self, scan: TiffImage) -> bool:
        """Return whether the image is certainly an overview or thumbnail beside `scan`."""
        if self.pixels >= scan.pixels:
            return False
        if self.is_reduced and self.finest.is_copy_of(scan.finest):
            return True
        if self.size_um is not None and scan.size_um is not None:
            coarser = self.size_um[0] / scan.size_um[0]
            scale = scan.finest.width / self.finest.width
            is_copy = self.finest.is_copy_of(scan.finest) and abs(coarser / scale - 1) < 0.05
            if coarser >= _COARSER or is_copy:
                return True
            return not self.size_is_sure and self.pixels * _SMALLER <= scan.pixels
        return self.finest.is_copy_of(scan.finest) or self.pixels * _SMALLER <= scan.pixels

    def describe(self) -> str:
        """Describe the image in a message."""
        name = f" {self.name!r}" if self.name else ""
        size = "" if self.size_um is None else f", {self.size_um[0]:.4g} µm/px"
        return f"{self.number}{name} ({self.finest.width} x {self.finest.height} px{size})"


def choose_image(images: Sequence[TiffImage], series: int | None, path: Path) -> TiffImage:
    """Return the image to read: that of `series`, or else the only scan of the file.

    Raises:
        UnsupportedSlide: no image has that number, the file holds several scans, or none.
    """
    if series is not None:
        chosen = next((image for image in images if image.number == series), None)
        if chosen is None:
            raise UnsupportedSlide(
                f"{path} has no image {series}. It holds {_list(images)}. Give one of these "
                "numbers with --series."
            )
        return chosen
    scans = [image for image in images if not image.is_other_picture]
    if not scans:
        raise UnsupportedSlide(
            f"{path} holds only labels and overviews: {_list(images)}. Export the scan itself, or "
            "give the scan's number with --series if a name misleads."
        )
    scan = max(scans, key=lambda image: image.pixels)
    rivals = [image for image in scans if image is scan or not image.is_below(scan)]
    if any(image.problem is None for image in rivals):
        rivals = [image for image in rivals if image.problem is None]
    scan = rivals[0]
    rivals += [
        image
        for image in images
        if image.is_other_picture and image.pixels > scan.pixels and not _is_coarser(image, scan)
    ]
    if len(rivals) > 1:
        raise UnsupportedSlide(
            f"{path} holds several images that may be the scan: {_list(rivals)}. Choose one with "
            "--series, such as --series "
            f"{rivals[0].number}; a table (--manifest) has a column series."
        )
    return scan


def number_series(chosen: TiffImage, images: Sequence[TiffImage]) -> int | None:
    """Return the number to record: None where the file holds one image and its reduced copies."""
    own = {(level.width, level.height) for level in chosen.levels}
    others = [image for image in images if image is not chosen]
    alone = all((image.finest.width, image.finest.height) in own for image in others)
    return None if alone and chosen.number == 0 else chosen.number


def join_levels(finest: TiffLevel, others: Sequence[TiffLevel]) -> tuple[TiffLevel, ...]:
    """Return a pyramid: the finest level and its reduced copies, finest first."""
    copies = [level for level in others if level.is_copy_of(finest) and level.problem is None]
    by_width = {level.width: level for level in reversed(copies)}
    return (finest, *(by_width[width] for width in sorted(by_width, reverse=True)))


def with_problem(image: TiffImage) -> TiffImage:
    """Return the image with the problem of its finest level."""
    return replace(image, problem=image.problem or image.finest.problem)


def _is_coarser(image: TiffImage, scan: TiffImage) -> bool:
    if image.size_um is None or scan.size_um is None:
        return False
    return image.size_um[0] > 1.5 * scan.size_um[0]


def require_readable(image: TiffImage, path: Path) -> TiffImage:
    """Return the image if Glisson can read its pixels.

    Raises:
        UnsupportedSlide: says why it cannot.
    """
    if image.problem is not None:
        raise UnsupportedSlide(
            f"{path}, image {image.describe()}, {image.problem}. Convert it to a tiled TIFF of "
            "8-bit RGB, for example with libvips or bfconvert."
        )
    return image


def _list(images: Sequence[TiffImage]) -> str:
    named = "; ".join(image.describe() for image in images[:_MOST_NAMED])
    more = len(images) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _describe_layout(page: Page) -> tuple[object, ...]:
    return (
        page.imagewidth,
        page.imagelength,
        page.tilewidth,
        page.tilelength,
        page.rowsperstrip,
        page.dtype,
        page.samplesperpixel,
    )


def _is_rgb(pages: Sequence[Page]) -> bool:
    first = pages[0]
    if len(pages) == 3:
        return all(
            page.samplesperpixel == 1 and page.photometric in (_GREY, _RGB) for page in pages
        )
    if len(pages) != 1 or first.samplesperpixel not in (3, 4):
        return False
    if first.photometric == _YCBCR:
        return int(first.compression) in _JPEG and first.samplesperpixel == 3
    return first.photometric in (_RGB, _GREY)


def _has_codec(compression: int) -> bool:
    try:
        return callable(TIFF.DECOMPRESSORS[compression]) or compression == 1
    except Exception:  # noqa: BLE001  a codec that was left out raises its own error when asked for
        return False
