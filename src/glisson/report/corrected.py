"""Numbers of outlines corrected by hand, beside the model's."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.measurement import BiopsyMeasurements, Comparison, Tables, list_shown
from glisson.pages import Table
from glisson.record import BiopsyRecord
from glisson.report.quality import list_warnings


@dataclass(frozen=True)
class Corrected:
    """A correction as the page shows it.

    Attributes:
        table: the model's measurements and those of corrected outlines.
        tracts: in words, how many tracts were added, removed and changed.
        adequacy: (standard, verdict) on the corrected outlines.
        warnings: sentences on the corrected outlines.
    """

    table: Table
    tracts: str
    adequacy: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def view_correction(record: BiopsyRecord, comparison: Comparison) -> Corrected:
    """Prepare the record of a correction for the template."""
    changes = comparison.biopsy
    return Corrected(
        table=Table(
            "corrected",
            "Corrected by hand",
            ("number", "model", "corrected"),
            tuple(
                (row.heading, row.text(changes[row.key].before), row.text(changes[row.key].after))
                for row in list_shown(BiopsyMeasurements, Tables.COMPARISON)
                if row.key in changes
            ),
            css="corrected",
        ),
        tracts=comparison.in_words,
        adequacy=tuple((each.title, each.verdict) for each in record.adequacy),
        warnings=tuple(list_warnings(record)),
    )
