"""Measured again from outlines that a pathologist corrected; the slide is not needed."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from shapely import Polygon, get_parts

from glisson.classes import PORTAL, UNCOUNTED_QUPATH_NAME
from glisson.dataset import Meaning, MeaningTable
from glisson.errors import GlissonError, OutputError, SettingsError
from glisson.exchange import (
    Annotation,
    Annotations,
    check_same_image,
    read_class_map,
    read_geojson,
    write_tables,
    write_tracts_geojson,
)
from glisson.measurement import (
    INTERFACE_WIDTH_UM,
    Comparison,
    Measurements,
    compare,
    measure_biopsy,
)
from glisson.record import (
    BiopsyRecord,
    EditedRecord,
    ModelResultRecord,
    SettingsRecord,
    TractRecord,
)
from glisson.regions import (
    DrawnTract,
    Regions,
    RegionSettings,
    find_regions,
    is_wide_enough,
    regions_from_drawn,
    restore_untouched,
)
from glisson.results.candidates import candidate_record, candidate_warnings
from glisson.results.folder import (
    CLASS_MAP,
    TRACTS,
    Origin,
    prepare_output,
    slide_folder,
)
from glisson.results.identity import hash_of, software_versions
from glisson.results.reading import (
    EDITED_ENDING,
    StoredSlide,
    edited_files,
    edited_folder,
    edited_records,
    is_slide_folder,
    own_files,
    slide_of,
    stored_slides,
)
from glisson.results.record import RESEARCH_USE
from glisson.results.report import rewrite_run_report
from glisson.run.clock import StageClock
from glisson.run.settings import check_measuring

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EditedSlide:
    """What became of one file of corrected outlines.

    Attributes:
        file: the GeoJSON.
        name: the slide's name; the file's where no slide was found for it.
        folder: the folder written, or None when failed.
        record: the content of its `biopsy.json`, or None when failed.
        error: why it failed, or None.
    """

    file: Path
    name: str
    folder: Path | None
    record: BiopsyRecord | None
    error: str | None = None


@dataclass(frozen=True)
class EditedRun:
    """What became of all files.

    Attributes:
        out: the results folder.
        slides: one for each file, in the order of their names.
        report: the run's report, written anew; None where the run is not there.
    """

    out: Path
    slides: tuple[EditedSlide, ...]
    report: Path | None = None

    @property
    def failed(self) -> tuple[EditedSlide, ...]:
        """Files without a result."""
        return tuple(slide for slide in self.slides if slide.error is not None)


@dataclass(frozen=True)
class _Settings:
    """How to measure."""

    min_tract_area_um2: float
    interface_width_um: float
    sections: int | None


def measure(
    results: Path | str,
    edited: Path | str | None = None,
    interface_width_um: float | None = None,
    sections: int | None = None,
) -> EditedRun:
    """Measure slides again from outlines corrected in QuPath.

    Results go to `<slide>.edited/` beside the model's, which stay as they are, and into
    `biopsies_edited.csv`, `tracts_edited.csv` and the run's report. Tissue is what is drawn as
    `Tissue`, or that of the class map where none is. A file that cannot be used costs only itself.

    Args:
        results: a folder written by `segment`, or one slide's folder in it: of several files,
            those named as that slide are then taken.
        edited: a GeoJSON file, or a folder of them; None for `qupath/edited`, where the project's
            export script writes.
        interface_width_um: of the band round tracts; None for that of the run.
        sections: sections of the same cores on every slide; None for that of the run.

    Raises:
        SettingsError: no results, no corrected outlines, or impossible settings.
        AnnotationError: the only file cannot be used.
        OutputError: results cannot be written.
    """
    check_measuring(interface_width_um, sections)
    out, slides = stored_slides(Path(results))
    files = edited_files(out, None if edited is None else Path(edited))
    chosen = edited is not None and Path(edited).is_file()
    if is_slide_folder(Path(results)):
        files = own_files(files, slides[0])
    prepare_output(out)
    done: list[EditedSlide] = []
    for file in files:
        try:
            slide = _slide_of(file, slides, chosen, done)
            done.append(_measured(file, slide, _settings(slide, interface_width_um, sections)))
        except OutputError:
            raise  # every other slide would meet the same disk
        except GlissonError as error:
            if len(files) == 1:
                raise
            logger.warning("%s: %s", file, error)
            done.append(EditedSlide(file, file.name, None, None, str(error)))
    write_tables(out, edited_records(out), EDITED_ENDING.replace(".", "_"))
    return EditedRun(out, tuple(done), rewrite_run_report(out))


def _slide_of(
    file: Path, slides: list[StoredSlide], chosen: bool, done: list[EditedSlide]
) -> StoredSlide:
    """A file's slide, which no other file may have had."""
    slide = slide_of(file, slides, chosen)
    twin = next((each.file for each in done if each.name == slide.name and not each.error), None)
    if twin is not None:
        raise SettingsError(
            f"{file} and {twin} are both outlines of {slide.name}. Keep one of them, or give the "
            "right one with --from."
        )
    return slide


def _settings(
    slide: StoredSlide, interface_width_um: float | None, sections: int | None
) -> _Settings:
    """What was asked for, or else what the run was told."""
    of_run = slide.record.settings
    return _Settings(
        of_run.min_tract_area_um2,
        _first(interface_width_um, of_run.interface_width_um, INTERFACE_WIDTH_UM),
        sections if sections is not None else of_run.sections,
    )


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def _measured(file: Path, slide: StoredSlide, settings: _Settings) -> EditedSlide:
    clock, info, place = StageClock(), slide.info, edited_folder(slide)
    with clock.stage("read"):
        annotations = read_geojson(file, info.bounds_l0, info.size_l0)
        check_same_image(annotations, info, file)
        model = _model_regions(slide, settings)
    notes = _notes_on(annotations)
    with clock.stage("outline"):
        regions, more = _regions(annotations, model, settings)
    with clock.stage("measure"):
        measured, before = (_numbers(each, slide, settings) for each in (regions, model))
        comparison = compare(model, before, regions, measured)
    notes = [*_doubts(slide), *notes, *more, *candidate_warnings(measured.candidates)]
    record = _record(slide, file, settings, measured, comparison, notes, clock)
    with slide_folder(place.parent, place.name, Origin(record.settings_hash)) as folder:
        source = f"corrected in {file.name}"
        write_tracts_geojson(folder / TRACTS, regions, measured, info, source)
        record.write(folder)
    return EditedSlide(file, slide.name, place, record)


def _doubts(slide: StoredSlide) -> list[str]:
    """Say that adequacy rests on a person's word where the slide was not plausibly liver."""
    plausibility = slide.record.plausibility
    if plausibility is None or not plausibility.withheld:
        return []
    return [
        f"Glisson found this slide {plausibility.verdict}: adequacy and words of stage rest on "
        "the outlines drawn by hand."
    ]


def _model_regions(slide: StoredSlide, settings: _Settings) -> Regions:
    """What the model found, traced again from its class map."""
    class_map = read_class_map(slide.folder / CLASS_MAP, slide.info.pixel_size)
    return find_regions(class_map, RegionSettings(min_tract_area_um2=settings.min_tract_area_um2))


def _regions(
    annotations: Annotations, model: Regions, settings: _Settings
) -> tuple[Regions, list[str]]:
    kinds = MeaningTable()
    drawn = _drawn(annotations, Meaning.PORTAL, "tract")
    tissue = [
        polygon
        for area in annotations.areas
        if kinds.of(area.class_name) is Meaning.TISSUE
        for polygon in get_parts(area.geometry_l0)
    ]
    notes = [] if tissue else ["No tissue is drawn; that of the class map is taken."]
    tissue = tissue or [fragment.polygon_l0 for fragment in model.fragments]
    limits = RegionSettings(min_tract_area_um2=settings.min_tract_area_um2)
    regions, more = regions_from_drawn(
        model.frame,
        [polygon for polygon in tissue if isinstance(polygon, Polygon)],
        drawn,
        limits,
        _drawn(annotations, Meaning.CANDIDATE, "candidate"),
    )
    regions = restore_untouched(regions, model)
    return regions, [*notes, *more, *_notes_on_narrow(regions, limits)]


def _notes_on_narrow(regions: Regions, limits: RegionSettings) -> list[str]:
    """Say how many outlines count by their class alone; earlier versions gave it to all."""
    pixel_size = regions.frame.pixel_size
    counted = [tract for tract in regions.tracts if tract.is_counted]
    narrow = sum(not is_wide_enough(tract, pixel_size, limits) for tract in counted)
    if not narrow:
        return []
    return [
        f"{narrow} outline(s) of class '{PORTAL.qupath_name}' are narrower than what Glisson "
        "counts by itself. They count, as their class says; the class "
        f"'{UNCOUNTED_QUPATH_NAME}' takes an outline out of the count."
    ]


def _drawn(annotations: Annotations, meaning: Meaning, word: str) -> list[DrawnTract]:
    """Pick the areas of one meaning; `word` and a number stand in for a missing name."""
    kinds = MeaningTable()
    return [
        DrawnTract(
            area.name or f"{word} {number}",
            area.geometry_l0,
            area.class_name.casefold() != UNCOUNTED_QUPATH_NAME.casefold(),
        )
        for number, area in enumerate(annotations.areas, 1)
        if kinds.of(area.class_name) is meaning
    ]


def _notes_on(annotations: Annotations) -> list[str]:
    """Sentences on what the file holds besides whole outlines of tissue, tracts and candidates."""
    kinds = MeaningTable()
    used = (Meaning.PORTAL, Meaning.TISSUE, Meaning.CANDIDATE)
    notes = [f"{_called(a)} crossed itself and was repaired." for a in annotations.areas
             if a.repaired and kinds.of(a.class_name) in used]  # fmt: skip
    other = Counter(a.class_name for a in annotations.areas if kinds.of(a.class_name) not in used)
    for class_name, count in sorted(other.items()):
        what = f"of class '{class_name}'" if class_name else "without a class"
        notes.append(
            f"{count} area(s) {what} are not measured; a tract has the class "
            f"'{PORTAL.qupath_name}'."
        )
    for each in annotations.skipped:
        if kinds.of(each.class_name) in used:
            notes.append(f"{each.where} is a {each.geometry_type} and has no area; left out.")
    return notes


def _called(area: Annotation) -> str:
    return area.name or area.class_name


def _numbers(regions: Regions, slide: StoredSlide, settings: _Settings) -> Measurements:
    unreadable_um2 = slide.record.biopsy.unreadable_area_mm2 * 1e6
    return measure_biopsy(
        regions,
        slide.info.pixel_size,
        unreadable_um2,
        settings.interface_width_um,
        settings.sections,
    )


def _record(
    slide: StoredSlide,
    file: Path,
    settings: _Settings,
    measured: Measurements,
    comparison: Comparison,
    notes: list[str],
    clock: StageClock,
) -> BiopsyRecord:
    edited = EditedRecord(file=file.name, sha256=_sha256(file))
    model = slide.record
    facts = {
        "edited": edited.content(),
        "settings": asdict(settings),
        "of": model.settings_hash,
        "glisson": software_versions()["glisson"],
    }
    return BiopsyRecord(
        glisson=RESEARCH_USE,
        source="edited",
        edited=edited,
        slide=model.slide,
        model=model.model,
        model_result=ModelResultRecord(settings_hash=model.settings_hash, warnings=model.warnings),
        settings=SettingsRecord(**asdict(settings)),
        settings_hash=hash_of(facts),
        warnings=tuple(notes),
        biopsy=measured.biopsy,
        fragments=measured.fragments,
        tracts=tuple(TractRecord.of(tract) for tract in measured.tracts),
        candidates=candidate_record(measured.candidates),
        adequacy=measured.adequacy,
        plausibility=model.plausibility,
        comparison=comparison,
        seconds_per_stage=clock.seconds(),
        versions=software_versions(),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
