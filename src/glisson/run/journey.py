"""One slide from its pixels to its result folder: the order of the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
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
from glisson.measurement import (
    MOST_CUT,
    Measurements,
    find_cut_share,
    list_doubts,
    mark_as_part,
    measure_biopsy,
    warn_of_part,
    withhold_verdicts,
)
from glisson.model import ModelBundle, Runtime
from glisson.plausibility import Plausibility, assess_plausibility, doubt_slide_size
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
    describe_model,
    hash_json,
    list_versions,
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

MOST_UNREADABLE = 0.2
"""Largest share of the tissue that may be unreadable; beyond it, counts and areas say little."""


@dataclass(frozen=True)
class _Findings:
    """What Glisson has found on a slide before it measures."""

    artefacts: Artefacts
    class_map: ClassMap
    regions: Regions
    plausibility: Plausibility


def hash_parts(
    identity: SlideIdentity, bundle: ModelBundle, settings: RunSettings
) -> dict[str, str]:
    """Hash everything that decides a slide's result, part by part."""
    parts = {
        "slide": asdict(identity),
        "model": describe_model(bundle).content(),
        "settings": settings.for_record().content(),
        "version of Glisson": {"glisson": list_versions()["glisson"]},
    }
    return {name: hash_json(part) for name, part in parts.items()}


def find_finest_mpp(bundle: ModelBundle) -> float:
    """Return the µm/px of the finest reads of a slide: those of the model or of the focus."""
    return min(bundle.spec.mpp, ArtefactSettings().focus_mpp)


@dataclass(frozen=True)
class Journey:
    """One open slide on its way to a result folder.

    Attributes:
        slide: the open slide.
        identity: of its file, which tells later whether the results still hold.
        task: name and settings of the slide, and the folder to write to.
        bundle: the model.
        runtime: the model, opened.
        observer: the progress callbacks.
    """

    slide: Slide
    identity: SlideIdentity
    task: SlideTask
    bundle: ModelBundle
    runtime: Runtime
    observer: RunObserver
    _clock: StageClock = field(default_factory=StageClock, init=False)

    def run(self, because: str | None, check_unchanged: Callable[[], None]) -> BiopsyRecord:
        """Segment the slide and write its result folder; return the content of `biopsy.json`.

        Args:
            because: why earlier results are replaced, or None.
            check_unchanged: raises if the slide's files changed since the slide was opened.

        Raises:
            SlideError: as `check_unchanged`.
            DamagedSlide: too much of the tissue cannot be read.
            OutputError: the results cannot be written.
        """
        parts = hash_parts(self.identity, self.bundle, self.task.settings)
        origin = Origin(hash_json(parts), parts, self.task.request, because)
        with slide_folder(self.task.out, self.task.name, origin) as folder:
            found = self._find()
            measured = self._measure_and_write(found, folder)
            check_unchanged()
            record = self._build_record(found, measured, origin.settings_hash)
            record.write(folder)
        return record

    def _find(self) -> _Findings:
        slide, settings, spec = self.slide, self.task.settings, self.bundle.spec
        with self._stage("tissue"):
            tissue = find_tissue(slide, TissueSettings(threads=settings.threads))
        with self._stage("segment"):
            class_map, artefacts = segment_beside_artefacts(
                slide,
                tissue,
                self.runtime,
                SegmentSettings.of_model(spec, settings.overlap),
                partial(self.observer.stage_progressed, self.task.name),
            )
        _check_readable(slide, artefacts.tissue, class_map)
        with self._stage("plausibility"):
            plausibility = assess_plausibility(slide, artefacts.tissue)
        with self._stage("outline"):
            limits = RegionSettings.of_model(spec, settings.min_tract_area_um2)
            regions = find_regions(class_map, limits)
            class_map.relabel_portal(regions.candidates_px)
        return _Findings(artefacts, class_map, regions, plausibility)

    def _measure_and_write(self, found: _Findings, folder: Path) -> Measurements:
        """Measure, and write all files but the record, two things at a time."""
        settings, info = self.task.settings, self.slide.info
        with ThreadPoolExecutor(2, thread_name_prefix="end") as pool:
            measuring = pool.submit(
                measure_biopsy,
                found.regions,
                info.pixel_size,
                found.class_map.unreadable_um2,
                settings.interface_width_um,
                settings.sections,
            )
            writing = self._start_pictures(found, folder, pool)
            with self._stage("measure"):
                measured = measuring.result()
                measured = self._limit_verdicts(measured, found)
            with self._stage("write"):
                model = f"{self.bundle.spec.name} {self.bundle.spec.version}"
                write_tracts_geojson(folder / TRACTS, found.regions, measured, info, model=model)
                for each in writing:
                    each.result()
        return measured

    def _limit_verdicts(self, measured: Measurements, found: _Findings) -> Measurements:
        """Withhold verdicts on what may not be liver; say in them that a crop is a part."""
        if found.plausibility.is_withheld:
            return withhold_verdicts(measured, f"Withheld: {found.plausibility.verdict}.")
        if find_cut_share(found.regions, self.slide.info) > MOST_CUT:
            return mark_as_part(measured)
        return measured

    def _start_pictures(
        self, found: _Findings, folder: Path, pool: ThreadPoolExecutor
    ) -> list[Future[None]]:
        """Start to write the files that need no measurements; most of the work is compression."""
        (folder / THUMBNAILS).mkdir()
        slide, regions, artefacts = self.slide, found.regions, found.artefacts
        return [
            pool.submit(
                write_overview, folder / OVERVIEW, slide, regions, artefacts.items, artefacts.tissue
            ),
            pool.submit(write_class_map, folder / CLASS_MAP, found.class_map),
            pool.submit(
                write_thumbnails, folder / THUMBNAILS, slide, regions.tracts, regions.candidates
            ),
            pool.submit(
                write_artefacts_geojson, folder / ARTEFACTS_FILE, artefacts.items, slide.info
            ),
        ]

    def _build_record(
        self, found: _Findings, measured: Measurements, settings_hash: str
    ) -> BiopsyRecord:
        artefacts, regions = found.artefacts, found.regions
        on_tracts = artefacts_on(regions.tracts, artefacts)
        on_candidates = artefacts_on(regions.candidates, artefacts)
        model = describe_model(self.bundle)
        return BiopsyRecord(
            glisson=RESEARCH_USE,
            source="model",
            slide=_describe_slide(self.slide, self.identity),
            model=model.model_copy(update={"runtime": self.runtime.name}),
            settings=self.task.settings.for_record(),
            settings_hash=settings_hash,
            warnings=(*_warn(self.slide, found), *list_doubts(measured, regions)),
            biopsy=measured.biopsy,
            fragments=measured.fragments,
            tracts=tuple(TractRecord.of(tract, on_tracts) for tract in measured.tracts),
            artefacts=artefact_record(artefacts),
            candidates=candidate_record(measured.candidates, self.bundle, on_candidates),
            adequacy=measured.adequacy,
            plausibility=PlausibilityRecord.of(found.plausibility),
            windows=found.class_map.windows,
            seconds_per_stage=self._clock.seconds(),
            cpu_seconds_per_stage=self._clock.cpu_seconds(),
            peak_memory_mb=peak_memory_mb(),
            versions=list_versions(),
        )

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.observer.stage_started(self.task.name, name)
        with self._clock.stage(name):
            yield


def _check_readable(slide: Slide, tissue: TissueMap, class_map: ClassMap) -> None:
    """Reject a slide of whose tissue too much cannot be read.

    The finder sees no tissue where it cannot read, so any part of that area may be tissue.
    """
    unreadable = np.count_nonzero(tissue.mask_of(Cause.UNREADABLE))
    scanned = tissue.mask.size - np.count_nonzero(tissue.mask_of(Cause.PADDING))
    if unreadable > MOST_UNREADABLE * scanned:
        raise DamagedSlide(
            f"{slide.info.name}: {unreadable / scanned:.0%} of it cannot be read, and at most "
            f"{MOST_UNREADABLE:.0%} may be missing. Copy the slide again from its source."
        )
    lost = class_map.unreadable_um2 / tissue.area_um2 if tissue.area_um2 else 0.0
    if lost > MOST_UNREADABLE:
        raise DamagedSlide(
            f"{slide.info.name}: {lost:.0%} of its tissue cannot be read, and at most "
            f"{MOST_UNREADABLE:.0%} may be missing. Copy the slide again from its source."
        )


def _describe_slide(slide: Slide, identity: SlideIdentity) -> SlideRecord:
    """Describe the slide; with a pseudonym, without what finds its file in an archive."""
    info = slide.info
    file: dict[str, Any] = {"file": info.name, "pseudonyms": True}
    if info.path is not None:
        file = asdict(identity)
    if info.series is not None:
        file["series"] = info.series
    by_row = sorted(  # threads meet damage in any order
        slide.damaged_l0, key=lambda box: (box.y_l0, box.x_l0, box.height_l0, box.width_l0)
    )
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
        damaged_l0=tuple(by_row),
    )


def _warn(slide: Slide, found: _Findings) -> Iterator[str]:
    """Yield the sentences for the user of a slide's results."""
    if found.plausibility.warning:
        yield found.plausibility.warning
    yield from found.artefacts.tissue.warnings
    yield from artefact_warnings(found.regions.tracts, found.artefacts)
    if damaged := slide.damaged_l0:
        megapixels = sum(box.width_l0 * box.height_l0 for box in damaged) / 1e6
        yield (
            f"{len(damaged)} region(s) of the slide cannot be read ({megapixels:.1f} megapixels); "
            "they count in no measurement."
        )
    yield from found.plausibility.doubts
    cut_share = find_cut_share(found.regions, slide.info)
    if size := doubt_slide_size(slide.info, is_part=cut_share > MOST_CUT):
        yield size
    if part := warn_of_part(cut_share):
        yield part
    if not found.artefacts.tissue.is_empty and not found.regions.fragments:
        yield (
            "The model found no liver tissue in what looked like tissue. Check the pixel size "
            f"({slide.info.pixel_size.x_um:.4g} µm) and that the slide shows H&E of liver."
        )
