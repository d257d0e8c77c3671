"""Score a model on real pictures with masks, as it ships. For evaluation only.

PAIRS is what `real-dev/build.py PAIRS --um 1.0` wrote. The pictures are never trained on.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glisson.frames import BoxPx, Frame, PixelSize
from glisson.model import ModelSpec, Runtime, find_model, open_runtime
from glisson.regions import RegionSettings, find_regions
from glisson.segmentation import SegmentSettings, segment_slide
from glisson.slides import InMemorySlide
from glisson.tissue import TissueMap

Pixels = NDArray[np.uint8]


def main() -> None:
    """Write the class map of every picture, then run the scorer of the fixtures on them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("pairs", type=Path)
    options.add_argument("--model", default=None)
    options.add_argument("--leave-out", default="", help="ids, with commas between")
    options.add_argument("--out", type=Path, help="folder for the class maps; kept")
    chosen = options.parse_args()
    bundle = find_model(chosen.model)
    runtime = open_runtime(bundle)
    with tempfile.TemporaryDirectory() as temporary:
        out = chosen.out or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        for row in csv.DictReader((chosen.pairs / "index.csv").open()):
            picture = Image.open(chosen.pairs / f"{row['id']}.png").convert("RGB")
            found = classes_of(np.asarray(picture), float(row["um_per_px"]), bundle.spec, runtime)
            Image.fromarray(found).save(out / f"{row['id']}.png")
        scorer = Path(os.environ.get("GLISSON_FIXTURES", "../shared/fixtures"))
        command = [sys.executable, scorer / "real-dev" / "score.py", chosen.pairs, out]
        if chosen.leave_out:
            command += ["--leave-out", chosen.leave_out]
        sys.exit(subprocess.run(command, check=False).returncode)


def classes_of(rgb: Pixels, mpp: float, spec: ModelSpec, runtime: Runtime) -> Pixels:
    """Predict the classes of a picture on its own pixels, every pixel taken as tissue.

    Windows and the limits of a tract are those of the model; no area is too small.

    Args:
        rgb: (H, W, 3).
        mpp: its µm/px.
        spec: the model's.
        runtime: the model.

    Returns:
        (H, W) class indices.
    """
    settings = SegmentSettings.of_model(spec)
    padded, (top, left) = mirrored(rgb, round(settings.window_px * settings.mpp / mpp))
    slide = InMemorySlide(padded, PixelSize(mpp, mpp))
    everywhere = np.ones(padded.shape[:2], bool)
    tissue = TissueMap(
        everywhere,
        Frame(slide.info.pixel_size, mpp),
        np.zeros(everywhere.shape, np.uint8),
        slide.info.background_rgb,
    )
    class_map = segment_slide(slide, tissue, runtime, settings)
    limits = replace(RegionSettings.of_model(spec, 0.0), min_fragment_area_um2=0.0)
    class_map.relabel_portal(find_regions(class_map, limits).candidates_px)
    size = class_map.size_px
    labels = class_map.crop(BoxPx(0, 0, size.width, size.height)).labels
    rows = grid_of(top, rgb.shape[0], mpp / settings.mpp, size.height)
    columns = grid_of(left, rgb.shape[1], mpp / settings.mpp, size.width)
    return labels[rows][:, columns]


def mirrored(rgb: Pixels, least_px: int) -> tuple[Pixels, tuple[int, int]]:
    """Mirror a picture at its borders until its sides are `least_px`; where its corner lies."""
    missing = [max(0, least_px - side) for side in rgb.shape[:2]]
    widths = [(each // 2, each - each // 2) for each in missing]
    return np.pad(rgb, [*widths, (0, 0)], mode="reflect"), (widths[0][0], widths[1][0])


def grid_of(start_px: int, count: int, ratio: float, size: int) -> NDArray[np.int64]:
    """Index on the class map of each pixel's centre along one side of the picture."""
    centres = (start_px + np.arange(count) + 0.5) * ratio
    return np.minimum(centres.astype(np.int64), size - 1)


if __name__ == "__main__":
    main()
