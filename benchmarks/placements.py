"""Dependence of the answer on the tissue's place: the same pixels in nine placements.

    python -m benchmarks.placements core-02.jpg core-03.jpg --mpp 0.5 [--model NAME]
    python -m benchmarks.placements --phantom 1 --phantom 2

Each picture is segmented as by `glisson segment`: unchanged, with glass at the left and at the top,
turned by quarters, and mirrored. The table shows portal percent with its uncertainty, tracts,
candidates, areas, length and widths, and the spread of each over the placements.
`--min-sure-area`, `--sure-probability`,
`--min-probability` and `--spread` replace the model's limits. A bundle's `probability_spread` is
right if about nine placements of ten are `covered`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glisson.frames import PixelSize, RegionUm
from glisson.measurement import BiopsyMeasurements, measure_biopsy
from glisson.model import ModelBundle, Runtime, find_model, open_runtime
from glisson.regions import Regions, RegionSettings, find_regions
from glisson.segmentation import ClassMap, SegmentSettings, segment_beside_artefacts
from glisson.slides import InMemorySlide
from glisson.tissue import TissueSettings, find_tissue
from glisson_phantom import PhantomSettings, plan_biopsy, render_phantom

Pixels = NDArray[np.uint8]

GLASS_PX = ((0, 1), (1, 0), (333, 77), (1200, 800))
"""Glass added at the left and at the top."""
_PHANTOM_MPP = 0.5
_SIZES = (
    "tissue_area_mm2",
    "length_mm",
    "mean_width_um",
    "minimum_width_um",
    "portal_area_mm2",
    "interface_area_mm2",
)


@dataclass(frozen=True)
class Placement:
    """Results on one placement.

    Attributes:
        placement: position of the pixels.
        windows: number of predicted windows.
        portal_percent: portal share of the tissue.
        uncertainty: uncertainty of the portal percent, in percentage points.
        complete: number of tracts that do not touch the tissue's edge.
        partial: number of other tracts.
        candidates: number of portal areas below the limits.
        sizes: tissue, portal and interface area, length, mean and least width, by their keys.
    """

    placement: str
    windows: int
    portal_percent: float
    uncertainty: float
    complete: int
    partial: int
    candidates: int
    sizes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Spread:
    """Differences between the placements of one slide.

    Attributes:
        slide: name of the slide.
        portal_percent: mean over the placements.
        largest_difference_percent: largest difference of a placement's portal percent from the
            mean, as a percentage of the mean.
        fewest_tracts: smallest number of tracts.
        most_tracts: largest number of tracts.
        uncertainty: mean over the placements, in percentage points.
        covered: number of placements whose uncertainty covers the mean.
        placements: number of placements.
        sizes_percent: half of the range of each size, as a percentage of its mean.
    """

    slide: str
    portal_percent: float
    largest_difference_percent: float
    fewest_tracts: int
    most_tracts: int
    uncertainty: float
    covered: int
    placements: int
    sizes_percent: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """Print a table for each slide, and write the tables as JSON with `--out`."""
    chosen = _parse_options()
    bundle = find_model(chosen.model)
    runtime = open_runtime(bundle, threads=chosen.threads)
    limits = _choose_limits(bundle, chosen)
    method = Method(bundle, runtime, limits, chosen.threads)
    rows = []
    for name, rgb, mpp in _read_slides(chosen):
        found = [
            method.measure(placement, method.segment(pixels, mpp))
            for placement, pixels in place_pixels(rgb)
        ]
        for placement in found:
            print(json.dumps(asdict(placement)), flush=True)
        rows.append({**asdict(compare_placements(name, found)), "limits": asdict(limits)})
        print(json.dumps(rows[-1]), flush=True)
    if chosen.out:
        chosen.out.write_text(json.dumps(rows, indent=1) + "\n")


def place_pixels(rgb: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Yield a slide's pixels in nine placements: name and pixels."""
    yield "as it is", rgb
    glass = estimate_glass(rgb)
    for left, top in GLASS_PX:
        height, width = rgb.shape[:2]
        wider = np.empty((height + top, width + left, 3), np.uint8)
        wider[:] = glass
        wider[top:, left:] = rgb
        yield f"glass {left}, {top} px", wider
    for quarters in (1, 2, 3):
        yield f"turned by {90 * quarters}°", np.ascontiguousarray(np.rot90(rgb, quarters))
    yield "mirrored", np.ascontiguousarray(rgb[:, ::-1])


def estimate_glass(rgb: Pixels) -> Pixels:
    """Return the median bright colour of a slide's border, or white without bright pixels."""
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    bright = border[border.min(axis=1) > 225]
    return np.median(bright, axis=0).astype(np.uint8) if len(bright) else np.full(3, 255, np.uint8)


@dataclass(frozen=True)
class Method:
    """The steps of `glisson segment` with one model and its limits.

    Attributes:
        bundle: the model.
        runtime: the opened model.
        limits: limits of tracts.
        threads: threads that find tissue; None for all.
    """

    bundle: ModelBundle
    runtime: Runtime
    limits: RegionSettings
    threads: int | None = None

    def segment(self, rgb: Pixels, mpp: float) -> ClassMap:
        """Segment one placement."""
        slide = InMemorySlide(rgb, PixelSize(mpp, mpp))
        tissue = find_tissue(slide, TissueSettings(threads=self.threads))
        settings = SegmentSettings.of_model(self.bundle.spec)
        class_map, _ = segment_beside_artefacts(slide, tissue, self.runtime, settings)
        return class_map

    def measure(self, placement: str, class_map: ClassMap) -> Placement:
        """Measure one placement."""
        regions = find_regions(class_map, self.limits)
        biopsy = measure_biopsy(regions, class_map.frame.pixel_size).biopsy
        return _count(placement, class_map.windows, regions, biopsy)


def compare_placements(slide: str, found: list[Placement]) -> Spread:
    """Compare the placements of one slide."""
    percents = np.array([placement.portal_percent for placement in found])
    uncertainty = np.array([placement.uncertainty for placement in found])
    difference = np.abs(percents - percents.mean())
    tracts = [placement.complete + placement.partial for placement in found]
    return Spread(
        slide,
        round(float(percents.mean()), 3),
        round(100 * float(difference.max() / max(percents.mean(), 1e-9)), 1),
        min(tracts),
        max(tracts),
        round(float(uncertainty.mean()), 3),
        int(np.count_nonzero(difference <= uncertainty)),
        len(found),
        {key: _half_range([each.sizes[key] for each in found]) for key in found[0].sizes},
    )


def _half_range(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return round(50 * (max(values) - min(values)) / max(mean, 1e-9), 2)


def _count(placement: str, windows: int, regions: Regions, biopsy: BiopsyMeasurements) -> Placement:
    """Count tracts even between bridges, where Glisson gives no count."""
    complete = sum(tract.complete for tract in regions.tracts)
    return Placement(
        placement,
        windows,
        round(biopsy.portal_percent or 0.0, 3),
        round(biopsy.portal_percent_uncertainty or 0.0, 3),
        complete,
        len(regions.tracts) - complete,
        len(regions.candidates),
        {key: getattr(biopsy, key) or 0.0 for key in _SIZES},
    )


def _parse_options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("pictures", type=Path, nargs="*")
    options.add_argument("--mpp", type=float, default=0.5, help="µm per pixel of the pictures")
    options.add_argument("--phantom", type=int, action="append", default=[], help="seed; 6 mm")
    options.add_argument("--model")
    options.add_argument("--threads", type=int)
    options.add_argument("--min-probability", type=float)
    options.add_argument("--sure-probability", type=float)
    options.add_argument("--min-sure-area", type=float, help="µm²")
    options.add_argument("--spread", type=float, help="of probabilities, for the uncertainty")
    options.add_argument("--out", type=Path)
    return options.parse_args()


def _choose_limits(bundle: ModelBundle, chosen: argparse.Namespace) -> RegionSettings:
    """Return the model's limits with those of the command line."""
    given = {
        "min_tract_probability": chosen.min_probability,
        "sure_probability": chosen.sure_probability,
        "min_sure_area_um2": chosen.min_sure_area,
        "probability_spread": chosen.spread,
    }
    instead = {name: value for name, value in given.items() if value is not None}
    return replace(RegionSettings.of_model(bundle.spec), **instead)


def _read_slides(chosen: argparse.Namespace) -> Iterator[tuple[str, Pixels, float]]:
    """Yield name, pixels and µm/px of each picture and each phantom (SYNTHETIC)."""
    for path in chosen.pictures:
        yield path.name, np.asarray(Image.open(path).convert("RGB")), chosen.mpp
    for seed in chosen.phantom:
        settings = PhantomSettings(
            seed=seed, length_mm=6, stage=min(seed, 2), artefacts=0, mpp=_PHANTOM_MPP
        )
        slide, _ = render_phantom(plan_biopsy(settings))
        size = slide.info.size_l0
        whole = RegionUm(0, 0, size.width * _PHANTOM_MPP, size.height * _PHANTOM_MPP)
        yield f"phantom {seed}", slide.read(whole, _PHANTOM_MPP).rgb, _PHANTOM_MPP


if __name__ == "__main__":
    main()
