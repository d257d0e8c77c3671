"""What a slide is: the Protocol every reader fulfils."""

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
    """Facts about a slide, read once when it is opened.

    Attributes:
        name: file name without folder and last suffix; the result folder's name.
        path: the file (for a DICOM folder, one of its files), or None for a slide in memory.
        format: reader and vendor, such as `openslide:aperio`, `tifffile:ome`, `image`, `memory`.
        size_l0: level-0 pixels of the whole file.
        pixel_size: µm per level-0 pixel.
        pixel_size_source: where the pixel size came from.
        bounds_l0: the scanned area that QuPath crops to (openslide.bounds-*), or None.
        level_downsamples: level-0 pixels per pixel of each level, finest first.
        background_rgb: colour of unscanned area.
        synthetic: whether the file says that it was drawn by a program.
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
    """A slide that can be read at any µm/px. Safe to read from several threads."""

    @property
    def info(self) -> SlideInfo:
        """Facts about the slide."""
        ...

    @property
    def damaged_l0(self) -> tuple[BoxL0, ...]:
        """Regions that could not be read so far, without duplicates."""
        ...

    def read(self, region_um: RegionUm, mpp: float) -> Patch:
        """Read a region, area-averaged from the nearest finer level.

        The patch has round(width_um / mpp) x round(height_um / mpp) pixels. A region may
        reach outside the slide: those pixels hold the background and are not readable.
        A damaged region costs only itself. `mpp` finer than level 0 repeats pixels.

        Raises:
            SettingsError: an empty region or mpp <= 0.
        """
        ...

    def hide_file(self, name: str) -> None:
        """Call the slide by another name and forget its file's, for all that is written of it."""
        ...

    def close(self) -> None:
        """Release the file. Reading afterwards is an error."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
