"""Does the answer depend on where the tissue lies on the slide? The same pixels, placed nine ways.

    python -m benchmarks.placements core-02.jpg core-03.jpg --mpp 0.5 [--model NAME]
    python -m benchmarks.placements --phantom 1 --phantom 2

Each picture is segmented as `glisson segment` does, as it is, with glass added at the left and at
the top, turned by quarters and mirrored. Nothing is written but the table: portal percent with its
uncertainty, tracts, candidates, and the spread over the placements. `--min-sure-area`,
`--sure-probability`, `--min-probability` and `--spread` try other limits than the model's. A
bundle's `probability_spread` is right when about nine placements of ten are `covered`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glisson.frames import PixelSize, RegionUm
from glisson.measurement import BiopsyMeasurements, measure_biopsy
from glisson.model import ModelBundle, Runtime, find_model, open_runtime
from glisson.regions import Regions, RegionSettings, find_regions
from glisson.segmentation import SegmentSettings, segment_beside_artefacts
from glisson.slides import InMemorySlide
from glisson.tissue import TissueSettings, find_tissue
from glisson_phantom import PhantomSettings, phantom_in_memory, plan_biopsy

Pixels = NDArray[np.uint8]

GLASS_PX = ((0, 1), (1, 0), (333, 77), (1200, 800))
"""Glass added at the left and at the top."""
_PHANTOM_MPP = 0.5


@dataclass(frozen=True)
class Placed:
    """What was found on one placement.

    Attributes:
        placement: how the pixels lie.
        windows: how many were predicted.
        portal_percent: of the tissue.
        uncertainty: of it, in percentage points.
        complete: tracts free of the tissue's edge.
        partial: the other tracts.
        candidates: portal areas that do not count.
    """

    placement: str
    windows: int
    portal_percent: float
    uncertainty: float
    complete: int
    partial: int
    candidates: int


@dataclass(frozen=True)
class Spread:
    """How far the placements of one slide lie apart.

    Attributes:
        slide: its name.
        portal_percent: mean over the placements.
        largest_difference_percent: of a placement's portal percent from the mean, as a percentage
            of the mean.
        fewest_tracts: on any placement.
        most_tracts: on any placement.
        uncertainty: mean over the placements, in percentage points.
        covered: placements whose portal percent differs from the mean by at most its uncertainty.
        placements: how many there are.
    """

    slide: str
    portal_percent: float
    largest_difference_percent: float
    fewest_tracts: int
    most_tracts: int
    uncertainty: float
    covered: int
    placements: int


def main() -> None:
    """Print a table for each slide, and write it as JSON if asked to."""
    chosen = _options()
    bundle = find_model(chosen.model)
    runtime = open_runtime(bundle, threads=chosen.threads)
    limits = _limits(bundle, chosen)
    rows = []
    for name, rgb, mpp in _slides(chosen):
        found = [
            placed_result(placement, pixels, mpp, bundle, runtime, limits, chosen.threads)
            for placement, pixels in placements(rgb)
        ]
        for each in found:
            print(json.dumps(asdict(each)), flush=True)
        rows.append({**asdict(spread_of(name, found)), "limits": asdict(limits)})
        print(json.dumps(rows[-1]), flush=True)
    if chosen.out:
        chosen.out.write_text(json.dumps(rows, indent=1) + "\n")


def placements(rgb: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Yield a slide's pixels in nine placements: name and pixels."""
    yield "as it is", rgb
    glass = glass_of(rgb)
    for left, top in GLASS_PX:
        height, width = rgb.shape[:2]
        wider = np.empty((height + top, width + left, 3), np.uint8)
        wider[:] = glass
        wider[top:, left:] = rgb
        yield f"glass {left}, {top} px", wider
    for quarters in (1, 2, 3):
        yield f"turned by {90 * quarters}°", np.ascontiguousarray(np.rot90(rgb, quarters))
    yield "mirrored", np.ascontiguousarray(rgb[:, ::-1])


def glass_of(rgb: Pixels) -> Pixels:
    """Take the commonest bright colour of a slide's border, or white where there is none."""
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    bright = border[border.min(axis=1) > 225]
    return np.median(bright, axis=0).astype(np.uint8) if len(bright) else np.full(3, 255, np.uint8)


def placed_result(
    placement: str,
    rgb: Pixels,
    mpp: float,
    bundle: ModelBundle,
    runtime: Runtime,
    limits: RegionSettings,
    threads: int | None = None,
) -> Placed:
    """Segment and measure one placement as `glisson segment` does."""
    pixel = PixelSize(mpp, mpp)
    slide = InMemorySlide(rgb, pixel)
    tissue = find_tissue(slide, TissueSettings(threads=threads))
    settings = SegmentSettings.of_model(bundle.spec)
    class_map, _ = segment_beside_artefacts(slide, tissue, runtime, settings)
    regions = find_regions(class_map, limits)
    return _row(placement, class_map.windows, regions, measure_biopsy(regions, pixel).biopsy)


def spread_of(slide: str, found: list[Placed]) -> Spread:
    """Compare the placements of one slide."""
    percents = np.array([each.portal_percent for each in found])
    uncertainty = np.array([each.uncertainty for each in found])
    difference = np.abs(percents - percents.mean())
    tracts = [each.complete + each.partial for each in found]
    return Spread(
        slide,
        round(float(percents.mean()), 3),
        round(100 * float(difference.max() / max(percents.mean(), 1e-9)), 1),
        min(tracts),
        max(tracts),
        round(float(uncertainty.mean()), 3),
        int(np.count_nonzero(difference <= uncertainty)),
        len(found),
    )


def _row(placement: str, windows: int, regions: Regions, biopsy: BiopsyMeasurements) -> Placed:
    """Count tracts even where bridges forbid it: the question is whether they come and go."""
    complete = sum(tract.complete for tract in regions.tracts)
    return Placed(
        placement,
        windows,
        round(biopsy.portal_percent or 0.0, 3),
        round(biopsy.portal_percent_uncertainty or 0.0, 3),
        complete,
        len(regions.tracts) - complete,
        len(regions.candidates),
    )


def _options() -> argparse.Namespace:
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


def _limits(bundle: ModelBundle, chosen: argparse.Namespace) -> RegionSettings:
    """Take the model's limits, and what was given instead."""
    given = {
        "min_tract_probability": chosen.min_probability,
        "sure_probability": chosen.sure_probability,
        "min_sure_area_um2": chosen.min_sure_area,
        "probability_spread": chosen.spread,
    }
    instead = {name: value for name, value in given.items() if value is not None}
    return replace(RegionSettings.of_model(bundle.spec), **instead)


def _slides(chosen: argparse.Namespace) -> Iterator[tuple[str, Pixels, float]]:
    """Yield name, pixels and µm/px of each picture and each phantom (SYNTHETIC)."""
    for path in chosen.pictures:
        yield path.name, np.asarray(Image.open(path).convert("RGB")), chosen.mpp
    for seed in chosen.phantom:
        settings = PhantomSettings(
            seed=seed, length_mm=6, stage=min(seed, 2), artefacts=0, mpp=_PHANTOM_MPP
        )
        slide, _ = phantom_in_memory(plan_biopsy(settings))
        size = slide.info.size_l0
        whole = RegionUm(0, 0, size.width * _PHANTOM_MPP, size.height * _PHANTOM_MPP)
        yield f"phantom {seed}", slide.read(whole, _PHANTOM_MPP).rgb, _PHANTOM_MPP


if __name__ == "__main__":
    main()
