"""Draw the model's result on the two real cores whose licence allows it (liverquant, MIT)."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import glisson
from glisson.run.settings import RunSettings

CORES = ("core-02", "core-03")
MPP = 0.494
"""µm/px of the cores, by the size of hepatocyte nuclei."""

HEIGHT_PX = 900
NOTICE = "Pictures: liverquant, MIT License, Copyright (c) 2023 Mohsen Farzi"


def main() -> None:
    """Segment both cores as `glisson segment` does, and lay their overviews side by side."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-o", "--out", type=Path, default=Path("docs/images/model-cores.jpg"))
    options.add_argument("--model", default=None)
    chosen = options.parse_args()
    cores = Path(os.environ.get("GLISSON_FIXTURES", "../shared/fixtures")) / "liver"
    with tempfile.TemporaryDirectory() as results:
        paths = [cores / f"{name}.jpg" for name in CORES]
        glisson.segment(paths, results, chosen.model, RunSettings(mpp=MPP))
        found = [Image.open(Path(results) / name / "overview.png") for name in CORES]
        panels = [resize_to_height(picture.convert("RGB")) for picture in found]
    sheet = Image.fromarray(np.hstack([np.asarray(panel) for panel in panels]))
    sheet.save(chosen.out, quality=88, comment=NOTICE.encode())


def resize_to_height(picture: Image.Image) -> Image.Image:
    """Scale a picture to `HEIGHT_PX`."""
    width = round(picture.width * HEIGHT_PX / picture.height)
    return picture.resize((width, HEIGHT_PX), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
