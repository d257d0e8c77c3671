"""Measurements of outlines that a pathologist corrected; the slide is not needed."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from shapely import Polygon, get_parts
from shapely.geometry.base import BaseGeometry

from glisson.classes import PORTAL, UNCOUNTED_QUPATH_NAME
from glisson.dataset import Meaning, MeaningTable
from glisson.errors import AnnotationError, GlissonError, OutputError, SettingsError
from glisson.exchange import (
    Annotation,
    Annotations,
    check_overlap,
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
    find_cut_share,
    list_doubts,
    mark_as_part,
    measure_biopsy,
    warn_of_part,
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
from glisson.results.identity import hash_json, list_versions
from glisson.results.reading import (
    EDITED_ENDING,
    StoredSlide,
    find_edited_folder,
    find_outlines,
    group_by_slide,
    is_slide_folder,
    match_slide,
    read_edited_records,
    read_slides,
    select_outlines,
    select_own_outlines,
)
from glisson.results.record import RESEARCH_USE
from glisson.results.report import rewrite_run_report
from glisson.results.state import find_method, hash_method
from glisson.run.clock import StageClock
from glisson.run.settings import check_measuring_settings
from glisson.slides import SlideInfo

logger = logging.getLogger(__name__)

_MOST_TISSUE_CHANGE = 0.05
"""Share of the tissue's area beyond which a change is said."""


@dataclass(frozen=True)
class EditedSlide:
    """The outcome of one file of corrected outlines.

    Attributes:
        file: the GeoJSON.
        name: the slide's name; the file's name where no slide matches it.
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
    """The outcome of all files.

    Attributes:
        out: the results folder.
        slides: the outcome of each file, in the order of their names.
        report: the report of the results folder, written again; None where no run wrote it.
    """

    out: Path
    slides: tuple[EditedSlide, ...]
    report: Path | None = None

    @property
    def failed(self) -> tuple[EditedSlide, ...]:
        """Return the files without a result."""
        return tuple(slide for slide in self.slides if slide.error is not None)


def measure(
    results: Path | str,
    edited: Path | str | None = None,
    interface_width_um: float | None = None,
    sections: int | None = None,
    force: bool = False,
) -> EditedRun:
    """Measure slides again from outlines corrected in QuPath.

    Results go to `<slide>.edited/` beside the model's, which stay as they are, and into
    `biopsies_edited.csv`, `tracts_edited.csv` and the report. The tissue is the drawn class
    `Tissue`, or that of the class map where none is drawn. An invalid file costs only itself. Of
    several files of a slide, only the one with the name of the slide's image is measured.

    Args:
        results: a folder written by `segment`, or one slide's folder in it: of several files,
            those named as that slide are then measured.
        edited: a GeoJSON file, or a folder of them; None for `qupath/edited`, where the project's
            export script writes.
        interface_width_um: of the band round tracts; None for that of the run.
        sections: sections of the same cores on every slide; None for that of the run.
        force: measure outlines although they lie beside the tissue of the class map.

    Raises:
        SettingsError: no results, no corrected outlines, or invalid settings.
        AnnotationError: the only file cannot be used.
        OutputError: results cannot be written.
    """
    check_measuring_settings(interface_width_um, sections)
    out, slides = read_slides(Path(results))
    files = find_outlines(out, None if edited is None else Path(edited))
    chosen = edited is not None and Path(edited).is_file()
    if is_slide_folder(Path(results)):
        files = select_outlines(files, slides[0])
    prepare_output(out)
    files_of = group_by_slide(files, slides, chosen)
    done: list[EditedSlide] = []
    for file in files:
        try:
            slide = match_slide(file, slides, chosen)
            _check_no_twin(file, slide, files_of[slide.name])
            settings = _choose_settings(slide, interface_width_um, sections)
            done.append(_Correction(file, slide, settings, force).run())
        except OutputError:
            raise  # every other slide would meet the same disk
        except GlissonError as error:
            if len(files) == 1:
                raise
            logger.warning("%s: %s", file, error)
            done.append(EditedSlide(file, file.name, None, None, str(error)))
    _write_tables(out)
    return EditedRun(out, tuple(done), rewrite_run_report(out))


def _check_no_twin(file: Path, slide: StoredSlide, files: Sequence[Path]) -> None:
    """Reject a file beside others of the same slide, unless it alone has the image's own name.

    A duplicate of an image in QuPath has a file of its own, with other outlines.
    """
    if len(files) == 1:
        return
    own = select_own_outlines(files, slide)
    if [file] == own:
        return
    others = ", ".join(each.name for each in files if each != file)
    which = f"{own[0].name} is measured" if len(own) == 1 else "no file of them is measured"
    raise SettingsError(
        f"{file} and {others} are outlines of {slide.name}, such as of a duplicated image; "
        f"{which}. Keep the right file only, or give it with --from."
    )


def _choose_settings(
    slide: StoredSlide, interface_width_um: float | None, sections: int | None
) -> SettingsRecord:
    """Return the settings of the user, and for the others those of the run."""
    run = slide.record.settings
    widths = (interface_width_um, run.interface_width_um, INTERFACE_WIDTH_UM)
    return SettingsRecord(
        min_tract_area_um2=run.min_tract_area_um2,
        interface_width_um=next(width for width in widths if width is not None),
        sections=run.sections if sections is None else sections,
    )


def _write_tables(out: Path) -> None:
    """Write the tables of all corrected results, with what tells different settings apart."""
    records = read_edited_records(out)
    methods = {name: hash_method(find_method(record)) for name, record in records}
    ending = EDITED_ENDING.replace(".", "_")
    is_mixed = len(set(methods.values())) > 1
    write_tables(out, records, ending, settings=methods if is_mixed else None)


@dataclass(frozen=True)
class _Correction:
    """One file of corrected outlines on its way to a result folder.

    Attributes:
        file: the GeoJSON.
        slide: the model's results.
        settings: how to measure.
        force: accept outlines beside the tissue.
    """

    file: Path
    slide: StoredSlide
    settings: SettingsRecord
    force: bool = False
    _clock: StageClock = field(default_factory=StageClock, init=False)

    def run(self) -> EditedSlide:
        """Measure the outlines, compare them with the model's, and write the result folder."""
        info, folder = self.slide.info, find_edited_folder(self.slide)
        with self._clock.stage("read"):
            annotations = read_geojson(self.file, info.bounds_l0, info.size_l0)
            check_same_image(annotations, info, self.file)
            model = self._trace_model()
            doubt = self._check_place(annotations, model)
        with self._clock.stage("outline"):
            regions, notes = self._outline(annotations, model)
        with self._clock.stage("measure"):
            measured, before = self._measure(regions), self._measure(model)
            comparison = compare(model, before, regions, measured)
        notes = [
            *filter(None, (doubt, annotations.note_on_others, _note_tissue(before, measured))),
            *self._note_doubts(),
            *_note_leftovers(annotations, info),
            *notes,
        ]
        if part := warn_of_part(find_cut_share(regions, info)):
            measured = mark_as_part(measured)
            notes.append(part)
        notes += list_doubts(measured, regions)
        record = self._build_record(regions, measured, comparison, notes)
        with slide_folder(folder.parent, folder.name, Origin(record.settings_hash)) as unfinished:
            source = f"corrected in {self.file.name}"
            write_tracts_geojson(unfinished / TRACTS, regions, measured, info, source)
            record.write(unfinished)
        return EditedSlide(self.file, self.slide.name, folder, record)

    def _trace_model(self) -> Regions:
        """Trace the model's regions again from its class map."""
        class_map = read_class_map(self.slide.folder / CLASS_MAP, self.slide.info.pixel_size)
        return find_regions(class_map, self._limits())

    def _check_place(self, annotations: Annotations, model: Regions) -> str | None:
        """Compare the drawn tissue, or tracts without it, with the class map's tissue.

        Raises:
            AnnotationError: no annotation is tissue, tract or candidate, but other objects are
                there; or the outlines lie beside the tissue.
        """
        meanings = MeaningTable()
        drawn: dict[Meaning | None, list[BaseGeometry]] = {}
        for area in annotations.areas:
            drawn.setdefault(meanings.of(area.class_name), []).append(area.geometry_l0)
        tracts = [*drawn.get(Meaning.PORTAL, ()), *drawn.get(Meaning.CANDIDATE, ())]
        tissue = drawn.get(Meaning.TISSUE, [])
        if not tissue and not tracts and annotations.others:
            raise AnnotationError(
                f"{self.file} holds no outline of tissue or tracts. {annotations.note_on_others}"
            )
        found = [fragment.polygon_l0 for fragment in model.fragments]
        return check_overlap(tissue or tracts, found, self.slide.info, self.file, self.force)

    def _limits(self) -> RegionSettings:
        return RegionSettings(min_tract_area_um2=self.settings.min_tract_area_um2)

    def _outline(self, annotations: Annotations, model: Regions) -> tuple[Regions, list[str]]:
        meanings = MeaningTable()
        tissue = [
            polygon
            for area in annotations.areas
            if meanings.of(area.class_name) is Meaning.TISSUE
            for polygon in get_parts(area.geometry_l0)
            if isinstance(polygon, Polygon)
        ]
        notes = [] if tissue else ["No tissue is drawn; that of the class map is taken."]
        regions, more = regions_from_drawn(
            model.frame,
            tissue or [fragment.polygon_l0 for fragment in model.fragments],
            _select_drawn(annotations, Meaning.PORTAL, self.slide.info),
            self._limits(),
            _select_drawn(annotations, Meaning.CANDIDATE, self.slide.info),
        )
        regions = restore_untouched(regions, model)
        return regions, [*notes, *more, *_note_narrow(regions, self._limits())]

    def _measure(self, regions: Regions) -> Measurements:
        return measure_biopsy(
            regions,
            self.slide.info.pixel_size,
            self.slide.record.biopsy.unreadable_area_mm2 * 1e6,
            self.settings.interface_width_um or 0.0,
            self.settings.sections,
        )

    def _note_doubts(self) -> list[str]:
        """Say that adequacy rests on a person's word where the slide was not plausibly liver."""
        plausibility = self.slide.record.plausibility
        if plausibility is None or not plausibility.withheld:
            return []
        return [
            f"Glisson found this slide {plausibility.verdict}: adequacy and words of stage rest on "
            "the outlines drawn by hand."
        ]

    def _build_record(
        self,
        regions: Regions,
        measured: Measurements,
        comparison: Comparison,
        notes: list[str],
    ) -> BiopsyRecord:
        with self.file.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        edited = EditedRecord(file=self.file.name, sha256=digest)
        model = self.slide.record
        facts = {
            "edited": edited.content(),
            "settings": self.settings.content(),
            "of": model.settings_hash,
            "glisson": list_versions()["glisson"],
        }
        return BiopsyRecord(
            glisson=RESEARCH_USE,
            source="edited",
            edited=edited,
            slide=model.slide,
            model=model.model,
            model_result=ModelResultRecord(
                settings_hash=model.settings_hash, warnings=model.warnings
            ),
            settings=self.settings,
            settings_hash=hash_json(facts),
            warnings=(*notes, *candidate_warnings(measured.candidates)),
            biopsy=measured.biopsy,
            fragments=measured.fragments,
            tracts=tuple(
                replace(
                    TractRecord.of(tract), qupath_id=drawn.qupath_id, qupath_name=drawn.qupath_name
                )
                for tract, drawn in zip(measured.tracts, regions.tracts, strict=True)
            ),
            candidates=candidate_record(measured.candidates),
            adequacy=measured.adequacy,
            plausibility=model.plausibility,
            comparison=comparison,
            seconds_per_stage=self._clock.seconds(),
            versions=list_versions(),
        )


def _select_drawn(annotations: Annotations, meaning: Meaning, info: SlideInfo) -> list[DrawnTract]:
    """Select the areas of one meaning."""
    meanings = MeaningTable()
    return [
        DrawnTract(
            _describe_outline(area, info),
            area.geometry_l0,
            area.class_name.casefold() != UNCOUNTED_QUPATH_NAME.casefold(),
            area.name,
            area.identifier,
        )
        for area in annotations.areas
        if meanings.of(area.class_name) is meaning
    ]


def _describe_outline(area: Annotation, info: SlideInfo) -> str:
    """Name an outline for messages: its centre in µm, as QuPath shows it, and its id."""
    corner_l0 = (0.0, 0.0)
    if info.bounds_l0 is not None:
        corner_l0 = (info.bounds_l0.x_l0, info.bounds_l0.y_l0)
    centre = area.geometry_l0.centroid
    x_um = (centre.x - corner_l0[0]) * info.pixel_size.x_um
    y_um = (centre.y - corner_l0[1]) * info.pixel_size.y_um
    identifier = f", id {area.identifier}" if area.identifier else ""
    name = area.name or area.class_name
    return f"{name} (at x {x_um:.0f} µm, y {y_um:.0f} µm{identifier})"


def _note_tissue(before: Measurements, after: Measurements) -> str | None:
    """Warn where the tissue's area changed much; None where it did not."""
    old, new = before.biopsy.tissue_area_mm2, after.biopsy.tissue_area_mm2
    if not old or abs(new / old - 1) <= _MOST_TISSUE_CHANGE:
        return None
    pieces = f"{len(before.fragments)} to {len(after.fragments)}"
    return (
        f"The tissue changed from {old:.3f} to {new:.3f} mm² ({100 * (new / old - 1):+.0f} %), in "
        f"{pieces} piece(s). Where nobody changed it, QuPath may run on a Java that damages "
        "outlines (docs/qupath.md): correct the outlines in a QuPath from its own installer."
    )


def _note_narrow(regions: Regions, limits: RegionSettings) -> list[str]:
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


def _note_leftovers(annotations: Annotations, info: SlideInfo) -> list[str]:
    """Say what the file holds besides whole outlines of tissue, tracts and candidates."""
    meanings = MeaningTable()
    used = (Meaning.PORTAL, Meaning.TISSUE, Meaning.CANDIDATE)
    areas = [(area, meanings.of(area.class_name) in used) for area in annotations.areas]
    notes = [
        f"{_describe_outline(area, info)} crossed itself and was repaired."
        for area, is_used in areas
        if area.repaired and is_used
    ]
    other = Counter(area.class_name for area, is_used in areas if not is_used)
    for class_name, count in sorted(other.items()):
        what = f"of class '{class_name}'" if class_name else "without a class"
        notes.append(
            f"{count} area(s) {what} are not measured; a tract has the class "
            f"'{PORTAL.qupath_name}'."
        )
    for each in annotations.skipped:
        if meanings.of(each.class_name) in used:
            where = f", id {each.identifier}" if each.identifier else ""
            notes.append(
                f"{each.where}{where}, is a {each.geometry_type} and has no area; left out."
            )
    return notes
