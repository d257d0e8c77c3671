"""Warnings and artefacts: what to look at before the numbers of a slide are believed."""

from __future__ import annotations

from markupsafe import Markup

from glisson.exchange import DOUBTFUL, is_doubtful
from glisson.pages import Cell, Table
from glisson.record import BiopsyRecord

_NAMES = {
    "pen": "pen",
    "dust": "dust",
    "bubble": "air bubbles",
    "fold": "folds",
    "defocus": "out of focus",
}
_MOST_NAMED = 20


def list_warnings(record: BiopsyRecord) -> list[str]:
    """List the record's warnings, why tracts are not counted, and the uncertain tracts."""
    found: list[str] = []
    if record.source == "edited":  # must not pass for a model's
        file = record.edited.file if record.edited else "a file"
        found.append(
            f"Measured on outlines corrected by hand in {file}: these numbers are not the model's."
        )
    found += record.warnings
    if record.biopsy.tract_count_reason:
        found.append(record.biopsy.tract_count_reason)
    doubtful = [str(each.number) for each in record.tracts if is_doubtful(each.probability)]
    if doubtful:
        named = ", ".join(doubtful[:_MOST_NAMED]) + (" ..." if len(doubtful) > _MOST_NAMED else "")
        are = "tract is" if len(doubtful) == 1 else "tracts are"
        found.append(
            f"{len(doubtful)} {are} of low confidence (mean probability below {DOUBTFUL:g}): "
            f"{named}."
        )
    return found


def artefact_names(record: BiopsyRecord) -> dict[str, str]:
    """Return the kinds of artefacts that were found, with their names for people."""
    areas = {} if record.artefacts is None else record.artefacts.artefact_area_mm2
    return {kind: _NAMES.get(kind, kind) for kind in areas}


def artefact_table(record: BiopsyRecord) -> Table:
    """Make a table with a row for each kind of artefact that was found."""
    areas = {} if record.artefacts is None else record.artefacts.artefact_area_mm2
    header = ("kind", "number", "on tissue, measured, mm²", "% of tissue", "left out, mm²")
    rows = (
        (
            _NAMES.get(kind, kind),
            str(area.count),
            f"{area.on_tissue_mm2:.3f}",
            f"{area.on_tissue_percent:.1f}",
            f"{area.off_tissue_mm2:.3f}",
        )
        for kind, area in areas.items()
    )
    return Table("artefacts", "Artefacts", header, tuple(rows))


def adequacy_table(record: BiopsyRecord) -> Table:
    """Make a table of the verdicts of published standards."""
    header = ("standard", Cell("verdict", css="text"), Cell("why", css="text"))
    why = Markup('{} <span class="soft">{}</span> <span class="soft small">{}</span>')
    rows = []
    for each in record.adequacy:
        css = "text" if each.verdict == "not assessable" else f"{each.verdict} text"
        reason = why.format(each.reason, each.note, each.citation)
        rows.append((each.title, Cell(each.verdict, css=css), Cell(reason, css="text why")))
    return Table("adequacy", "Adequacy", header, tuple(rows), css="adequacy")
