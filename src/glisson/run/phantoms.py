"""A phantom slide with its truth measured by the same rules as a result."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from glisson.exchange import write_tracts_geojson
from glisson.measure import Measurements, measure_biopsy
from glisson.phantom import PhantomSettings, plan_biopsy, write_phantom
from glisson.regions import Regions, RegionSettings, find_regions
from glisson.run.folder import prepare_output, write_json
from glisson.slides import PyramidStyle, open_slide


@dataclass(frozen=True)
class MadePhantom:
    """A phantom slide on disk.

    Attributes:
        path: the slide.
        truth_path: its true outlines as GeoJSON.
        regions: true fragments and tracts.
        measurements: their measurements.
        stage: fibrosis stage 0 to 4.
        centreline_length_mm: summed length of the cores.
    """

    path: Path
    truth_path: Path
    regions: Regions
    measurements: Measurements
    stage: int
    centreline_length_mm: float


def make_phantom(
    path: Path, settings: PhantomSettings, style: PyramidStyle = "aperio", workers: int = 1
) -> MadePhantom:
    """Draw a phantom slide; write its truth as `<slide>.truth.geojson` and `.truth.json`.

    Raises:
        OutputError: the files cannot be written.
    """
    prepare_output(path.parent)
    biopsy = plan_biopsy(settings)
    truth = write_phantom(path, biopsy, style, workers)
    regions = find_regions(truth, RegionSettings())
    measurements = measure_biopsy(regions, biopsy.pixel_size)
    truth_path = path.with_suffix(".truth.geojson")
    with open_slide(path) as slide:
        write_tracts_geojson(truth_path, regions, measurements, slide.info, model="phantom truth")
    made = MadePhantom(
        path,
        truth_path,
        regions,
        measurements,
        biopsy.style.disease.stage,
        biopsy.centreline_length_mm,
    )
    _write_facts(made, settings)
    return made


def _write_facts(made: MadePhantom, settings: PhantomSettings) -> None:
    measured = asdict(made.measurements)
    facts = {
        "synthetic": True,
        "settings": asdict(settings),
        "stage": made.stage,
        "centreline_length_mm": made.centreline_length_mm,
        "biopsy": measured["biopsy"],
        "tracts": measured["tracts"],
    }
    write_json(made.path.with_suffix(".truth.json"), facts)
