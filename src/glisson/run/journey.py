"""One slide from end to end: the only place that knows the order."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glisson.artefacts import Artefacts, ArtefactSettings
from glisson.errors import DamagedSlide
from glisson.exchange import (
    ARTEFACTS_FILE,
    write_artefacts_geojson,
    write_class_map,
    write_overview,
    write_thumbnails,
    write_tracts_geojson,
)
from glisson.frames import BoxL0
from glisson.measurement import Measurements, measure_biopsy, withhold_verdicts
from glisson.model import ModelBundle, Runtime
from glisson.plausibility import Plausibility, assess_plausibility
from glisson.record import BiopsyRecord, PlausibilityRecord, SlideRecord, TractRecord
from glisson.regions import Regions, RegionSettings, find_regions
from glisson.results.artefacts import artefact_record, artefact_warnings, artefacts_on
from glisson.results.candidates import candidate_record
from glisson.results.folder import (
    CLASS_MAP,
    OVERVIEW,
    THUMBNAILS,
    TRACTS,
    Origin,
    slide_folder,
)
from glisson.results.identity import (
    SlideIdentity,
    hash_of,
    model_identity,
    software_versions,
)
from glisson.results.record import RESEARCH_USE
from glisson.run.clock import StageClock, peak_memory_mb
from glisson.run.observer import RunObserver
from glisson.run.settings import RunSettings
from glisson.segmentation import ClassMap, SegmentSettings, segment_beside_artefacts
from glisson.slides import Slide
from glisson.tissue import Cause, TissueMap, TissueSettings, find_tissue

if TYPE_CHECKING:
    from glisson.run.task import SlideTask

logger = logging.getLogger(__name__)

MOST_UNREADABLE = 0.2
"""Share of the tissue that may be unreadable: beyond it, counts and areas say little."""


@dataclass(frozen=True)
class _Found:
    """What the journey has found on a slide."""

    tissue: TissueMap
    artefacts: Artefacts
    class_map: ClassMap
    regions: Regions
    plausibility: Plausibility


def result_parts(
    identity: SlideIdentity, bundle: ModelBundle, settings: RunSettings
) -> dict[str, str]:
    """Hashes of all that decides a slide's result, part by part."""
    parts = {
        "slide": asdict(identity),
        "model": model_identity(bundle).content(),
        "settings": settings.for_record().content(),
        "version of Glisson": {"glisson": software_versions()["glisson"]},
    }
    return {name: hash_of(part) for name, part in parts.items()}


def finest_mpp(bundle: ModelBundle) -> float:
    """µm/px of the finest reads of a whole slide: the model's, or those that measure focus."""
    return min(bundle.spec.mpp, ArtefactSettings().focus_mpp)


def segment_one(
    slide: Slide,
    task: SlideTask,
    bundle: ModelBundle,
    runtime: Runtime,
    settings: RunSettings,
    observer: RunObserver,
    identity: SlideIdentity,
    because: str | None,
) -> BiopsyRecord:
    """Segment an open slide and write its result folder; return the content of `biopsy.json`.

    `identity` is the slide's, which says with all else later whether the results still hold.

    Raises:
        DamagedSlide: too much of the tissue cannot be read.
        OutputError: the results cannot be written.
    """
    clock, name = StageClock(), task.name
    parts = result_parts(identity, bundle, settings)
    digest = hash_of(parts)
    with slide_folder(task.out, name, Origin(digest, parts, task.request, because)) as folder:
        found = _find(slide, name, bundle, runtime, settings, observer, clock)
        measured = _measure_and_write(folder, slide, name, found, bundle, settings, observer, clock)
        record = _record(slide, identity, found, measured, bundle, runtime, settings, digest, clock)
        record.write(folder)
    return record


def _find(
    slide: Slide,
    name: str,
    bundle: ModelBundle,
    runtime: Runtime,
    settings: RunSettings,
    observer: RunObserver,
    clock: StageClock,
) -> _Found:
    observer.stage_started(name, "tissue")
    with clock.stage("tissue"):
        tissue = find_tissue(slide, TissueSettings(threads=settings.threads))
    observer.stage_started(name, "segment")
    with clock.stage("segment"):
        class_map, artefacts = segment_beside_artefacts(
            slide,
            tissue,
            runtime,
            SegmentSettings.of_model(bundle.spec, settings.overlap),
            partial(observer.stage_progressed, name),
        )
        tissue = artefacts.tissue
    _check_readable(slide, tissue, class_map)
    observer.stage_started(name, "plausibility")
    with clock.stage("plausibility"):
        plausibility = assess_plausibility(slide, tissue)
    observer.stage_started(name, "outline")
    with clock.stage("outline"):
        limits = RegionSettings.of_model(bundle.spec, settings.min_tract_area_um2)
        regions = find_regions(class_map, limits)
        class_map.relabel_portal(regions.candidates_px)
    return _Found(tissue, artefacts, class_map, regions, plausibility)


def _check_readable(slide: Slide, tissue: TissueMap, class_map: ClassMap) -> None:
    """Refuse to call a slide measured when too much of its tissue was never seen.

    Where no tissue is found, all that cannot be read may be tissue.
    """
    if tissue.is_empty:
        _check_seen(slide, tissue)
    lost = class_map.unreadable_um2 / tissue.area_um2 if tissue.area_um2 else 0.0
    if lost > MOST_UNREADABLE:
        raise DamagedSlide(
            f"{slide.info.name}: {lost:.0%} of its tissue cannot be read, and at most "
            f"{MOST_UNREADABLE:.0%} may be missing. Copy the slide again from its source."
        )


def _check_seen(slide: Slide, tissue: TissueMap) -> None:
    unreadable = np.count_nonzero(tissue.mask_of(Cause.UNREADABLE))
    scanned = tissue.mask.size - np.count_nonzero(tissue.mask_of(Cause.PADDING))
    if unreadable > MOST_UNREADABLE * scanned:
        raise DamagedSlide(
            f"{slide.info.name}: {unreadable / scanned:.0%} of it cannot be read, and no tissue is "
            "in what can. Copy the slide again from its source."
        )


def _measure_and_write(
    folder: Path,
    slide: Slide,
    name: str,
    found: _Found,
    bundle: ModelBundle,
    settings: RunSettings,
    observer: RunObserver,
    clock: StageClock,
) -> Measurements:
    """Measure, and write all files but the record, two things at a time."""
    regions, info = found.regions, slide.info
    model = f"{bundle.spec.name} {bundle.spec.version}"
    with ThreadPoolExecutor(2, thread_name_prefix="end") as beside:
        measuring = beside.submit(
            measure_biopsy,
            regions,
            info.pixel_size,
            found.class_map.unreadable_um2,
            settings.interface_width_um,
            settings.sections,
        )
        written = _write_pictures(beside, folder, slide, found)
        observer.stage_started(name, "measure")
        with clock.stage("measure"):
            measured = _without_implausible(measuring.result(), found.plausibility)
        observer.stage_started(name, "write")
        with clock.stage("write"):
            write_tracts_geojson(folder / TRACTS, regions, measured, info, model=model)
            for each in written:
                each.result()
    return measured


def _without_implausible(measured: Measurements, plausibility: Plausibility) -> Measurements:
    """Withhold verdicts and words of stage where the slide is not plausibly H&E of liver."""
    if not plausibility.is_withheld:
        return measured
    return withhold_verdicts(measured, f"Withheld: {plausibility.verdict}.")


def _write_pictures(
    beside: ThreadPoolExecutor, folder: Path, slide: Slide, found: _Found
) -> list[Future[None]]:
    """Begin to write what needs no measurements; compressing is most of the work."""
    (folder / THUMBNAILS).mkdir()
    regions, artefacts = found.regions, found.artefacts.each
    return [
        beside.submit(write_overview, folder / OVERVIEW, slide, regions, artefacts, found.tissue),
        beside.submit(write_class_map, folder / CLASS_MAP, found.class_map),
        beside.submit(
            write_thumbnails, folder / THUMBNAILS, slide, regions.tracts, regions.candidates
        ),
        beside.submit(write_artefacts_geojson, folder / ARTEFACTS_FILE, artefacts, slide.info),
    ]


def _record(
    slide: Slide,
    identity: SlideIdentity,
    found: _Found,
    measured: Measurements,
    bundle: ModelBundle,
    runtime: Runtime,
    settings: RunSettings,
    digest: str,
    clock: StageClock,
) -> BiopsyRecord:
    """Build the content of `biopsy.json`."""
    artefacts, regions = found.artefacts, found.regions
    on_tracts = artefacts_on(regions.tracts, artefacts)
    on_candidates = artefacts_on(regions.candidates, artefacts)
    return BiopsyRecord(
        glisson=RESEARCH_USE,
        source="model",
        slide=_slide_record(slide, identity),
        model=model_identity(bundle).model_copy(update={"runtime": runtime.name}),
        settings=settings.for_record(),
        settings_hash=digest,
        warnings=tuple(_warnings(slide, found)),
        biopsy=measured.biopsy,
        fragments=measured.fragments,
        tracts=tuple(TractRecord.of(tract, on_tracts) for tract in measured.tracts),
        artefacts=artefact_record(artefacts),
        candidates=candidate_record(measured.candidates, bundle, on_candidates),
        adequacy=measured.adequacy,
        plausibility=PlausibilityRecord.of(found.plausibility),
        windows=found.class_map.windows,
        seconds_per_stage=clock.seconds(),
        cpu_seconds_per_stage=clock.cpu_seconds(),
        peak_memory_mb=peak_memory_mb(),
        versions=software_versions(),
    )


def _slide_record(slide: Slide, identity: SlideIdentity) -> SlideRecord:
    """Describe the slide; with a pseudonym, without what finds its file in an archive."""
    info = slide.info
    file: dict[str, Any] = {"file": info.name, "pseudonyms": True}
    if info.path is not None:
        file = asdict(identity)
    return SlideRecord(
        name=info.name,
        **file,
        format=info.format,
        width_l0=info.size_l0.width,
        height_l0=info.size_l0.height,
        pixel_width_um=info.pixel_size.x_um,
        pixel_height_um=info.pixel_size.y_um,
        pixel_size_source=info.pixel_size_source,
        bounds_l0=info.bounds_l0,
        synthetic=info.synthetic,
        damaged_l0=tuple(_in_order(slide.damaged_l0)),
    )


def _in_order(boxes_l0: tuple[BoxL0, ...]) -> list[BoxL0]:
    """From the top left: threads meet damage in any order."""
    return sorted(boxes_l0, key=lambda box: (box.y_l0, box.x_l0, box.height_l0, box.width_l0))


def _warnings(slide: Slide, found: _Found) -> list[str]:
    implausible = found.plausibility.warning
    warnings = [*([implausible] if implausible else []), *found.tissue.warnings]
    warnings += artefact_warnings(found.regions.tracts, found.artefacts)
    if slide.damaged_l0:
        warnings.append(
            f"{len(slide.damaged_l0)} region(s) of the slide cannot be read "
            f"({_area(slide.damaged_l0)}); they count in no measurement."
        )
    if not found.tissue.is_empty and not found.regions.fragments:
        warnings.append("The model found no liver tissue in what looked like tissue.")
    return warnings


def _area(boxes: tuple[BoxL0, ...]) -> str:
    return f"{sum(box.width_l0 * box.height_l0 for box in boxes) / 1e6:.1f} megapixels"
