"""Score a model on real pictures with masks, as it ships. For evaluation only.

`real-dev/build.py PAIRS --um 1.0` writes the folder PAIRS. No model is trained on the pictures.
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
from pictures import Pixels, sample_labels
from PIL import Image

from glisson.frames import Frame, PixelSize
from glisson.model import ModelSpec, Runtime, find_model, open_runtime
from glisson.regions import RegionSettings, find_regions
from glisson.segmentation import SegmentSettings, segment_slide
from glisson.slides import InMemorySlide
from glisson.tissue import TissueMap


def main() -> None:
    """Write the class map of every picture, then run the scorer of the fixtures on them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("pairs", type=Path)
    options.add_argument("--model", default=None)
    options.add_argument("--leave-out", default="", help="ids, separated by commas")
    options.add_argument("--out", type=Path, help="folder for the class maps")
    chosen = options.parse_args()
    bundle = find_model(chosen.model)
    runtime = open_runtime(bundle)
    with tempfile.TemporaryDirectory() as temporary:
        out = chosen.out or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        for row in csv.DictReader((chosen.pairs / "index.csv").open()):
            picture = Image.open(chosen.pairs / f"{row['id']}.png").convert("RGB")
            found = predict_classes(
                np.asarray(picture), float(row["um_per_px"]), bundle.spec, runtime
            )
            Image.fromarray(found).save(out / f"{row['id']}.png")
        scorer = Path(os.environ.get("GLISSON_FIXTURES", "../shared/fixtures"))
        command = [sys.executable, scorer / "real-dev" / "score.py", chosen.pairs, out]
        if chosen.leave_out:
            command += ["--leave-out", chosen.leave_out]
        sys.exit(subprocess.run(command, check=False).returncode)


def predict_classes(rgb: Pixels, mpp: float, spec: ModelSpec, runtime: Runtime) -> Pixels:
    """Predict the classes of a picture on its own pixels, and take every pixel as tissue.

    Windows and the limits of a tract are those of the model; areas may have any size.

    Args:
        rgb: (H, W, 3).
        mpp: its µm/px.
        spec: model.json of the model.
        runtime: the model.

    Returns:
        (H, W) class indices.
    """
    settings = SegmentSettings.of_model(spec)
    padded, corner_px = mirror_borders(rgb, round(settings.window_px * settings.mpp / mpp))
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
    return sample_labels(class_map, rgb, mpp / settings.mpp, corner_px)


def mirror_borders(rgb: Pixels, least_px: int) -> tuple[Pixels, tuple[int, int]]:
    """Mirror a picture at its borders until its sides are `least_px`, and return its corner."""
    missing = [max(0, least_px - side) for side in rgb.shape[:2]]
    widths = [(each // 2, each - each // 2) for each in missing]
    return np.pad(rgb, [*widths, (0, 0)], mode="reflect"), (widths[0][0], widths[1][0])


if __name__ == "__main__":
    main()
