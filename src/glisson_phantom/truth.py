"""The truth of a phantom slide, in compressed blocks where tissue is."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, CLASSES, LOBULE, PORTAL
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
        self._labels: dict[BlockIndex, bytes] = {}
        self._features: dict[BlockIndex, bytes] = {}

    def put(self, index: BlockIndex, labels: Labels, features: Flags) -> None:
        """Store one (512, 512) block; pixels beyond the slide are cleared."""
        extent = self._extent(index)
        labels, features = _clip_block(labels, extent), _clip_block(features, extent)
        if (labels != BACKGROUND.index).any():
            self._labels[index] = zlib.compress(labels.tobytes(), 1)
        if features.any():
            self._features[index] = zlib.compress(features.tobytes(), 1)

    def boxes(self) -> tuple[BoxPx, ...]:
        """Return disjoint boxes that hold all tissue."""
        return find_boxes(self._labels)

    def feature_boxes(self) -> tuple[BoxPx, ...]:
        """Return disjoint boxes that hold all features, on bare glass too."""
        return find_boxes(self._features)

    def crop(self, box_px: BoxPx) -> TruthCrop:
        """Return the classes inside a box, which may reach beyond the slide."""
        labels = assemble_crop(box_px, self._read_labels, np.uint8)
        return TruthCrop(labels, (labels == PORTAL.index).astype(np.float32))

    def features(self, box_px: BoxPx) -> Flags:
        """Return (H, W) uint32 flags of `Feature` inside a box."""
        return assemble_crop(box_px, self._read_features, np.uint32)

    def area_mm2_by_feature(self) -> dict[str, float]:
        """Return the area of each feature on the slide, in mm²."""
        px_mm2 = self.frame.mpp**2 * 1e-6
        counts = dict.fromkeys(Feature, 0)
        for packed in self._features.values():
            flags = _unpack(packed, np.uint32)
            for feature in Feature:
                counts[feature] += int(np.count_nonzero(flags & np.uint32(feature)))
        return {str(feature.name).lower(): n * px_mm2 for feature, n in counts.items() if n}

    def _extent(self, index: BlockIndex) -> tuple[int, int]:
        """Return the rows and columns of a block that lie on the slide."""
        rows = min(BLOCK_PX, self.size_px.height - index[0] * BLOCK_PX)
        columns = min(BLOCK_PX, self.size_px.width - index[1] * BLOCK_PX)
        return max(rows, 0), max(columns, 0)

    def _read_labels(self, index: BlockIndex) -> Labels | None:
        packed = self._labels.get(index)
        return None if packed is None else _unpack(packed, np.uint8)

    def _read_features(self, index: BlockIndex) -> Flags | None:
        packed = self._features.get(index)
        return None if packed is None else _unpack(packed, np.uint32)


def _clip_block(block: NDArray[Any], extent: tuple[int, int]) -> NDArray[Any]:
    """Return the block with pixels beyond the slide set to 0."""
    cut = np.zeros((BLOCK_PX, BLOCK_PX), block.dtype)
    cut[: extent[0], : extent[1]] = block[: extent[0], : extent[1]]
    return cut


def _unpack(packed: bytes, dtype: type[np.generic]) -> NDArray[Any]:
    return np.frombuffer(zlib.decompress(packed), dtype).reshape(BLOCK_PX, BLOCK_PX)


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
