"""Fields to measure: phantom tiles, and crops of real cores where they are at hand."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from glisson_phantom import render_tile

MPP = 0.5
SIDE_PX = 512
_REAL_CORES = ("core-02.jpg", "core-03.jpg")


@dataclass(frozen=True)
class Field:
    """A square of tissue at 0.5 µm/px.

    Attributes:
        rgb: (512, 512, 3) uint8.
        labels: (512, 512) uint8 class indices, or None where nobody knows.
        source: where it came from.
    """

    rgb: np.ndarray
    labels: np.ndarray | None
    source: str

    @property
    def lobule_share(self) -> float:
        """Share of the field that is lobule, 0 to 1; unknown counts as all."""
        return 1.0 if self.labels is None else float((self.labels == 1).mean())

    @property
    def tissue_share(self) -> float:
        """Share of the field that is not glass."""
        return 1.0 if self.labels is None else float((self.labels > 0).mean())


def phantom_fields(count: int, first_seed: int, workers: int) -> list[Field]:
    """Random phantom tiles without artefacts: the real ones were chosen clean."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin) as pool:
        return list(pool.map(_phantom, range(first_seed, first_seed + count), chunksize=4))


def _begin() -> None:
    cv2.setNumThreads(1)
    threadpool_limits(1)


def _phantom(seed: int) -> Field:
    tile = render_tile(seed, SIDE_PX, MPP, artefacts=0.0)
    return Field(tile.rgb, tile.labels, f"phantom {seed}")


def real_fields() -> dict[str, list[Field]]:
    """Crops of the real cores that are nearly all tissue, by image; empty without fixtures."""
    folder = Path(os.environ.get("GLISSON_FIXTURES", "../shared/fixtures")) / "liver"
    return {name: _crops(folder / name) for name in _REAL_CORES if (folder / name).exists()}


def _crops(path: Path) -> list[Field]:
    rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    crops = []
    for top in range(0, rgb.shape[0] - SIDE_PX + 1, SIDE_PX // 2):
        for left in range(0, rgb.shape[1] - SIDE_PX + 1, SIDE_PX // 2):
            crop = rgb[top : top + SIDE_PX, left : left + SIDE_PX]
            if _glass_share(crop) < 0.05:
                crops.append(Field(crop, None, f"{path.stem} {left},{top}"))
    return crops


def _glass_share(rgb: np.ndarray) -> float:
    """Share of large bright areas: fat droplets are smaller than 60 µm."""
    bright = (cv2.blur(rgb, (25, 25)).min(axis=2) > 225).astype(np.uint8)
    wide = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((81, 81), np.uint8))
    return float(wide.mean())
