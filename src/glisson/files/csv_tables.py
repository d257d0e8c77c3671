"""CSV tables: written whole, read with line numbers, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from glisson.errors import SettingsError
from glisson.files.atomic import atomic_path

_MOST_TABLE_BYTES = 64 << 20
"""Enough for a million slides, one row each."""
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
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows({key: escape_cell(value) for key, value in row.items()} for row in rows)


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


def read_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Read a CSV table in UTF-8: each row with the line on which it ends; a missing cell is None.

    Raises:
        SettingsError: the file cannot be read or is larger than 64 MiB, a column has its name
            twice, or a line has more cells than the header.
    """
    try:
        check_table_size(path.stat().st_size, path)
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as a table: {error}.") from error
    return parse_rows(data, path)


def parse_rows(data: bytes, name: object) -> list[tuple[int, dict[str, Any]]]:
    """Parse a table's bytes, as `read_rows`; errors call the table `name`."""
    try:
        table = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        columns = list(table.fieldnames or ())
        rows = [(table.line_num, dict(row)) for row in table]
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{name} is not UTF-8: {error}. In Excel: Save As, CSV UTF-8 (comma delimited)."
        ) from error
    except (ValueError, csv.Error) as error:
        raise SettingsError(f"{name} cannot be read as a table: {error}.") from error
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise SettingsError(f"{name} has the column {twice[0]!r} twice; rename one.")
    for line, row in rows:
        surplus: Any = row.pop(None, None)
        if surplus and any(surplus):
            raise SettingsError(
                f"{name}, line {line} has more cells than the first line names. Correct it."
            )
    return rows


def check_table_size(size_bytes: int, name: object) -> None:
    """Reject a file that is too large for a table of slides.

    Raises:
        SettingsError: larger than 64 MiB.
    """
    if size_bytes > _MOST_TABLE_BYTES:
        raise SettingsError(
            f"{name} is larger than 64 MiB, too large for a table of slides. Check the file."
        )
