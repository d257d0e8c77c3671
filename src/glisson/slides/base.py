"""Shared parts of every reader: choose a level, cut, average, record damage."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from glisson.errors import SettingsError
from glisson.frames import BoxL0, RegionUm
from glisson.slides.plausible import check_size
from glisson.slides.resample import Axis, average_area, make_axis
from glisson.slides.slide import Patch, SlideInfo

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_LEVEL_TOLERANCE = 1.0001
_MOST_SOURCE_PIXELS = 1 << 29


class LevelSlide(ABC):
    """A slide made of levels, each a plain grid of pixels."""

    def __init__(self, info: SlideInfo, level_sizes: tuple[tuple[int, int], ...]) -> None:
        check_size(info)
        self._info = info
        self._level_sizes = level_sizes
        self._damaged_l0: dict[BoxL0, None] = {}
        self._damage_lock = threading.Lock()

    @property
    def info(self) -> SlideInfo:
        """Facts about the slide."""
        return self._info

    @property
    def damaged_l0(self) -> tuple[BoxL0, ...]:
        """Unreadable regions found so far, without duplicates."""
        with self._damage_lock:
            return tuple(self._damaged_l0)

    def read(self, region_um: RegionUm, mpp: float) -> Patch:
        """See `Slide.read`."""
        if mpp <= 0 or region_um.width_um <= 0 or region_um.height_um <= 0:
            raise SettingsError(f"A region of {region_um} at {mpp} µm/px holds nothing to read.")
        level = self.choose_level(mpp)
        x, y = self._axes(region_um, mpp, level)
        if x.count * y.count > _MOST_SOURCE_PIXELS:
            raise SettingsError(
                f"Reading {region_um} at {mpp} µm/px takes {x.count} x {y.count} pixels at once; "
                "read it in parts."
            )
        pixels, readable = self._read_padded_level(level, x, y)
        rgb, readable = average_area(pixels, readable, x, y)
        if not readable.all():
            rgb = np.where(readable[..., None], rgb, np.array(self._info.background_rgb, np.uint8))
        return Patch(rgb, readable)

    def hide_file(self, name: str) -> None:
        """Replace the slide's name and drop its path, so that no output shows the file's name."""
        self._info = replace(self._info, name=name, path=None)

    def close(self) -> None:  # noqa: B027  a slide in memory holds no file
        """Close the slide's file, if the reader holds one open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def _read_level(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[Pixels, Mask]:
        """Return pixels of a region inside a level, and the mask of readable pixels."""

    def _note_damage(self, level: int, left: int, top: int, width: int, height: int) -> None:
        """Record an unreadable region of a level."""
        x_scale, y_scale = self._l0_per_level_px(level)
        box = BoxL0(left * x_scale, top * y_scale, width * x_scale, height * y_scale)
        with self._damage_lock:
            self._damaged_l0[box] = None

    def choose_level(self, mpp: float) -> int:
        """Return the coarsest level that is at least as fine as `mpp`.

        The exact scale decides. A level whose sides were rounded to whole pixels declares 16.003
        for 16; by that number the reader would skip it and read sixteen times the pixels.
        """
        finest = min(self._info.pixel_size.x_um, self._info.pixel_size.y_um)
        fine_enough = [
            level
            for level in range(len(self._level_sizes))
            if max(self._l0_per_level_px(level)) * finest <= mpp * _LEVEL_TOLERANCE
        ]
        return fine_enough[-1] if fine_enough else 0

    def _axes(self, region_um: RegionUm, mpp: float, level: int) -> tuple[Axis, Axis]:
        pixel = self._info.pixel_size
        x_scale, y_scale = self._l0_per_level_px(level)
        x_um, y_um = pixel.x_um * x_scale, pixel.y_um * y_scale
        width, height = round(region_um.width_um / mpp), round(region_um.height_um / mpp)
        return (
            make_axis(region_um.x_um / x_um, mpp / x_um, max(width, 1)),
            make_axis(region_um.y_um / y_um, mpp / y_um, max(height, 1)),
        )

    def _l0_per_level_px(self, level: int) -> tuple[float, float]:
        """Return the exact scale of a level along x and y; files round level sides to pixels."""
        downsample = self._info.level_downsamples[level]
        width, height = self._level_sizes[level]
        size = self._info.size_l0
        exact = (size.width / width, size.height / height)
        whole = max(1, round(downsample))
        if abs(size.width / whole - width) < 1 and abs(size.height / whole - height) < 1:
            return float(whole), float(whole)  # the last pixels may cover less
        near = all(abs(e / downsample - 1) < 0.002 for e in exact)
        if near and abs(downsample / whole - 1) < 0.002:
            return float(whole), float(whole)
        return exact

    def _read_padded_level(self, level: int, x: Axis, y: Axis) -> tuple[Pixels, Mask]:
        """Read the axes' pixels of a level; pixels outside it are background and unreadable."""
        width, height = self._level_sizes[level]
        left, top = max(x.first, 0), max(y.first, 0)
        right, bottom = min(x.first + x.count, width), min(y.first + y.count, height)
        if right - left == x.count and bottom - top == y.count:
            return self._read_level(level, left, top, x.count, y.count)
        pixels = np.empty((y.count, x.count, 3), np.uint8)
        pixels[:] = self._info.background_rgb
        readable = np.zeros((y.count, x.count), bool)
        if right > left and bottom > top:
            inner = self._read_level(level, left, top, right - left, bottom - top)
            part = (slice(top - y.first, bottom - y.first), slice(left - x.first, right - x.first))
            pixels[part], readable[part] = inner
        return pixels, readable
