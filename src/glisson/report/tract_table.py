"""The tables of a slide's tracts and candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glisson.exchange import is_doubtful, name_candidate_thumbnail, name_thumbnail
from glisson.measurement import (
    CandidateMeasurements,
    Measurement,
    Tables,
    TractMeasurements,
    shown_in,
)
from glisson.record import CandidateRecord, TractRecord
from glisson.report.numbers import Cell, measured_cell

MOST_ROWS = 4000
"""Tracts in all tables of a page: 0.5 kB each, 2 MB in all."""
_ARTEFACT_NOTES = {"defocus": "out of focus", "fold": "on a fold", "bubble": "under a bubble"}


@dataclass(frozen=True)
class TractRow:
    """A tract or a candidate as a row.

    Attributes:
        number: of the tract or candidate.
        picture: data URI, or None.
        state: `complete` or `partial`.
        notes: what to look at.
        cells: numbers, as the table's headings.
    """

    number: int
    picture: str | None
    state: str
    notes: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class AreaTable:
    """A table of tracts or of candidates.

    Attributes:
        total: areas of the slide; the rows may be fewer.
        headings: of the cells of each row.
        rows: the areas shown.
    """

    total: int
    headings: tuple[str, ...]
    rows: tuple[TractRow, ...]

    @property
    def without_picture(self) -> int:
        """How many rows have no picture."""
        return sum(row.picture is None for row in self.rows)


def pick_tracts(tracts: Sequence[TractRecord], most: int) -> list[TractRecord]:
    """Pick at most so many tracts, in order: those with a note, then the first."""
    return sorted(noted_first(tracts)[:most], key=lambda tract: tract.number)


def noted_first(tracts: Sequence[TractRecord]) -> list[TractRecord]:
    """Sort tracts with a note before the others."""
    return sorted(tracts, key=lambda tract: not tract_notes(tract))


def tract_table(
    tracts: Sequence[TractRecord], total: int, pictures: Mapping[str, str]
) -> AreaTable:
    """Make the table of tracts.

    Args:
        tracts: those that are shown, in order.
        total: tracts of the slide.
        pictures: data URIs by file name.
    """
    columns = _columns(TractMeasurements, tracts)
    rows = (
        TractRow(
            tract.number,
            pictures.get(name_thumbnail(tract.number)),
            _state(tract),
            tract_notes(tract),
            tuple(measured_cell(column, tract) for column in columns),
        )
        for tract in tracts
    )
    return AreaTable(total, tuple(column.heading for column in columns), tuple(rows))


def candidate_table(
    candidates: Sequence[CandidateRecord], total: int, pictures: Mapping[str, str]
) -> AreaTable:
    """Make the table of candidates, as `tract_table`.

    Every candidate is uncertain, so that its notes name artefacts alone.
    """
    columns = _columns(CandidateMeasurements, candidates)
    rows = (
        TractRow(
            each.number,
            pictures.get(name_candidate_thumbnail(each.number)),
            _state(each),
            _artefact_notes(each),
            tuple(measured_cell(column, each) for column in columns),
        )
        for each in candidates
    )
    return AreaTable(total, tuple(column.heading for column in columns), tuple(rows))


def tract_notes(tract: TractRecord) -> tuple[str, ...]:
    """Name what to look at in a tract."""
    notes = (
        ("low confidence", is_doubtful(tract.probability)),
        ("bridging", tract.bridging),
        ("not counted", not tract.is_counted),
    )
    return (*_artefact_notes(tract), *(note for note, holds in notes if holds))


def _state(area: TractRecord | CandidateRecord) -> str:
    return "complete" if area.complete else "partial"


def _artefact_notes(area: TractRecord | CandidateRecord) -> tuple[str, ...]:
    return tuple(_ARTEFACT_NOTES.get(kind, f"on {kind}") for kind in area.on_artefact or ())


def _columns(block: type, areas: Sequence[object]) -> list[Measurement]:
    """List the columns that have a number for any area."""
    return [
        row
        for row in shown_in(block, Tables.REPORT)
        if any(row.value_of(area) is not None for area in areas)
    ]
