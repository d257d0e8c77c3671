"""How the shipped model does on real liver panels with masks. For evaluation only.

The panels are not part of the repository and are never trained on. Give their folder.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from glisson.frames import BoxPx, PixelSize
from glisson.model import find_model, open_runtime
from glisson.segmentation import SegmentSettings, segment_slide
from glisson.slides import InMemorySlide
from glisson.tissue import find_tissue

IGNORED = 255


def main() -> None:
    """Print IoU and Dice of each class for each panel."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--model", default=None)
    chosen = options.parse_args()
    facts = json.loads((chosen.folder / "info.json").read_text("utf-8"))
    bundle = find_model(chosen.model)
    runtime = open_runtime(bundle)
    wanted = SegmentSettings(mpp=bundle.spec.mpp, window_px=bundle.spec.window_px, overlap=0.5)
    for name, fact in facts.items():
        if isinstance(fact, dict) and "um_per_px" in fact:
            mpp = fact["um_per_px"]
            rgb = np.asarray(Image.open(chosen.folder / f"{name}.png").convert("RGB"))
            truth = np.asarray(Image.open(chosen.folder / f"{name}-mask.png").convert("L"))
            found = labels_of(rgb, mpp, wanted, runtime)
            print(f"{name:18s} {scores(truth, found)}  ({fact['label']})")


def labels_of(rgb: np.ndarray, mpp: float, wanted: SegmentSettings, runtime: object) -> np.ndarray:
    """Predicted classes on the panel's own pixels."""
    slide = InMemorySlide(np.ascontiguousarray(rgb), PixelSize(mpp, mpp))
    class_map = segment_slide(slide, find_tissue(slide), runtime, wanted)  # type: ignore[arg-type]
    size = class_map.size_px
    labels = class_map.crop(BoxPx(0, 0, size.width, size.height)).labels
    rows = np.minimum((np.arange(rgb.shape[0]) + 0.5) * mpp / wanted.mpp, size.height - 1)
    columns = np.minimum((np.arange(rgb.shape[1]) + 0.5) * mpp / wanted.mpp, size.width - 1)
    return labels[rows.astype(int)][:, columns.astype(int)]


def scores(truth: np.ndarray, found: np.ndarray) -> str:
    """IoU of lobule and portal where the truth is known."""
    known = truth != IGNORED
    parts = []
    for index, name in ((1, "lobule"), (2, "portal")):
        one, other = (truth == index) & known, (found == index) & known
        union = (one | other).sum()
        parts.append(f"{name} IoU {(one & other).sum() / union if union else float('nan'):.2f}")
    return ", ".join(parts)


if __name__ == "__main__":
    main()
