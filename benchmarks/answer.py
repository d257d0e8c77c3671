"""Agreement of fast settings with f32 at the default overlap, on phantoms.

    python -m benchmarks.answer --slides FOLDER

FOLDER holds phantom slides (SYNTHETIC) with their truth, as `glisson phantom cohort` draws them.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from glisson.classes import PORTAL
from glisson.frames import BoxPx
from glisson.model import ModelBundle, find_model
from glisson.model.runtimes.on_openvino import OpenVinoRuntime
from glisson.regions import RegionSettings, find_regions
from glisson.scores import confusion, scores_of
from glisson.segmentation import ClassMap, SegmentSettings, segment_slide
from glisson.slides import Slide, open_slide
from glisson.tissue import TissueMap, find_tissue

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Mode:
    """A setting of the same model: precision, share of overlap, side of the windows."""

    precision: Literal["f32", "bf16"] = "f32"
    overlap: float = 0.25
    window_px: int = 256

    @property
    def name(self) -> str:
        """Return a label such as `bf16, overlap 0.125, 256 px`."""
        return f"{self.precision}, overlap {self.overlap:.3g}, {self.window_px} px"


EXACT = Mode()
MODES = (
    EXACT,
    Mode("bf16"),
    Mode("f32", 0.125),
    Mode("f32", 0.0625),
    Mode("bf16", 0.125, 320),
    Mode("bf16", 0.125, 384),
    Mode("bf16", 32 / 384, 384),
    Mode("bf16", 0.25, 384),
    Mode("f32", 0.125, 512),
)


def main() -> None:
    """Print a table and write it as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slides", type=Path, required=True)
    options.add_argument("--out", type=Path)
    options.add_argument("--model")
    chosen = options.parse_args()
    bundle = find_model(chosen.model)
    rows = compare_modes(bundle, sorted(chosen.slides.glob("*.truth.ome.tif")))
    for row in rows:
        print(json.dumps(row))
    if chosen.out:
        chosen.out.write_text(json.dumps(rows, indent=1) + "\n")


def compare_modes(bundle: ModelBundle, truths: list[Path]) -> list[dict[str, float | str]]:
    """Return a row per mode: pooled Dice against the truth, and agreement with `EXACT`."""
    pooled = {mode: np.zeros((3, 3), int) for mode in MODES}
    with_exact = {mode: np.zeros((3, 3), int) for mode in MODES}
    seconds = dict.fromkeys(MODES, 0.0)
    tracts = dict.fromkeys(MODES, 0)
    runtimes = {mode: OpenVinoRuntime(bundle, mode.precision) for mode in MODES}
    for path in truths:
        truth = tifffile.imread(path)
        with open_slide(_find_slide(path)) as slide:
            tissue = find_tissue(slide)
            exact: Labels | None = None
            for mode in MODES:
                started = time.perf_counter()
                found = _segment(slide, tissue, bundle, runtimes[mode], mode)
                seconds[mode] += time.perf_counter() - started
                labels = _read_labels(found, truth.shape)
                exact = labels if exact is None else exact
                pooled[mode] += confusion(truth, labels)
                with_exact[mode] += confusion(exact, labels)
                tracts[mode] += _count_tracts(found, bundle)
    return [
        {
            "mode": mode.name,
            "mean_dice": round(scores_of(pooled[mode]).mean_dice, 4),
            "portal_dice": round(scores_of(pooled[mode]).dice[PORTAL.index], 4),
            "portal_iou_with_exact": round(scores_of(with_exact[mode]).iou[PORTAL.index], 4),
            "same_class": round(float(np.trace(with_exact[mode]) / with_exact[mode].sum()), 5),
            "tracts": tracts[mode],
            "seconds": round(seconds[mode], 1),
        }
        for mode in MODES
    ]


def _find_slide(truth: Path) -> Path:
    stem = truth.name.removesuffix(".truth.ome.tif")
    candidates = [truth.with_name(stem + ending) for ending in (".svs", ".tif", ".tiff")]
    return next(path for path in candidates if path.exists())


def _segment(
    slide: Slide, tissue: TissueMap, bundle: ModelBundle, runtime: OpenVinoRuntime, mode: Mode
) -> ClassMap:
    settings = SegmentSettings(bundle.spec.mpp, mode.window_px, mode.overlap)
    return segment_slide(slide, tissue, runtime, settings)


def _read_labels(found: ClassMap, shape: tuple[int, ...]) -> Labels:
    return found.crop(BoxPx(0, 0, shape[1], shape[0])).labels


def _count_tracts(found: ClassMap, bundle: ModelBundle) -> int:
    return len(find_regions(found, RegionSettings.of_model(bundle.spec)).tracts)


if __name__ == "__main__":
    main()
