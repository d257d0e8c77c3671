"""Score the shipped model on real liver panels with masks. For evaluation only.

The panels are not part of the repository, and no model is trained on them. Give their folder.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from pictures import sample_labels
from PIL import Image

from glisson.frames import PixelSize
from glisson.model import Runtime, find_model, open_runtime
from glisson.segmentation import SegmentSettings, segment_slide
from glisson.slides import InMemorySlide
from glisson.tissue import find_tissue

IGNORED = 255
_DYES = np.array([[0.52, 0.74, 0.43], [0.20, 0.83, 0.48], [0.27, 0.57, 0.78]])


def change_stain(rgb: np.ndarray, haematoxylin: float, eosin: float) -> np.ndarray:
    """Change the amounts of both dyes of a panel."""
    dyes = _DYES / np.linalg.norm(_DYES, axis=1, keepdims=True)
    amounts = -np.log10(np.maximum(rgb, 1) / 255) @ np.linalg.inv(dyes)
    light = 255 * 10 ** -((amounts * [haematoxylin, eosin, 1.0]) @ dyes)
    return np.clip(light, 0, 255).astype(np.uint8)


def compress(rgb: np.ndarray) -> np.ndarray:
    """Compress a panel as JPEG of quality 50."""
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, "JPEG", quality=50)
    return np.asarray(Image.open(data))


Change = tuple[str, Callable[[np.ndarray], np.ndarray], float]
CHANGES: tuple[Change, ...] = (
    ("as it is", lambda rgb: rgb, 1.0),
    ("haematoxylin x 1.25", lambda rgb: change_stain(rgb, 1.25, 1.0), 1.0),
    ("haematoxylin x 0.8", lambda rgb: change_stain(rgb, 0.8, 1.0), 1.0),
    ("eosin x 1.25", lambda rgb: change_stain(rgb, 1.0, 1.25), 1.0),
    ("eosin x 0.8", lambda rgb: change_stain(rgb, 1.0, 0.8), 1.0),
    ("µm/px x 1.2", lambda rgb: rgb, 1.2),
    ("µm/px x 0.8", lambda rgb: rgb, 0.8),
    ("blurred, 1 px", lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 1.0), 1.0),
    ("JPEG 50", compress, 1.0),
)
"""Changes that should keep a model's answer: name, function of the pixels, factor on µm/px."""


def main() -> None:
    """Print IoU of lobule and portal for each panel, and with --changes for each change of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--model", default=None)
    options.add_argument("--changes", action="store_true", help="stain, scale, blur and JPEG too")
    chosen = options.parse_args()
    facts = json.loads((chosen.folder / "info.json").read_text("utf-8"))
    bundle = find_model(chosen.model)
    runtime = open_runtime(bundle)
    settings = SegmentSettings.of_model(bundle.spec)  # as `glisson segment` does
    for name, fact in facts.items():
        if isinstance(fact, dict) and "um_per_px" in fact:
            mpp = fact["um_per_px"]
            rgb = np.asarray(Image.open(chosen.folder / f"{name}.png").convert("RGB"))
            truth = np.asarray(Image.open(chosen.folder / f"{name}-mask.png").convert("L"))
            print(f"{name} ({fact['label']})")
            for change, apply, factor in CHANGES if chosen.changes else CHANGES[:1]:
                found = predict_labels(apply(rgb), mpp * factor, settings, runtime)
                print(f"  {change:20s} {format_iou(truth, found)}")


def predict_labels(
    rgb: np.ndarray, mpp: float, settings: SegmentSettings, runtime: Runtime
) -> np.ndarray:
    """Predict the classes of a panel on its own pixels."""
    slide = InMemorySlide(np.ascontiguousarray(rgb), PixelSize(mpp, mpp))
    class_map = segment_slide(slide, find_tissue(slide), runtime, settings)
    return sample_labels(class_map, rgb, mpp / settings.mpp)


def format_iou(truth: np.ndarray, found: np.ndarray) -> str:
    """Format the IoU of lobule and portal where the truth is known."""
    known = truth != IGNORED
    parts = []
    for index, name in ((1, "lobule"), (2, "portal")):
        true, predicted = (truth == index) & known, (found == index) & known
        union = (true | predicted).sum()
        parts.append(
            f"{name} IoU {(true & predicted).sum() / union if union else float('nan'):.2f}"
        )
    return ", ".join(parts)


if __name__ == "__main__":
    main()
