"""Cover the tissue with as few windows as possible.

A prediction is reliable in the middle of its window, `stride_px` wide; these middles have to cover
the tissue. They lie in bands along a core. A band starts where its tissue starts, so that no
window covers half glass as on a fixed lattice. Two cores of 14 mm at 2 µm/px need 290 windows
instead of 335.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from glisson.frames import BoxPx, Frame, Size
from glisson.tissue import TissueMap

Mask = NDArray[np.bool_]

_OFFSETS = 4
"""Number of places, within a stride, where the first band may start."""


@dataclass(frozen=True)
class _Group:
    """Pieces of tissue near enough to share windows.

    Attributes:
        mask: (H, W) on the tissue's grid.
        top: first row on that grid.
        left: first column on that grid.
    """

    mask: Mask
    top: int
    left: int

    @property
    def transposed(self) -> _Group:
        """Return the group with rows and columns exchanged."""
        return _Group(self.mask.T, self.left, self.top)


def windows_over(
    tissue: TissueMap, frame: Frame, size_px: Size, window_px: int, stride_px: int
) -> tuple[BoxPx, ...]:
    """Return windows that cover every tissue pixel, group by group, band by band.

    Windows may reach beyond the slide, and follow the tissue when it is shifted.

    Args:
        tissue: the tissue, on a coarser grid.
        frame: the model's grid.
        size_px: slide in model pixels.
        window_px: side of a window.
        stride_px: side of a window's reliable middle.
    """
    ratio = tissue.frame.mpp / frame.mpp
    margin = (window_px - stride_px) // 2
    reach = max(1, round(stride_px / ratio / 2))
    middles = [m for group in _groups(tissue.mask, reach) for m in _pack(group, ratio, stride_px)]
    return tuple(
        BoxPx(x - margin, y - margin, window_px, window_px)
        for x, y in middles
        if x < size_px.width and y < size_px.height
    )


def _groups(mask: Mask, reach: int) -> Iterator[_Group]:
    """Group the pieces of a mask that are less than twice `reach` apart."""
    step = max(1, reach // 2)
    coarse = ndimage.maximum_filter(_reduce_any(mask, step), 2 * (reach // step) + 1)
    labels, _ = ndimage.label(coarse, structure=np.ones((3, 3)))
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        top, left = rows.start * step, columns.start * step
        part = mask[top : rows.stop * step, left : columns.stop * step]
        own = (labels[rows, columns] == number).repeat(step, 0).repeat(step, 1)
        yield _Group(part & own[: part.shape[0], : part.shape[1]], top, left)


def _reduce_any(mask: Mask, step: int) -> Mask:
    """Reduce a mask: True where any of `step` x `step` pixels is set."""
    size = (-(-mask.shape[1] // step), -(-mask.shape[0] // step))
    padded = np.zeros((size[1] * step, size[0] * step), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return np.asarray(padded.reshape(size[1], step, size[0], step).any(axis=(1, 3)))


def _pack(group: _Group, ratio: float, stride_px: int) -> list[tuple[int, int]]:
    """Return the corners (x, y) of the fewest middles found, in rows or in columns."""
    starts = [stride_px * number // _OFFSETS for number in range(_OFFSETS)]
    in_rows = [_pack_bands(group, ratio, stride_px, start) for start in starts]
    in_columns = [
        [(x, y) for y, x in _pack_bands(group.transposed, ratio, stride_px, start)]
        for start in starts
    ]
    return min(in_rows + in_columns, key=len)


def _pack_bands(
    group: _Group, ratio: float, stride_px: int, start_px: int
) -> list[tuple[int, int]]:
    """Return corners (x, y) of middles in bands of rows; the first starts `start_px` early."""
    rows = np.flatnonzero(group.mask.any(axis=1))
    first_px = int((group.top + rows[0]) * ratio) - start_px
    end_px = (group.top + rows[-1] + 1) * ratio
    found = []
    for y in range(first_px, int(np.ceil(end_px)), stride_px):
        top = max(int(y / ratio) - group.top, 0)
        bottom = max(int(np.ceil((y + stride_px) / ratio)) - group.top, 0)
        columns = group.left + np.flatnonzero(group.mask[top:bottom].any(axis=0))
        found += [(x, y) for x in _pack_row(columns, ratio, stride_px)]
    return found


def _pack_row(columns: NDArray[np.intp], ratio: float, stride_px: int) -> list[int]:
    """Return the left sides of the fewest middles that cover columns of the tissue's grid.

    A chain of middles without a gap is centred on what it covers.
    """
    found: list[int] = []
    chain: list[int] = []
    index = 0
    while index < len(columns):
        begin_px = int(columns[index] * ratio)
        if chain and begin_px > chain[-1] + stride_px:
            found, chain = found + _centre(chain, columns[index - 1], ratio, stride_px), []
        chain.append(max(begin_px, chain[-1] + stride_px) if chain else begin_px)
        covered = int((chain[-1] + stride_px) / ratio) - 1  # the last column wholly covered
        index = int(np.searchsorted(columns, covered, side="right"))
    return found + (_centre(chain, columns[-1], ratio, stride_px) if chain else [])


def _centre(chain: list[int], last_column: np.intp, ratio: float, stride_px: int) -> list[int]:
    """Move a chain of middles back by half of its excess beyond the last column."""
    beyond = chain[-1] + stride_px - int(np.ceil((last_column + 1) * ratio))
    return [begin - max(beyond, 0) // 2 for begin in chain]


def tissue_in(tissue: TissueMap, frame: Frame, box_px: BoxPx) -> Mask:
    """Return the (H, W) tissue mask in a box of the model's grid; False outside the slide."""
    ratio = frame.mpp / tissue.frame.mpp
    rows = _source(box_px.y_px, box_px.height_px, ratio)
    columns = _source(box_px.x_px, box_px.width_px, ratio)
    height, width = tissue.mask.shape
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    picked = tissue.mask[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)]
    return np.asarray(picked & inside)


def _source(start_px: int, count: int, ratio: float) -> NDArray[np.int64]:
    """Return the index on the tissue grid of every model pixel's centre."""
    return np.floor((np.arange(start_px, start_px + count) + 0.5) * ratio).astype(np.int64)


def grow_tissue(tissue: TissueMap, reach_um: float) -> TissueMap:
    """Grow a tissue map by `reach_um`."""
    reach = max(1, round(reach_um / tissue.frame.mpp))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    mask = cv2.dilate(tissue.mask.astype(np.uint8), kernel).astype(bool)
    return replace(tissue, mask=mask)
