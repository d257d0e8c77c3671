"""One slide as the page shows it: every number is already text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from glisson.exchange import name_candidate_thumbnail, name_thumbnail
from glisson.measurement import BiopsyMeasurements, Tables, list_shown
from glisson.pages import Table
from glisson.record import BiopsyRecord
from glisson.report.corrected import Corrected, view_correction
from glisson.report.inputs import ReportSlide
from glisson.report.pictures import embed_overview, embed_thumbnails
from glisson.report.quality import adequacy_table, artefact_names, artefact_table, list_warnings
from glisson.report.tract_table import (
    MOST_ROWS,
    AreaTable,
    candidate_table,
    pick_tracts,
    sort_by_notes,
    tract_table,
)

_SHOWN_UNLESS_ZERO = ("unreadable_area_mm2", "uncounted_area_count")


@dataclass(frozen=True)
class SlideView:
    """A slide's section; one without a result has its name and error alone.

    Attributes:
        name: the slide's name.
        error: why there is no result, or None.
        is_synthetic: whether a program drew the slide.
        facts: (value, heading) of measurements.
        implausible: why the slide is not plausibly H&E of liver, or None.
        warnings: other sentences.
        kinds: kinds of artefacts that were found, with their names.
        tables: of adequacy and artefacts, those with rows.
        picture: overview as a data URI, or None.
        picture_left_out: whether there is an overview that found no room.
        corrected: numbers of a correction, or None.
        tracts: outlined areas.
        candidates: areas that wait for a decision.
        has_uncounted: whether an area counts as no tract.
        notes: definitions, and the file.
    """

    name: str
    error: str | None
    is_synthetic: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    implausible: str | None = None
    warnings: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    picture: str | None = None
    picture_left_out: bool = False
    corrected: Corrected | None = None
    tracts: AreaTable | None = None
    candidates: AreaTable | None = None
    has_uncounted: bool = False
    notes: str = ""


def most_rows(slides: Sequence[ReportSlide]) -> int:
    """Return how many rows a slide's tables of tracts and of candidates may each have.

    All, unless the page would grow too large.
    """
    records = [slide.record for slide in slides if slide.record is not None]
    total = sum(len(each.tracts) + len(each.candidate_areas) for each in records)
    return total if total <= MOST_ROWS else max(1, MOST_ROWS // len(slides))


def view_slide(slide: ReportSlide, slide_count: int, most_tracts: int) -> SlideView:
    """Prepare a slide for the template.

    Args:
        slide: the slide.
        slide_count: slides of the page, which share the room for pictures.
        most_tracts: as `most_rows` returns it.
    """
    record = slide.result
    if record is None:
        return SlideView(slide.name, slide.error or "There is no result.")
    tracts = pick_tracts(record.tracts, most_tracts)
    candidates = record.candidate_areas[:most_tracts]
    names = [
        *(name_thumbnail(each.number) for each in sort_by_notes(tracts)),
        *(name_candidate_thumbnail(each.number) for each in candidates),
    ]
    pictures = embed_thumbnails(slide.thumbnails, names, slide_count)
    overview = embed_overview(slide.overview, slide_count)
    tables = (adequacy_table(record), artefact_table(record))
    implausible, biopsy, edited = record.implausible_warning, record.biopsy, slide.edited
    return SlideView(
        name=slide.name,
        error=None,
        is_synthetic=slide.is_synthetic,
        facts=tuple(_facts(biopsy, len(record.candidate_areas))),
        implausible=implausible,
        warnings=tuple(each for each in list_warnings(record) if each != implausible),
        kinds=artefact_names(record),
        tables=tuple(each for each in tables if each.rows),
        picture=overview,
        picture_left_out=overview is None
        and slide.overview is not None
        and slide.overview.is_file(),
        corrected=view_correction(edited, edited.comparison)
        if edited is not None and edited.comparison is not None
        else None,
        tracts=tract_table(tracts, len(record.tracts), pictures),
        candidates=candidate_table(candidates, len(record.candidate_areas), pictures),
        has_uncounted=bool(biopsy.uncounted_area_count),
        notes=f"{biopsy.counted_definition} {biopsy.complete_definition} {_source(record)}".strip(),
    )


def _facts(biopsy: BiopsyMeasurements, candidate_count: int) -> list[tuple[str, str]]:
    """List (value, heading): the measurements of the table of slides first."""
    rows = list_shown(BiopsyMeasurements, Tables.REPORT)
    summary = [row for row in rows if Tables.SUMMARY in row.tables]
    others = [row for row in rows if row not in summary and _says_something(row.key, biopsy)]
    candidates = [(str(candidate_count), "candidates, not counted")] if candidate_count else []
    return [(row.text_of(biopsy), row.heading) for row in (*summary, *others)] + candidates


def _says_something(key: str, biopsy: BiopsyMeasurements) -> bool:
    """Return whether a number says more than usual; one section is the whole."""
    value = getattr(biopsy, key)
    if key in _SHOWN_UNLESS_ZERO:
        return bool(value)
    is_per_section = "_per_section" in key
    return value is not None and not (is_per_section and biopsy.section_count == 1)


def _source(record: BiopsyRecord) -> str:
    slide = record.slide
    seconds = sum(record.seconds_per_stage.values())
    took = f", {seconds:.1f} s" if seconds else ""
    return (
        f"{slide.file}, {slide.format}, {slide.width_l0} x {slide.height_l0} px of "
        f"{slide.pixel_width_um:.4g} µm (from the {slide.pixel_size_source}){took}."
    )
