"""The table of a slide's tracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glisson.exchange import is_doubtful, name_candidate_thumbnail, name_thumbnail
from glisson.report.numbers import Cell, cell

Record = Mapping[str, Any]


@dataclass(frozen=True)
class _Column:
    """A column: its heading, its key in the tract's record, and its format."""

    heading: str
    key: str
    style: str
    factor: float = 1.0


_COLUMNS = (
    _Column("area, µm²", "area_um2", ",.0f"),
    _Column("perimeter, µm", "perimeter_um", ",.0f"),
    _Column("equivalent diameter, µm", "equivalent_diameter_um", ".0f"),
    _Column("long axis, µm", "major_axis_um", ".0f"),
    _Column("short axis, µm", "minor_axis_um", ".0f"),
    _Column("width, µm", "width_um", ".0f"),
    _Column("circularity", "circularity", ".2f"),
    _Column("solidity", "solidity", ".2f"),
    _Column("to the edge, µm", "distance_to_edge_um", ".0f"),
    _Column("to the nearest tract, µm", "nearest_tract_um", ".0f"),
    _Column("edge contact, %", "edge_contact_fraction", ".0f", 100),
    _Column("mean probability", "probability", ".2f"),
)


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


MOST_ROWS = 4000
"""Tracts in all tables of a page: 0.5 kB each, 2 MB in all."""


def picked(tracts: Sequence[Record], most: int) -> list[Record]:
    """At most so many tracts, in order: those to look at, then the first."""
    return sorted(to_look_at_first(tracts)[:most], key=lambda tract: tract["number"])


def to_look_at_first(tracts: Sequence[Record]) -> list[Record]:
    """Tracts with a note, then the others."""
    return sorted(tracts, key=lambda tract: not notes(tract))


def headings(tracts: Sequence[Record]) -> tuple[str, ...]:
    """Headings of the columns for which there is anything."""
    return tuple(column.heading for column in _columns(tracts))


def rows(tracts: Sequence[Record], pictures: Mapping[str, str]) -> tuple[TractRow, ...]:
    """Make a row of each tract, in order; pictures are given by file name."""
    columns = _columns(tracts)
    return tuple(
        _row(tract, columns, pictures.get(name_thumbnail(tract["number"])), notes(tract))
        for tract in tracts
    )


def candidate_rows(
    candidates: Sequence[Record], pictures: Mapping[str, str]
) -> tuple[TractRow, ...]:
    """Make a row of each candidate, in order.

    Every candidate is uncertain, so that only artefacts are noted.
    """
    columns = _columns(candidates)
    return tuple(
        _row(
            each, columns, pictures.get(name_candidate_thumbnail(each["number"])), _artefacts(each)
        )
        for each in candidates
    )


def _row(
    area: Record, columns: Sequence[_Column], picture: str | None, noted: tuple[str, ...]
) -> TractRow:
    return TractRow(
        area["number"],
        picture,
        "complete" if area.get("complete") else "partial",
        noted,
        tuple(_cell(area, column) for column in columns),
    )


def notes(tract: Record) -> tuple[str, ...]:
    """Name what to look at in a tract."""
    found = [*_artefacts(tract)]
    if is_doubtful(tract.get("probability")):
        found.append("low confidence")
    if tract.get("bridging"):
        found.append("bridging")
    if tract.get("is_counted") is False:
        found.append("not counted")
    return tuple(found)


def _artefacts(area: Record) -> tuple[str, ...]:
    return tuple(_ON.get(kind, f"on {kind}") for kind in area.get("on_artefact", ()))


_ON = {"defocus": "out of focus", "fold": "on a fold", "bubble": "under a bubble"}


def _columns(tracts: Sequence[Record]) -> tuple[_Column, ...]:
    return tuple(c for c in _COLUMNS if any(tract.get(c.key) is not None for tract in tracts))


def _cell(tract: Record, column: _Column) -> Cell:
    value = tract.get(column.key)
    return cell(None if value is None else column.factor * value, column.style)
