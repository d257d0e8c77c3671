"""A phantom slide with its truth, which the rules of results measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from glisson.exchange import (
    NewAnnotation,
    write_annotations_geojson,
    write_class_map,
    write_tracts_geojson,
)
from glisson.files.json_files import read_json, write_json
from glisson.measurement import Measurements, measure_biopsy
from glisson.regions import (
    LEAST_TRIAD_KINDS,
    TRIAD,
    Regions,
    RegionSettings,
    count_triad_kinds,
    find_regions,
)
from glisson.results.folder import prepare_output
from glisson.slides import SlideInfo, open_slide
from glisson_phantom import (
    FIRST_READER,
    SECOND_READER,
    PhantomBiopsy,
    PhantomSettings,
    PhantomTruth,
    plan_biopsy,
    write_phantom,
)
from glisson_phantom.output.drawings import draw_as_reader, outline_features, outline_profiles
from glisson_phantom.writing import PyramidStyle

TRUTH = "phantom truth"
PORTAL_TRACT_COUNT = "portal_tract_count"
"""Key in `.truth.json`: number of portal tracts by their contents, over all sections."""


@dataclass(frozen=True)
class MadePhantom:
    """A phantom slide on disk.

    Attributes:
        path: the slide.
        truth_path: its true outlines as GeoJSON.
        regions: true fragments and portal areas; tracts by their contents count, as for readers.
        triad_kinds: kinds of bile duct, artery and portal vein, 0 to 3, seen in each portal area.
        measurements: their measurements.
        stage: fibrosis stage 0 to 4.
        diagnosis: key of `DIAGNOSES`.
        centreline_length_mm: summed length of the cores, all ribbons.
    """

    path: Path
    truth_path: Path
    regions: Regions
    triad_kinds: tuple[int, ...]
    measurements: Measurements
    stage: int
    diagnosis: str
    centreline_length_mm: float


def make_phantom(
    path: Path,
    settings: PhantomSettings,
    style: PyramidStyle = "aperio",
    workers: int = 1,
    readers: int = 1,
) -> MadePhantom:
    """Draw a phantom slide and write its truth beside the slide.

    Beside `<slide>` lie `.truth.geojson` (tissue and tracts, as Glisson writes results),
    `.truth.ome.tif` (class map), `.features.geojson` (interface, ducts, vessels, lesions,
    artefacts), `.reader-1.geojson` and, with `readers` 2, `.reader-2.geojson` (as annotators draw)
    and `.truth.json` (figures), written last.

    Raises:
        OutputError: the files cannot be written.
    """
    prepare_output(path.parent)
    biopsy = plan_biopsy(settings)
    truth = write_phantom(path, biopsy, style, workers)
    regions = find_regions(truth, RegionSettings())
    profiles = outline_profiles(biopsy, regions)
    triad_kinds = _count_triads(regions, profiles)
    regions = _count_by_contents(regions, triad_kinds)
    measurements = measure_biopsy(regions, biopsy.pixel_size)
    made = MadePhantom(
        path,
        _sibling_path(path, ".truth.geojson"),
        regions,
        triad_kinds,
        measurements,
        biopsy.disease.stage,
        biopsy.disease.diagnosis,
        biopsy.centreline_length_mm,
    )
    with open_slide(path) as slide:
        info = slide.info
    write_tracts_geojson(made.truth_path, regions, measurements, info, TRUTH)
    features = outline_features(truth, regions, info.pixel_size) + profiles
    write_annotations_geojson(_sibling_path(path, ".features.geojson"), features, info, TRUTH)
    _write_readers(made, info, settings.seed, readers)
    write_class_map(_sibling_path(path, ".truth.ome.tif"), truth)
    write_json(_sibling_path(path, ".truth.json"), _describe(made, biopsy, truth))
    return made


def _count_triads(regions: Regions, profiles: list[NewAnnotation]) -> tuple[int, ...]:
    """Count the kinds of the triad in each outline as it is written."""
    by_name = {
        name: [profile.outline_l0 for profile in profiles if profile.class_name == name]
        for name in TRIAD
    }
    areas = [tract.outline_l0 for tract in regions.tracts]
    return tuple(count_triad_kinds(areas, by_name).tolist())


def _count_by_contents(regions: Regions, triad_kinds: Sequence[int]) -> Regions:
    """Count portal areas that hold two of the triad, whatever their width."""
    tracts = tuple(
        replace(tract, is_counted=kinds >= LEAST_TRIAD_KINDS)
        for tract, kinds in zip(regions.tracts, triad_kinds, strict=True)
    )
    return replace(regions, tracts=tracts)


def read_facts(path: Path, settings: PhantomSettings) -> dict[str, Any] | None:
    """Read the figures of an earlier phantom; None if it is missing, old or of other settings.

    Figures without a number of tracts by their contents are too old.
    """
    facts_path = _sibling_path(path, ".truth.json")
    if not (path.exists() and facts_path.exists()):
        return None
    facts = read_json(facts_path)
    is_same = facts.get("settings") == asdict(settings) and PORTAL_TRACT_COUNT in facts
    return facts if is_same else None


def _sibling_path(path: Path, suffix: str) -> Path:
    """Return the slide's path with another ending; `.ome.tif` counts as one ending."""
    return path.with_name(path.with_suffix("").name.removesuffix(".ome") + suffix)


def _write_readers(made: MadePhantom, info: SlideInfo, seed: int, readers: int) -> None:
    """Write the outlines as each reader draws them."""
    for number, reader in enumerate((FIRST_READER, SECOND_READER)[:readers], 1):
        outlines = draw_as_reader(reader, made.regions, info.pixel_size, seed + number)
        path = _sibling_path(made.path, f".reader-{number}.geojson")
        write_annotations_geojson(path, outlines, info, f"synthetic reader {number}")


def _describe(made: MadePhantom, biopsy: PhantomBiopsy, truth: PhantomTruth) -> dict[str, Any]:
    measured = asdict(made.measurements)
    return {
        "synthetic": True,
        "settings": asdict(biopsy.settings),
        "disease": asdict(biopsy.disease),
        "stage": made.stage,
        "diagnosis": made.diagnosis,
        "centreline_length_mm": made.centreline_length_mm,
        "feature_area_mm2": truth.area_mm2_by_feature(),
        "biopsy": measured["biopsy"],
        PORTAL_TRACT_COUNT: sum(tract.is_counted for tract in made.regions.tracts),
        "tracts": [
            {**tract, "triad_kinds": kinds}
            for tract, kinds in zip(measured["tracts"], made.triad_kinds, strict=True)
        ],
    }
