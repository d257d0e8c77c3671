"""The table of a slide's tracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glisson.exchange import is_doubtful
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
    _Column("circularity", "circularity", ".2f"),
    _Column("solidity", "solidity", ".2f"),
    _Column("to the edge, µm", "distance_to_edge_um", ".0f"),
    _Column("to the nearest tract, µm", "nearest_tract_um", ".0f"),
    _Column("edge contact, %", "edge_contact_fraction", ".0f", 100),
    _Column("mean probability", "probability", ".2f"),
)


@dataclass(frozen=True)
class TractRow:
    """A tract as a row.

    Attributes:
        number: of the tract.
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


def rows(tracts: Sequence[Record], pictures: Mapping[int, str]) -> tuple[TractRow, ...]:
    """One row a tract, in order."""
    columns = _columns(tracts)
    return tuple(
        TractRow(
            tract["number"],
            pictures.get(tract["number"]),
            "complete" if tract.get("complete") else "partial",
            notes(tract),
            tuple(_cell(tract, column) for column in columns),
        )
        for tract in tracts
    )


def notes(tract: Record) -> tuple[str, ...]:
    """What to look at in a tract."""
    found = [_ON.get(kind, f"on {kind}") for kind in tract.get("on_artefact", ())]
    if is_doubtful(tract.get("probability")):
        found.append("low confidence")
    if tract.get("bridging"):
        found.append("bridging")
    return tuple(found)


_ON = {"defocus": "out of focus", "fold": "on a fold", "bubble": "under a bubble"}


def _columns(tracts: Sequence[Record]) -> tuple[_Column, ...]:
    return tuple(c for c in _COLUMNS if any(tract.get(c.key) is not None for tract in tracts))


def _cell(tract: Record, column: _Column) -> Cell:
    value = tract.get(column.key)
    return cell(None if value is None else column.factor * value, column.style)
