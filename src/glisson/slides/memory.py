"""Slides in memory: for plain images, and for tests with exactly known results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glisson.errors import UnsupportedSlide
from glisson.frames import BoxL0, PixelSize, Size
from glisson.slides.base import LevelSlide, Mask, Pixels
from glisson.slides.slide import PixelSizeSource, SlideInfo


class InMemorySlide(LevelSlide):
    """A slide whose level 0 is an array.

    Args:
        rgb: (H, W, 3) uint8.
        pixel_size: µm per pixel.
        name: the slide's name.
        bounds_l0: scanned area, as in MIRAX, or None.
        damaged_l0: unreadable boxes.
        path: the pixels' file, or None.
        format: name of the reader.
        pixel_size_source: source of the pixel size.
        background_rgb: colour of unreadable pixels.
        synthetic: True for a slide that a program drew.
        series: number of the image in its file, or None.
    """

    def __init__(
        self,
        rgb: NDArray[np.uint8],
        pixel_size: PixelSize,
        name: str = "memory",
        bounds_l0: BoxL0 | None = None,
        damaged_l0: Sequence[BoxL0] = (),
        path: Path | None = None,
        format: str = "memory",
        pixel_size_source: PixelSizeSource = "override",
        background_rgb: tuple[int, int, int] = (255, 255, 255),
        synthetic: bool = False,
        series: int | None = None,
    ) -> None:
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise UnsupportedSlide(
                f"{name}: pixels of shape {rgb.shape} and type {rgb.dtype}; "
                "Glisson needs an RGB image of 8 bits per channel."
            )
        self._rgb = rgb
        self._readable = np.ones(rgb.shape[:2], bool)
        for box in damaged_l0:
            rows = slice(int(box.y_l0), int(box.y_l0 + box.height_l0))
            self._readable[rows, int(box.x_l0) : int(box.x_l0 + box.width_l0)] = False
        self._unreadable_boxes = tuple(damaged_l0)
        size = Size(rgb.shape[1], rgb.shape[0])
        info = SlideInfo(
            name=name,
            path=path,
            format=format,
            size_l0=size,
            pixel_size=pixel_size,
            pixel_size_source=pixel_size_source,
            bounds_l0=bounds_l0,
            level_downsamples=(1.0,),
            background_rgb=background_rgb,
            synthetic=synthetic,
            series=series,
        )
        super().__init__(info, ((size.width, size.height),))

    def _read_level(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[Pixels, Mask]:
        part = (slice(top, top + height), slice(left, left + width))
        readable = self._readable[part]
        for box in self._unreadable_boxes if not readable.all() else ():
            if _overlaps(box, left, top, width, height):
                self._note_damage(
                    0, int(box.x_l0), int(box.y_l0), int(box.width_l0), int(box.height_l0)
                )
        return self._rgb[part].copy(), readable


def _overlaps(box: BoxL0, left: int, top: int, width: int, height: int) -> bool:
    return (
        box.x_l0 < left + width
        and box.y_l0 < top + height
        and box.x_l0 + box.width_l0 > left
        and box.y_l0 + box.height_l0 > top
    )
