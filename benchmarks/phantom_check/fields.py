"""Fields to measure: phantom tiles, and crops of real cores if the fixtures exist."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from glisson_phantom import TileLook, render_tile

MPP = 0.5
SIDE_PX = 512
_REAL_CORES = ("core-02.jpg", "core-03.jpg")


@dataclass(frozen=True)
class Field:
    """A square of tissue at 0.5 µm/px.

    Attributes:
        rgb: (512, 512, 3) uint8.
        labels: (512, 512) uint8 class indices, or None for real fields.
        source: seed of a phantom, or file and place of a crop.
    """

    rgb: np.ndarray
    labels: np.ndarray | None
    source: str

    @property
    def lobule_share(self) -> float:
        """Return the share of lobule, 0 to 1; real fields count as lobule."""
        return 1.0 if self.labels is None else float((self.labels == 1).mean())

    @property
    def tissue_share(self) -> float:
        """Return the share of tissue, 0 to 1; real fields count as tissue."""
        return 1.0 if self.labels is None else float((self.labels > 0).mean())


def render_fields(count: int, first_seed: int, workers: int) -> list[Field]:
    """Render random phantom tiles without artefacts, since the real fields have none."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker) as pool:
        return list(pool.map(_render_field, range(first_seed, first_seed + count), chunksize=4))


def _start_worker() -> None:
    cv2.setNumThreads(1)
    threadpool_limits(1)


def _render_field(seed: int) -> Field:
    tile = render_tile(seed, SIDE_PX, MPP, TileLook(artefacts=0.0))
    return Field(tile.rgb, tile.labels, f"phantom {seed}")


def read_real_fields() -> dict[str, list[Field]]:
    """Read crops of the real cores that are nearly all tissue, by image; empty without fixtures."""
    folder = Path(os.environ.get("GLISSON_FIXTURES", "../shared/fixtures")) / "liver"
    return {name: _cut_crops(folder / name) for name in _REAL_CORES if (folder / name).exists()}


def _cut_crops(path: Path) -> list[Field]:
    rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    crops = []
    for top in range(0, rgb.shape[0] - SIDE_PX + 1, SIDE_PX // 2):
        for left in range(0, rgb.shape[1] - SIDE_PX + 1, SIDE_PX // 2):
            crop = rgb[top : top + SIDE_PX, left : left + SIDE_PX]
            if _measure_glass(crop) < 0.05:
                crops.append(Field(crop, None, f"{path.stem} {left},{top}"))
    return crops


def _measure_glass(rgb: np.ndarray) -> float:
    """Measure the share of large bright areas; fat droplets are smaller than 60 µm."""
    bright = (cv2.blur(rgb, (25, 25)).min(axis=2) > 225).astype(np.uint8)
    wide = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((81, 81), np.uint8))
    return float(wide.mean())
