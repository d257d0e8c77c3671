"""Warnings and artefacts: what to look at before the numbers of a slide are believed."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.exchange import DOUBTFUL, is_doubtful
from glisson.record import BiopsyRecord

_NAMES = {
    "pen": "pen",
    "dust": "dust",
    "bubble": "air bubbles",
    "fold": "folds",
    "defocus": "out of focus",
}
_MOST_NAMED = 20


@dataclass(frozen=True)
class ArtefactRow:
    """One kind of artefact as text.

    Attributes:
        kind: its key in the record.
        name: for people.
        count: how many.
        on_tissue: mm² on tissue, which stay in the measurements.
        percent: of the tissue.
        off_tissue: mm² that were left out.
    """

    kind: str
    name: str
    count: str
    on_tissue: str
    percent: str
    off_tissue: str


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


def artefact_rows(record: BiopsyRecord) -> list[ArtefactRow]:
    """Make a row of each kind of artefact that was found."""
    areas = {} if record.artefacts is None else record.artefacts.artefact_area_mm2
    return [
        ArtefactRow(
            kind,
            _NAMES.get(kind, kind),
            str(area.count),
            f"{area.on_tissue_mm2:.3f}",
            f"{area.on_tissue_percent:.1f}",
            f"{area.off_tissue_mm2:.3f}",
        )
        for kind, area in areas.items()
    ]
