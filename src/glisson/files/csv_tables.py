"""CSV tables: written whole, read with line numbers, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from glisson.errors import SettingsError
from glisson.files.atomic import atomic_path

_MOST_TABLE_BYTES = 64 << 20
"""Enough for a million slides, one row each."""
_SEPARATORS = ",;\t"
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?', re.IGNORECASE).fullmatch
_DECIMAL_COMMA = re.compile(r"[-+]?(?![1-9]\d{0,2},\d{3}$)\d+,\d+").fullmatch
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""With the full-width signs, which spreadsheets read like the others."""
_SIGNS = "[=+\\-@\t\r＝＋－＠]"
_SPLITS = re.compile(rf"([;\t\r\n])(\s*)(?={_SIGNS})")
"""Where a spreadsheet that splits at semicolons, tabs or lines begins a cell with a formula."""
_ESCAPED_SPLITS = re.compile(rf"([;\t\r\n])(\s*)'(?={_SIGNS})")
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?( \([-\d. to]+\))?").fullmatch
"""Such as `-0.12 (-0.20 to 0.05)`, which needs no escape."""


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV table with a header, whole or not at all; escape texts that are formulas.

    Raises:
        OutputError: as `atomic_path`.
    """
    with (
        atomic_path(path) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        write_cells(file, (columns, *([row.get(key) for key in columns] for row in rows)))


def write_cells(file: IO[str], rows: Iterable[Sequence[object]], line_ending: str = "\r\n") -> None:
    """Write rows of cells as CSV: the one place that knows separator, quotes and escapes."""
    table = csv.writer(file, lineterminator=line_ending)
    table.writerows([escape_cell(cell) for cell in row] for row in rows)


def escape_cell(value: Any) -> Any:
    """Return the value with an apostrophe before each text that a spreadsheet would calculate.

    A spreadsheet that splits at semicolons, as German and French ones do, begins a cell there.
    """
    if value is None:
        return ""
    if not isinstance(value, str) or _NUMBER(value):
        return value
    value = _SPLITS.sub(r"\1\2'", value)
    return f"'{value}" if value.lstrip().startswith(_FORMULA_STARTS) else value


def unescape_cell(cell: str) -> str:
    """Undo `escape_cell`."""
    cell = _ESCAPED_SPLITS.sub(r"\1\2", cell)
    is_escaped = cell.startswith("'") and cell[1:].lstrip().startswith(_FORMULA_STARTS)
    return cell[1:] if is_escaped else cell


@dataclass(frozen=True)
class Table:
    """A table as a spreadsheet wrote it.

    Attributes:
        columns: names in the first line, without blanks around them.
        rows: the line on which each row ends, and its cells by column; a missing cell is None.
        separator: comma, semicolon or tab.
    """

    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, Any]]]
    separator: str


def read_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Read a table: each row with the line on which it ends, its cells by lower-case column.

    Raises:
        SettingsError: as `read_csv`, or a column has its name twice.
    """
    return _lower_columns(read_csv(path), path)


def parse_rows(data: bytes, name: object) -> list[tuple[int, dict[str, Any]]]:
    """Parse a table's bytes, as `read_rows`; errors call the table `name`."""
    return _lower_columns(parse_csv(data, name), name)


def _lower_columns(table: Table, name: object) -> list[tuple[int, dict[str, Any]]]:
    columns = [column.casefold() for column in table.columns]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise SettingsError(f"{name} has the column {twice[0]!r} twice; rename one.")
    return [
        (line, {column.casefold(): cell for column, cell in row.items()})
        for line, row in table.rows
    ]


def read_csv(path: Path) -> Table:
    """Read a table in UTF-8 that a spreadsheet of any country wrote.

    Commas, semicolons or tabs separate the cells; Excel's line `sep=;` may come first. Rows
    without text are skipped.

    Raises:
        SettingsError: the file cannot be read, is empty or larger than 64 MiB, or a line has more
            cells than the header.
    """
    try:
        check_table_size(path.stat().st_size, path)
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{path} cannot be read as a table: {reason}. Name another.") from error
    return parse_csv(data, path)


def parse_csv(data: bytes, name: object) -> Table:
    """Parse a table's bytes, as `read_csv`; errors call the table `name`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{name} is not UTF-8: {error}. In Excel: Save As, CSV UTF-8."
        ) from error
    if not text.strip():
        raise SettingsError(f"{name} is empty; its first line must name the columns.")
    first, _, rest = text.partition("\n")
    said = _SEPARATOR_LINE(first.strip())
    if said:
        text, first = rest, rest.partition("\n")[0]
    separator = said[1] if said else max(_SEPARATORS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        columns = [column.strip() for column in next(lines, [])]
        offset = 1 if said else 0
        rows = [
            (line, _name_cells(columns, cells, f"{name}, line {line}"))
            for line, cells in ((lines.line_num + offset, cells) for cells in lines)
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise SettingsError(
            f"{name}, line {lines.line_num}: it cannot be read as a table: {error}. Save the table "
            "as CSV UTF-8 again."
        ) from error
    return Table(tuple(column for column in columns if column), rows, separator)


def _name_cells(columns: Sequence[str], cells: Sequence[str], where: str) -> dict[str, Any]:
    """Return a row's cells by column; reject text where the header names no column."""
    padded = [*columns, *[""] * (len(cells) - len(columns))]
    if any(cell.strip() for name, cell in zip(padded, cells, strict=False) if not name):
        raise SettingsError(
            f"{where} has more cells than the header has names. Put a text that holds the "
            "separator in quotes; with decimal commas, separate by semicolons or tabs."
        )
    named = {column: None for column in columns if column}
    return named | {name: cell for name, cell in zip(columns, cells, strict=False) if name}


def point_decimal(value: object) -> object:
    """Return a number's text with a decimal point for its comma, as in 0,25.

    Text such as 1,250 stays, and so is no number: it may mean 1.25 or 1250.
    """
    is_decimal = isinstance(value, str) and _DECIMAL_COMMA(value.strip())
    return str(value).replace(",", ".") if is_decimal else value


def check_table_size(size_bytes: int, name: object) -> None:
    """Reject a file that is too large for a table of slides.

    Raises:
        SettingsError: larger than 64 MiB.
    """
    if size_bytes > _MOST_TABLE_BYTES:
        raise SettingsError(
            f"{name} is larger than 64 MiB, too large for a table of slides. Check the file."
        )
