"""Cost of tracing, measuring and writing by the number of tracts, on 400 mm² (SYNTHETIC).

`tracts.py COUNT` prints JSON: processor seconds by step. The class map is drawn: cores of 1 mm,
tracts as ragged discs on the cores, so that only the steps after the model count.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.classes import LOBULE, PORTAL
from glisson.exchange import write_tracts_geojson
from glisson.frames import Frame, PixelSize, Size
from glisson.masks.blocks import BLOCK_PX
from glisson.measurement import measure_biopsy
from glisson.regions import find_regions
from glisson.segmentation import ClassMap
from glisson.slides import SlideInfo

MPP = 2.0
MPP_L0 = 0.25
CORES = 20
CORE_LENGTH_PX, CORE_WIDTH_PX, PITCH_PX = 10_000, 500, 700
_PLACE_PX = 46
_RADIUS_PX = 16.0

Answer = TypeVar("Answer")
Labels = NDArray[np.uint8]


def main() -> None:
    """Time the steps once."""
    count = int(sys.argv[1])
    info = _describe_slide()
    class_map = _make_class_map(_draw_labels(count), info)
    regions, outlines_s = _time_step(lambda: find_regions(class_map))
    measured, measuring_s = _time_step(lambda: measure_biopsy(regions, info.pixel_size))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tracts.geojson"
        _, writing_s = _time_step(
            lambda: write_tracts_geojson(path, regions, measured, info, model="drawn")
        )
    print(
        json.dumps(
            {
                "tracts": len(regions.tracts),
                "outlines_s": outlines_s,
                "measuring_s": measuring_s,
                "geojson_s": writing_s,
            }
        )
    )


def _time_step(work: Callable[[], Answer]) -> tuple[Answer, float]:
    started = time.process_time()
    result = work()
    return result, round(time.process_time() - started, 3)


def _describe_slide() -> SlideInfo:
    scale = round(MPP / MPP_L0)
    size = Size((CORE_LENGTH_PX + 200) * scale, (CORES * PITCH_PX + 200) * scale)
    pixel = PixelSize(MPP_L0, MPP_L0)
    return SlideInfo("tracts", None, "drawn", size, pixel, "drawn", None, (1.0,))


def _draw_labels(count: int) -> Labels:
    """Draw cores as bars, and `count` discs on a lattice of places, the same in every run."""
    labels = np.zeros((CORES * PITCH_PX + 200, CORE_LENGTH_PX + 200), np.uint8)
    for core in range(CORES):
        top = 100 + core * PITCH_PX
        labels[top : top + CORE_WIDTH_PX, 100 : 100 + CORE_LENGTH_PX] = LOBULE.index
    rng = np.random.default_rng(0)
    across = np.arange(_PLACE_PX, CORE_LENGTH_PX - _PLACE_PX, _PLACE_PX)
    down = np.arange(_PLACE_PX, CORE_WIDTH_PX - _PLACE_PX, _PLACE_PX)
    places = [(x, y, core) for core in range(CORES) for x in across for y in down]
    for place in rng.permutation(len(places))[:count]:
        x, y, core = places[place]
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radius = _RADIUS_PX * (1 + 0.15 * rng.standard_normal(24))
        ring = np.column_stack([np.cos(turns), np.sin(turns)]) * radius[:, None]
        ring += (100 + x, 100 + core * PITCH_PX + y)
        cv2.fillPoly(labels, [np.round(ring * 16).astype(np.int32)], PORTAL.index, shift=4)
    return labels


def _make_class_map(labels: Labels, info: SlideInfo) -> ClassMap:
    class_map = ClassMap(Frame(info.pixel_size, MPP), Size(labels.shape[1], labels.shape[0]))
    padded = np.pad(labels, [(0, -side % BLOCK_PX) for side in labels.shape])
    for row in range(padded.shape[0] // BLOCK_PX):
        for column in range(padded.shape[1] // BLOCK_PX):
            part = padded[row * BLOCK_PX :, column * BLOCK_PX :][:BLOCK_PX, :BLOCK_PX].copy()
            class_map.put(row, column, part, (part == PORTAL.index).astype(np.float32))
    return class_map


if __name__ == "__main__":
    main()
