"""The truth of a phantom slide, in compressed blocks where tissue is."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.classes import CLASSES, LOBULE, PORTAL
from glisson.frames import BoxPx, Frame, Size
from glisson.masks.blocks import BLOCK_PX, BlockIndex, assemble_crop, find_boxes
from glisson_phantom.features import Feature

Labels = NDArray[np.uint8]
Flags = NDArray[np.uint32]


@dataclass(frozen=True)
class TruthCrop:
    """Truth inside a box, shaped like a crop of a predicted class map.

    Attributes:
        labels: (H, W) uint8 class indices.
        portal_probability: (H, W) float32, 1 in portal tracts and 0 elsewhere.
    """

    labels: Labels
    portal_probability: NDArray[np.float32]


class PhantomTruth:
    """The exact class map and features of a phantom, with the reading methods of `ClassMap`.

    Attributes:
        frame: the grid, about 1 µm/px.
        size_px: the slide on that grid.
    """

    def __init__(self, frame: Frame, size_px: Size) -> None:
        self.frame = frame
        self.size_px = size_px
        self._labels = _Blocks(np.uint8)
        self._features = _Blocks(np.uint32)

    def put(self, index: BlockIndex, labels: Labels, features: Flags) -> None:
        """Store one (512, 512) block; pixels beyond the slide are cleared."""
        extent = self._extent(index)
        self._labels.put(index, labels, extent)
        self._features.put(index, features, extent)

    def boxes(self) -> tuple[BoxPx, ...]:
        """Return disjoint boxes that hold all tissue."""
        return find_boxes(self._labels.packed)

    def feature_boxes(self) -> tuple[BoxPx, ...]:
        """Return disjoint boxes that hold all features, on bare glass too."""
        return find_boxes(self._features.packed)

    def crop(self, box_px: BoxPx) -> TruthCrop:
        """Return the classes inside a box, which may reach beyond the slide."""
        labels = assemble_crop(box_px, self._labels.get, np.uint8)
        return TruthCrop(labels, (labels == PORTAL.index).astype(np.float32))

    def features(self, box_px: BoxPx) -> Flags:
        """Return (H, W) uint32 flags of `Feature` inside a box."""
        return assemble_crop(box_px, self._features.get, np.uint32)

    def area_mm2_by_feature(self) -> dict[str, float]:
        """Return the area of each feature on the slide, in mm²."""
        px_mm2 = self.frame.mpp**2 * 1e-6
        counts = dict.fromkeys(Feature, 0)
        for flags in map(self._features.unpack, self._features.packed.values()):
            for feature in Feature:
                counts[feature] += int(np.count_nonzero(flags & np.uint32(feature)))
        return {str(feature.name).lower(): n * px_mm2 for feature, n in counts.items() if n}

    def _extent(self, index: BlockIndex) -> tuple[int, int]:
        """Return the rows and columns of a block that lie on the slide."""
        rows = min(BLOCK_PX, self.size_px.height - index[0] * BLOCK_PX)
        columns = min(BLOCK_PX, self.size_px.width - index[1] * BLOCK_PX)
        return max(rows, 0), max(columns, 0)


class _Blocks:
    """Compressed (512, 512) blocks that hold anything but zeros."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self.packed: dict[BlockIndex, bytes] = {}
        self._dtype = dtype

    def put(self, index: BlockIndex, block: NDArray[Any], extent: tuple[int, int]) -> None:
        """Store the part of a block within `extent` (rows, columns)."""
        clipped = np.zeros((BLOCK_PX, BLOCK_PX), self._dtype)
        clipped[: extent[0], : extent[1]] = block[: extent[0], : extent[1]]
        if clipped.any():
            self.packed[index] = zlib.compress(clipped.tobytes(), 1)

    def get(self, index: BlockIndex) -> NDArray[Any] | None:
        """Return a block, or None if the block is zero."""
        packed = self.packed.get(index)
        return None if packed is None else self.unpack(packed)

    def unpack(self, packed: bytes) -> NDArray[Any]:
        """Return the pixels of a packed block."""
        return np.frombuffer(zlib.decompress(packed), self._dtype).reshape(BLOCK_PX, BLOCK_PX)


def reduce_labels(labels: Labels, factor: int) -> Labels:
    """Reduce classes to the commonest class in every block of `factor` x `factor` pixels."""
    if not labels.any():
        return labels[: labels.shape[0] // factor, : labels.shape[1] // factor].copy()
    size = labels.shape[1] // factor, labels.shape[0] // factor
    whole = labels[: size[1] * factor, : size[0] * factor]
    shares = [
        cv2.resize((whole == c.index).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        for c in CLASSES
    ]
    return np.argmax(shares, axis=0).astype(np.uint8)


def reduce_features(features: Flags, labels: Labels, factor: int) -> Flags:
    """Reduce flags to those that any pixel of a `factor` x `factor` block has.

    Flags of lobule are cleared where `labels`, on the coarse grid, are not lobule.
    """
    height, width = features.shape[0] // factor * factor, features.shape[1] // factor * factor
    rows = np.bitwise_or.reduce([features[k:height:factor, :width] for k in range(factor)])
    flags = np.asarray(np.bitwise_or.reduce([rows[:, k::factor] for k in range(factor)]))
    flags[labels != LOBULE.index] &= ~np.uint32(Feature.of_lobule())
    return flags
