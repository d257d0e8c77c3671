"""The whole slide on one coarse grid, read piece by piece."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxL0, BoxPx, Frame, Size
from glisson.slides.slide import Slide, SlideInfo
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Cause, Mask

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Grid:
    """A slide at the tissue finder's µm/px.

    Attributes:
        rgb: (H, W, 3) uint8.
        causes: (H, W) uint8 of `Cause`: padding outside the scanned area, or unreadable.
        frame: the grid.
    """

    rgb: NDArray[np.uint8]
    causes: NDArray[np.uint8]
    frame: Frame

    @property
    def readable(self) -> Mask:
        """(H, W) bool, inside the scanned area and read without error."""
        return np.asarray(self.causes == Cause.NONE)


def grid_frame(info: SlideInfo, settings: TissueSettings) -> Frame:
    """The grid for a slide: `settings.mpp`, doubled until it has at most `max_grid_px`."""
    mpp = settings.mpp
    while True:
        frame = Frame(info.pixel_size, mpp)
        size = frame.size_px(info.size_l0)
        if size.width * size.height <= settings.max_grid_px:
            return frame
        mpp *= 2


def read_grid(slide: Slide, settings: TissueSettings) -> Grid:
    """Read the scanned area; what lies outside it is padding and is not read."""
    frame = grid_frame(slide.info, settings)
    size = frame.size_px(slide.info.size_l0)
    rgb = np.full((size.height, size.width, 3), 255, np.uint8)
    causes = np.full((size.height, size.width), Cause.PADDING, np.uint8)
    step = _piece_px(slide.info, frame, settings)
    for box in _pieces(_scanned_box(slide.info, frame, size), step):
        patch = slide.read(frame.region_um(box), frame.mpp)
        window = np.s_[box.y_px : box.y_px + box.height_px, box.x_px : box.x_px + box.width_px]
        rgb[window] = patch.rgb
        causes[window] = np.where(patch.readable, Cause.NONE, Cause.UNREADABLE)
    _incomplete_is_padding(causes, slide.info, frame)
    log.debug("%s: tissue grid %s at %g µm/px", slide.info.name, size, frame.mpp)
    return Grid(rgb, causes, frame)


def _scanned_box(info: SlideInfo, frame: Frame, size: Size) -> BoxPx:
    """Whole grid pixels over the scanned bounds, or over the slide where none are named."""
    whole = BoxL0(0, 0, info.size_l0.width, info.size_l0.height)
    box = info.bounds_l0 or whole
    ends = np.array([[box.x_l0, box.y_l0], [box.x_l0 + box.width_l0, box.y_l0 + box.height_l0]])
    (left, top), (right, bottom) = frame.px_from_l0(ends)
    x, y = max(0, math.floor(left)), max(0, math.floor(top))
    right_px = min(size.width, math.ceil(right - 1e-6))
    bottom_px = min(size.height, math.ceil(bottom - 1e-6))
    return BoxPx(x, y, max(0, right_px - x), max(0, bottom_px - y))


def _incomplete_is_padding(causes: NDArray[np.uint8], info: SlideInfo, frame: Frame) -> None:
    """The grid's last pixels may reach beyond the slide: padding, not damage."""
    corner = np.array([[info.size_l0.width, info.size_l0.height]])
    right, bottom = np.floor(frame.px_from_l0(corner)[0] + 1e-6).astype(int)
    for rim in (causes[bottom:], causes[:, right:]):
        rim[rim == Cause.UNREADABLE] = Cause.PADDING


def _piece_px(info: SlideInfo, frame: Frame, settings: TissueSettings) -> int:
    """Side of a square read whose level pixels stay within `max_read_px`."""
    pixel_um = min(info.pixel_size.x_um, info.pixel_size.y_um)
    finer = [d for d in info.level_downsamples if d * pixel_um <= frame.mpp * 1.001]
    level_um = max(finer, default=1.0) * pixel_um
    side_um = math.sqrt(settings.max_read_px) * level_um
    return max(1, min(4096, int(side_um / frame.mpp)))


def _pieces(box: BoxPx, step: int) -> Iterator[BoxPx]:
    for y in range(box.y_px, box.y_px + box.height_px, step):
        height = min(step, box.y_px + box.height_px - y)
        for x in range(box.x_px, box.x_px + box.width_px, step):
            yield BoxPx(x, y, min(step, box.x_px + box.width_px - x), height)


@dataclass(frozen=True)
class Band:
    """Rows of a grid with a halo: `outer` is read, `inner` of it is kept as `rows`."""

    rows: slice
    outer: slice
    inner: slice


def bands(height: int, rows: int, halo: int) -> Iterator[Band]:
    """Cut a grid's rows into bands whose filters see `halo` rows of their neighbours."""
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        start, stop = max(0, top - halo), min(height, bottom + halo)
        yield Band(slice(top, bottom), slice(start, stop), slice(top - start, bottom - start))
