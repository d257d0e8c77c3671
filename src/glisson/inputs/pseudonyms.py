"""The table of pseudonyms, checked before any work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from glisson.errors import SettingsError
from glisson.files.csv_tables import read_rows
from glisson.inputs.slide_list import SlideEntry, resolve_slide
from glisson.storage import resolve_place

_COLUMNS = {"slide", "pseudonym"}
_MOST_NAMED = 5
_TELLING = 4
"""Characters from which a patient that is a part of the slide's name reveals the name."""


@dataclass(frozen=True)
class _Row:
    """A line of the table; `slide` is a name, or a path relative to the table's folder."""

    line: int
    slide: str
    pseudonym: str


def assign_pseudonyms(slides: Sequence[SlideEntry], table: Path) -> tuple[SlideEntry, ...]:
    """Give slides the pseudonyms of a table, which may list more slides.

    No message holds a slide's name, as it would reach logs.

    Args:
        slides: the list of a run.
        table: CSV with the columns `slide` (file name, or path relative to the table's folder) and
            `pseudonym`.

    Raises:
        SettingsError: the table cannot be read, or a line or slide is invalid; names the line.
    """
    rows = list(_read_rows(table))
    _check_unique(rows, table)
    by_path = {resolve_place(resolve_slide(row.slide, table)): row for row in rows}
    by_name = {row.slide: row for row in rows}
    found = [by_path.get(resolve_place(each.path), by_name.get(each.path.name)) for each in slides]
    missing = [str(number) for number, row in enumerate(found, 1) if row is None]
    if missing:
        named = ", ".join(missing[:_MOST_NAMED])
        raise SettingsError(
            f"{table} has no pseudonym for {len(missing)} of {len(slides)} slides: in the order "
            f"given, number {named}. Add a line for each."
        )
    matched = [row for row in found if row is not None]
    shared = [line for line, count in Counter(row.line for row in matched).items() if count > 1]
    if shared:
        raise SettingsError(
            f"{table}, line {shared[0]}: several slides of this run have that name. Write each "
            "with its path, relative to the table's folder."
        )
    names = {each.path.stem.casefold() for each in slides}
    for row in rows:
        if row.pseudonym.casefold() in names:
            raise SettingsError(
                f"{table}, line {row.line}: the pseudonym is a slide's own name. Choose another."
            )
    pairs = zip(slides, matched, strict=True)
    return tuple(_assign(slide, row, table) for slide, row in pairs)


def _read_rows(table: Path) -> Iterator[_Row]:
    rows = read_rows(table)
    if not rows:
        raise SettingsError(f"{table} lists no slide; it needs the columns slide and pseudonym.")
    for line, row in rows:
        cells = {key: value.strip() for key, value in row.items() if isinstance(value, str)}
        if set(row) != _COLUMNS or set(cells) != _COLUMNS:
            raise SettingsError(f"{table}, line {line}: the columns must be slide and pseudonym.")
        empty = sorted(key for key, value in cells.items() if not value)
        if empty or "\0" in cells["slide"]:
            raise SettingsError(f"{table}, line {line}: {' and '.join(empty) or 'slide'} is empty.")
        yield _Row(line, cells["slide"], cells["pseudonym"])


def _check_unique(rows: Sequence[_Row], table: Path) -> None:
    for what in ("slide", "pseudonym"):
        first: dict[str, int] = {}
        for row in rows:
            key = str(getattr(row, what))
            key = key.casefold() if what == "pseudonym" else key
            if key in first:
                raise SettingsError(
                    f"{table}, lines {first[key]} and {row.line}: the same {what} twice."
                )
            first[key] = row.line


def _assign(slide: SlideEntry, row: _Row, table: Path) -> SlideEntry:
    patient = (slide.patient or "").casefold()
    if len(patient) >= _TELLING and patient in slide.path.stem.casefold():
        raise SettingsError(
            f"{table}, line {row.line}: the slide's patient in --manifest is a part of its name, "
            "and would stand in tables. Give patients pseudonyms too."
        )
    try:
        return replace(slide, pseudonym=row.pseudonym)
    except SettingsError as error:
        raise SettingsError(f"{table}, line {row.line}: {error}") from None
