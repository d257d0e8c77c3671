"""The protocol that every slide reader fulfils."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxL0, PixelSize, RegionUm, Size

PixelSizeSource = Literal["file", "override"]


@dataclass(frozen=True)
class SlideInfo:
    """Facts about a slide, read once at opening.

    Attributes:
        name: file name without folder and last suffix; the result folder's name.
        path: the file (for a DICOM folder, one of its files), or None for a slide in memory.
        format: reader and vendor, such as `openslide:aperio`, `tifffile:ome`, `image`, `memory`.
        size_l0: level-0 pixels of the whole file.
        pixel_size: µm per level-0 pixel.
        pixel_size_source: source of the pixel size.
        bounds_l0: scanned area to which QuPath crops (openslide.bounds-*), or None.
        level_downsamples: level-0 pixels per pixel of each level, finest first.
        background_rgb: colour of unscanned area.
        synthetic: True if the file declares that a program drew it.
        series: number of the image in its file, from 0; None where the file holds one.
    """

    name: str
    path: Path | None
    format: str
    size_l0: Size
    pixel_size: PixelSize
    pixel_size_source: PixelSizeSource
    bounds_l0: BoxL0 | None
    level_downsamples: tuple[float, ...]
    background_rgb: tuple[int, int, int] = (255, 255, 255)
    synthetic: bool = False
    series: int | None = None


@dataclass(frozen=True)
class Patch:
    """Pixels read from a slide.

    Attributes:
        rgb: (H, W, 3) uint8. Unreadable pixels hold the background colour.
        readable: (H, W) bool, False outside the slide and where the file is damaged.
    """

    rgb: NDArray[np.uint8]
    readable: NDArray[np.bool_]


class Slide(Protocol):
    """A slide that is readable at any µm/px, from several threads."""

    @property
    def info(self) -> SlideInfo:
        """Facts about the slide."""
        ...

    @property
    def damaged_l0(self) -> tuple[BoxL0, ...]:
        """Unreadable regions found so far, without duplicates."""
        ...

    def read(self, region_um: RegionUm, mpp: float) -> Patch:
        """Read a region, area-averaged from the nearest finer level.

        The patch has round(width_um / mpp) x round(height_um / mpp) pixels. Pixels outside the
        slide hold the background and are not readable. Damage affects no pixels around it.
        An `mpp` finer than level 0 repeats pixels.

        Raises:
            SettingsError: an empty region or mpp <= 0.
        """
        ...

    def hide_file(self, name: str) -> None:
        """Replace the slide's name and drop its path, so that no output shows the file's name."""
        ...

    def close(self) -> None:
        """Close the file. Reading afterwards is an error."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
