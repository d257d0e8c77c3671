"""One slide as the page shows it: every number is already text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glisson.exchange import name_candidate_thumbnail, name_thumbnail
from glisson.report import quality, tract_table
from glisson.report.corrected import corrected_view
from glisson.report.inputs import ReportSlide, implausible_warning, is_synthetic
from glisson.report.numbers import count, number
from glisson.report.pictures import embedded_overview, embedded_thumbnails


def most_rows(slides: Sequence[ReportSlide]) -> int:
    """Rows that a slide's tables of tracts and of candidates may each have.

    All, unless the page would grow too large.
    """
    total = sum(
        len(slide.record.get("tracts", ())) + len(candidates_of(slide.record)) for slide in slides
    )
    limit = tract_table.MOST_ROWS
    return total if total <= limit else max(1, limit // len(slides))


def slide_view(slide: ReportSlide, slide_count: int, most_tracts: int) -> dict[str, Any]:
    """What the template asks for; a failed slide has its error only."""
    if slide.error is not None or not slide.record:
        error = slide.error or "There is no result."
        return {"name": slide.name, "error": error, "synthetic": False}
    record = slide.record
    biopsy, tracts = record["biopsy"], tract_table.picked(record["tracts"], most_tracts)
    candidates = candidates_of(record)
    listed = candidates[:most_tracts]
    names = [
        *(name_thumbnail(each["number"]) for each in tract_table.to_look_at_first(tracts)),
        *(name_candidate_thumbnail(each["number"]) for each in listed),
    ]
    pictures = embedded_thumbnails(slide.thumbnails, names, slide_count)
    overview = embedded_overview(slide.overview, slide_count)
    return {
        "name": slide.name,
        "error": None,
        "synthetic": is_synthetic(slide),
        "facts": _facts(biopsy, len(candidates)),
        "implausible": implausible_warning(record),
        "warnings": [
            each for each in quality.warnings(record) if each != implausible_warning(record)
        ],
        "artefacts": quality.artefact_rows(record),
        "adequacy": [_adequacy(each) for each in record.get("adequacy") or ()],
        "picture": overview,
        "picture_left_out": overview is None
        and slide.overview is not None
        and slide.overview.is_file(),
        "corrected": None if slide.edited is None else corrected_view(slide.edited),
        "headings": tract_table.headings(tracts),
        "tracts": tract_table.rows(tracts, pictures),
        "tract_count": len(record["tracts"]),
        "without_picture": sum(name_thumbnail(each["number"]) not in pictures for each in tracts),
        "candidate_headings": tract_table.headings(listed),
        "candidates": tract_table.candidate_rows(listed, pictures),
        "candidate_count": len(candidates),
        "definition": " ".join(
            biopsy[key] for key in ("counted_definition", "complete_definition") if key in biopsy
        ),
        "uncounted": bool(biopsy.get("uncounted_area_count")),
        "source": _source(record),
    }


def candidates_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    """List a record's candidates; results of older versions have none."""
    return list(record.get("candidates", {}).get("areas", ()))


def _facts(biopsy: dict[str, Any], candidates: int) -> list[tuple[str, str]]:
    """List value and name of whatever is known."""
    portal = number(biopsy.get("portal_percent"), ".1f")
    if biopsy.get("portal_percent_uncertainty") is not None:
        portal += f" ± {biopsy['portal_percent_uncertainty']:.1f}"
    uncounted = biopsy.get("uncounted_area_count")
    facts = [
        (count(biopsy.get("tract_count_total")), "portal tracts"),
        (count(biopsy.get("tract_count_complete")), "complete"),
        (count(biopsy.get("tract_count_partial")), "partial"),
        *([(str(uncounted), "portal areas, not counted")] if uncounted else []),
        *([(str(candidates), "candidates, not counted")] if candidates else []),
        (portal, "portal, % of tissue"),
        (number(biopsy.get("tissue_area_mm2"), ".2f"), "tissue, mm²"),
    ]
    optional = (
        ("length_mm", ".1f", "length, mm"),
        ("length_per_section_mm", ".1f", "length per section, mm"),
        ("section_count", ".0f", "sections"),
        ("tract_count_per_section", ".1f", "tracts per section"),
        ("mean_width_um", ".0f", "mean width, µm"),
        ("minimum_width_um", ".0f", "least width, µm"),
        ("interface_area_mm2", ".3f", "interface, mm²"),
        ("unreadable_area_mm2", ".3f", "unreadable, mm²"),
    )
    return facts + [
        (number(biopsy[key], style), what)
        for key, style, what in optional
        if biopsy.get(key) is not None and not _says_nothing(key, biopsy)
    ]


def _says_nothing(key: str, biopsy: dict[str, Any]) -> bool:
    """Per section is the whole where there is one section; nothing unreadable is as it should."""
    if key == "unreadable_area_mm2":
        return not biopsy[key]
    return key.endswith(("_per_section", "_per_section_mm")) and biopsy.get("section_count") == 1


def _adequacy(each: dict[str, Any]) -> dict[str, str]:
    return {
        "title": str(each.get("title") or each.get("preset") or each.get("standard") or ""),
        "verdict": str(each.get("verdict", "")),
        "reason": str(each.get("reason") or each.get("missing") or ""),
        "note": str(each.get("note") or ""),
        "citation": str(each.get("citation") or ""),
    }


def _source(record: dict[str, Any]) -> str:
    slide = record["slide"]
    seconds = sum(record.get("seconds_per_stage", {}).values())
    took = f", {seconds:.1f} s" if seconds else ""
    return (
        f"{slide['file']}, {slide['format']}, {slide['width_l0']} x {slide['height_l0']} px of "
        f"{slide['pixel_width_um']:.4g} µm (from the {slide['pixel_size_source']}){took}."
    )
