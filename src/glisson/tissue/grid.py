"""Read the whole slide on a coarse grid, piece by piece."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxL0, BoxPx, Frame, Size
from glisson.slides.slide import Slide, SlideInfo
from glisson.threads import map_in_threads
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Cause, Mask

Value = TypeVar("Value", np.bool_, np.uint8)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Grid:
    """A slide's scanned area at the tissue finder's µm/px.

    Attributes:
        rgb: (H, W, 3) uint8.
        causes: (H, W) uint8 of `Cause`: unreadable pixels and padding.
        frame: the grid.
        box_px: the scanned area on the whole slide's grid.
        size_px: size of the whole slide's grid.
    """

    rgb: NDArray[np.uint8]
    causes: NDArray[np.uint8]
    frame: Frame
    box_px: BoxPx
    size_px: Size

    @cached_property
    def readable(self) -> Mask:
        """Return the (H, W) pixels that were scanned and read without error."""
        return np.asarray(self.causes == Cause.NONE)

    @cached_property
    def is_complete(self) -> bool:
        """Return whether every pixel is readable."""
        return bool(self.readable.all())

    def on_whole_slide(self, values: NDArray[Value], outside: int) -> NDArray[Value]:
        """Put (H, W) values of the scanned area on the whole slide's grid."""
        if values.shape == (self.size_px.height, self.size_px.width):
            return values
        whole = np.full((self.size_px.height, self.size_px.width), outside, values.dtype)
        whole[window_of(self.box_px)] = values
        return whole


def choose_frame(info: SlideInfo, settings: TissueSettings) -> Frame:
    """Choose the grid for a slide.

    `settings.mpp` doubles until the scanned area has at most `max_grid_px` pixels, and the whole
    slide four times as many.
    """
    mpp = settings.mpp
    while True:
        frame = Frame(info.pixel_size, mpp)
        size = frame.size_px(info.size_l0)
        box = _find_scanned(info, frame, size)
        whole_px, scanned_px = size.width * size.height, box.width_px * box.height_px
        if scanned_px <= settings.max_grid_px and whole_px <= 4 * settings.max_grid_px:
            return frame
        mpp *= 2


def read_grid(slide: Slide, settings: TissueSettings) -> Grid:
    """Read the scanned area in pieces, and nothing outside it."""
    info = slide.info
    frame = choose_frame(info, settings)
    size = frame.size_px(info.size_l0)
    scanned = _find_scanned(info, frame, size)
    rgb = np.zeros((scanned.height_px, scanned.width_px, 3), np.uint8)
    causes = np.zeros(rgb.shape[:2], np.uint8)

    def read_piece(box: BoxPx) -> None:
        patch = slide.read(frame.region_um(box), frame.mpp)
        window = window_of(box, scanned.x_px, scanned.y_px)
        rgb[window] = patch.rgb
        causes[window] = np.where(patch.readable, Cause.NONE, Cause.UNREADABLE)

    step, right_px = _piece_px(info, frame, settings), scanned.x_px + scanned.width_px
    bottom_px = scanned.y_px + scanned.height_px
    pieces = (
        BoxPx(x, y, min(step, right_px - x), min(step, bottom_px - y))
        for y in range(scanned.y_px, bottom_px, step)
        for x in range(scanned.x_px, right_px, step)
    )
    map_in_threads(read_piece, pieces, settings.workers)
    grid = Grid(rgb, causes, frame, scanned, size)
    # The grid's last pixels may reach beyond the slide: no damage, but padding.
    corner = np.array([[info.size_l0.width, info.size_l0.height]])
    right, bottom = np.floor(frame.px_from_l0(corner)[0] + 1e-6).astype(int)
    for rim in (causes[bottom - scanned.y_px :], causes[:, right - scanned.x_px :]):
        rim[rim == Cause.UNREADABLE] = Cause.PADDING
    log.debug("%s: tissue grid %s at %g µm/px", info.name, size, frame.mpp)
    return grid


Window = tuple[slice, slice]


def window_of(box: BoxPx, left: int = 0, top: int = 0) -> Window:
    """Return the rows and columns of a box, counted from (left, top)."""
    x, y = box.x_px - left, box.y_px - top
    return np.s_[y : y + box.height_px, x : x + box.width_px]


def _find_scanned(info: SlideInfo, frame: Frame, size: Size) -> BoxPx:
    """Return the box of whole grid pixels over the scanned bounds, or else over the slide."""
    whole = BoxL0(0, 0, info.size_l0.width, info.size_l0.height)
    box = info.bounds_l0 or whole
    ends = np.array([[box.x_l0, box.y_l0], [box.x_l0 + box.width_l0, box.y_l0 + box.height_l0]])
    (left, top), (right, bottom) = frame.px_from_l0(ends)
    x, y = max(0, math.floor(left)), max(0, math.floor(top))
    right_px = min(size.width, math.ceil(right - 1e-6))
    bottom_px = min(size.height, math.ceil(bottom - 1e-6))
    if right_px <= x or bottom_px <= y:  # bounds that name nothing on the slide
        return BoxPx(0, 0, size.width, size.height)
    return BoxPx(x, y, right_px - x, bottom_px - y)


def _piece_px(info: SlideInfo, frame: Frame, settings: TissueSettings) -> int:
    """Choose the side of a square read within `max_read_px` level pixels.

    Small reads are faster and take less memory. But they give the pixels of a large read only where
    the grid is a level at a whole downsample: OpenSlide interpolates elsewhere.
    """
    pixel_um = min(info.pixel_size.x_um, info.pixel_size.y_um)
    finer = [d for d in info.level_downsamples if d * pixel_um <= frame.mpp * 1.001]
    downsample = max(finer, default=1.0)
    side_um = math.sqrt(settings.max_read_px) * downsample * pixel_um
    same = all(downsample * um == frame.mpp for um in (info.pixel_size.x_um, info.pixel_size.y_um))
    most = 1024 if same and float(downsample).is_integer() else 4096
    return max(1, min(most, int(side_um / frame.mpp)))


@dataclass(frozen=True)
class Tile:
    """Part of a grid with a halo: compute `outer`, and store its `inner` part as `window`."""

    window: Window
    outer: Window
    inner: Window


def tiles(shape: tuple[int, ...], size_px: tuple[int, int], halo: int) -> Iterator[Tile]:
    """Cut a grid into tiles whose filters see `halo` pixels of their neighbours."""
    for y in _cuts(shape[0], size_px[0], halo):
        for x in _cuts(shape[1], size_px[1], halo):
            yield Tile((y[0], x[0]), (y[1], x[1]), (y[2], x[2]))


def _cuts(length: int, step: int, halo: int) -> Iterator[tuple[slice, slice, slice]]:
    for first in range(0, length, step):
        end = min(length, first + step)
        start, stop = max(0, first - halo), min(length, end + halo)
        yield slice(first, end), slice(start, stop), slice(first - start, end - start)
