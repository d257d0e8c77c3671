"""The tables of a slide's tracts and candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from glisson.exchange import is_doubtful, name_candidate_thumbnail, name_thumbnail
from glisson.measurement import (
    CandidateMeasurements,
    Tables,
    TractMeasurements,
    list_shown,
)
from glisson.pages import Cell, Table
from glisson.record import CandidateRecord, TractRecord
from glisson.report.numbers import make_cell

MOST_ROWS = 4000
"""Tracts in all tables of a page: 0.5 kB each, 2 MB in all."""
_CSS = "sortable tracts"
_IMAGE = Markup('<img class="tract" width="72" height="72" src="{}" alt="{}">')
_NOTE = Markup('<span class="note">{}</span>')
_ARTEFACT_NOTES = {"defocus": "out of focus", "fold": "on a fold", "bubble": "under a bubble"}


@dataclass(frozen=True)
class AreaTable:
    """The table of tracts or of candidates.

    Attributes:
        total: areas of the slide; the table may show fewer.
        table: the areas shown.
        without_picture: rows that have no picture.
    """

    total: int
    table: Table
    without_picture: int

    @property
    def left_out(self) -> int:
        """Return the number of areas that the table does not show."""
        return self.total - len(self.table.rows)


def pick_tracts(tracts: Sequence[TractRecord], most: int) -> list[TractRecord]:
    """Pick at most so many tracts, in order: those with a note, then the first."""
    return sorted(sort_by_notes(tracts)[:most], key=lambda tract: tract.number)


def sort_by_notes(tracts: Sequence[TractRecord]) -> list[TractRecord]:
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
    names = [(f"PT {each.number}", f"Tract {each.number}, outlined") for each in tracts]
    uris = [pictures.get(name_thumbnail(each.number)) for each in tracts]
    notes = [tract_notes(each) for each in tracts]
    rows = _rows(TractMeasurements, tracts, names, uris, notes)
    return AreaTable(total, Table("tracts", "Tracts", *rows, css=_CSS), uris.count(None))


def candidate_table(
    candidates: Sequence[CandidateRecord], total: int, pictures: Mapping[str, str]
) -> AreaTable:
    """Make the table of candidates, as `tract_table`.

    Every candidate is uncertain, so that its notes name artefacts alone.
    """
    names = [(f"C{each.number}", f"Candidate {each.number}, outlined") for each in candidates]
    uris = [pictures.get(name_candidate_thumbnail(each.number)) for each in candidates]
    notes = [_artefact_notes(each) for each in candidates]
    rows = _rows(CandidateMeasurements, candidates, names, uris, notes)
    return AreaTable(total, Table("candidates", "Candidates", *rows, css=_CSS), uris.count(None))


def _rows(
    block: type,
    areas: Sequence[TractRecord | CandidateRecord],
    names: Sequence[tuple[str, str]],
    uris: Sequence[str | None],
    notes: Sequence[tuple[str, ...]],
) -> tuple[tuple[str | Cell, ...], tuple[tuple[str | Cell, ...], ...]]:
    """Return header and rows; columns in which no area has a number are left out."""
    columns = [
        row
        for row in list_shown(block, Tables.REPORT)
        if any(row.value_of(area) is not None for area in areas)
    ]
    header = (
        "tract" if block is TractMeasurements else "candidate",
        Cell("picture", css="text plain"),
        Cell("edge", css="text"),
        *(column.heading for column in columns),
        Cell("look at", css="text"),
    )
    rows = (
        (
            Cell(name, str(area.number)),
            Cell("" if uri is None else _IMAGE.format(uri, words), css="text"),
            Cell("complete" if area.complete else "partial", css="text"),
            *(make_cell(column, area) for column in columns),
            Cell(Markup(" ").join(map(_NOTE.format, found)), css="text"),
        )
        for area, (name, words), uri, found in zip(areas, names, uris, notes, strict=True)
    )
    return header, tuple(rows)


def tract_notes(tract: TractRecord) -> tuple[str, ...]:
    """Name what to look at in a tract."""
    notes = (
        ("low confidence", is_doubtful(tract.probability)),
        ("bridging", tract.bridging),
        ("not counted", not tract.is_counted),
    )
    return (*_artefact_notes(tract), *(note for note, holds in notes if holds))


def _artefact_notes(area: TractRecord | CandidateRecord) -> tuple[str, ...]:
    return tuple(_ARTEFACT_NOTES.get(kind, f"on {kind}") for kind in area.on_artefact or ())
