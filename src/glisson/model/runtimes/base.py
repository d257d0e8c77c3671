"""Interface of whatever runs a model."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

RuntimeKind = Literal["auto", "openvino", "torch"]
Precision = Literal["auto", "f32", "bf16"]
Tiles = NDArray[np.uint8]
Probabilities = NDArray[np.float32]


class Runtime(Protocol):
    """A model ready to predict. Several threads may call it."""

    @property
    def name(self) -> str:
        """Return the runtime and its precision, such as `openvino f32`."""
        ...

    @property
    def workers(self) -> int:
        """Return the number of threads that should read windows and call `predict`."""
        ...

    @property
    def windows_a_call(self) -> int:
        """Return how many windows of the model's own size a call computes best."""
        ...

    def predict(self, tiles: Tiles) -> Probabilities:
        """Predict (N, 3, H, W) float32 probabilities of (N, H, W, 3) uint8 RGB."""
        ...


def pad_to_multiple(tiles: Tiles, multiple: int) -> Tiles:
    """Grow tiles at the right and bottom, by reflection, to a multiple of `multiple` px."""
    height, width = tiles.shape[1:3]
    bottom, right = -height % multiple, -width % multiple
    if not bottom and not right:
        return tiles
    widths = ((0, 0), (0, bottom), (0, right), (0, 0))
    can_reflect = min(height, width) > max(bottom, right)
    return np.pad(tiles, widths, mode="reflect" if can_reflect else "edge")
