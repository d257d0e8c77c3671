"""What to look at before a slide's numbers are believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glisson.exchange import DOUBTFUL, is_doubtful
from glisson.report.numbers import number

Record = Mapping[str, Any]

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


def warnings(record: Record) -> list[str]:
    """Sentences of the run, why tracts are not counted, and which are uncertain."""
    found = [*_by_hand(record), *record.get("warnings", ())]
    reason = record["biopsy"].get("tract_count_reason")
    if reason:
        found.append(reason)
    tracts = record["tracts"]
    doubtful = [str(each["number"]) for each in tracts if is_doubtful(each.get("probability"))]
    if doubtful:
        found.append(_doubtful_sentence(doubtful))
    return found


def _by_hand(record: Record) -> list[str]:
    """Numbers of corrected outlines lie in a `biopsy.json` too, and must not pass for a model's."""
    if record.get("source") != "edited":
        return []
    file = record.get("edited", {}).get("file", "a file")
    return [f"Measured on outlines corrected by hand in {file}: these numbers are not the model's."]


def artefact_rows(record: Record) -> list[ArtefactRow]:
    """One row a kind that was found."""
    areas = record.get("artefacts", {}).get("artefact_area_mm2", {})
    return [
        ArtefactRow(
            kind,
            _NAMES.get(kind, kind),
            str(area["count"]),
            number(area["on_tissue_mm2"], ".3f"),
            number(area["on_tissue_percent"], ".1f"),
            number(area["off_tissue_mm2"], ".3f"),
        )
        for kind, area in areas.items()
    ]


def _doubtful_sentence(numbers: list[str]) -> str:
    named = ", ".join(numbers[:_MOST_NAMED]) + (" ..." if len(numbers) > _MOST_NAMED else "")
    are = "tract is" if len(numbers) == 1 else "tracts are"
    return f"{len(numbers)} {are} of low confidence (mean probability below {DOUBTFUL:g}): {named}."
