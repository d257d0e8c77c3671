"""Class maps brought back to the pixels of a picture, for the scripts that score pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glisson.frames import BoxPx
from glisson.segmentation import ClassMap

Pixels = NDArray[np.uint8]


def sample_labels(
    class_map: ClassMap, picture: Pixels, scale: float, corner_px: tuple[int, int] = (0, 0)
) -> Pixels:
    """Return the classes, (H, W), at the centres of a picture's pixels.

    Args:
        class_map: class map of the picture, or of a larger picture around it.
        picture: (H, W, 3).
        scale: µm/px of the picture over those of the class map.
        corner_px: row and column of the picture's corner in the larger picture.
    """
    size = class_map.size_px
    labels = class_map.crop(BoxPx(0, 0, size.width, size.height)).labels
    rows, columns = (
        np.minimum(((start + np.arange(count) + 0.5) * scale).astype(int), limit - 1)
        for start, count, limit in zip(corner_px, picture.shape, labels.shape, strict=False)
    )
    return labels[rows][:, columns]
