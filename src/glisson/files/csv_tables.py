"""CSV tables: written whole, read with their lines, without what spreadsheets call formulas."""

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
"""A row a slide of a million slides fits."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?( \([-\d. to]+\))?").fullmatch
"""Such as `-0.12 (-0.20 to 0.05)`, which is as it should be."""


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV table with a header, whole or not at all; texts are never formulas.

    Raises:
        OutputError: as `atomic_path`.
    """
    with (
        atomic_path(path) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows({key: table_cell(value) for key, value in row.items()} for row in rows)


def table_cell(value: Any) -> Any:
    """A value that a spreadsheet takes for data: an apostrophe before what would be a formula."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _NUMBER(value):
        return f"'{value}"
    return value


def told_by_cell(cell: str) -> str:
    """The text that `table_cell` made safe."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell


def read_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Rows of a CSV table in UTF-8 with the lines that they end on; a missing cell is None.

    Raises:
        SettingsError: it cannot be read, is larger than 64 MiB, names a column twice, or a line
            has more cells than the header.
    """
    try:
        check_table_size(path)
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as a table: {error}.") from error
    return rows_in(data, path)


def rows_in(data: bytes, named: object) -> list[tuple[int, dict[str, Any]]]:
    """The rows of a table's bytes, as `read_rows`; errors call it as it is named."""
    try:
        table = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        names = table.fieldnames or ()
        rows = [(table.line_num, dict(row)) for row in table]
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{named} is not UTF-8: {error}. In Excel: Save As, CSV UTF-8 (comma delimited)."
        ) from error
    except (ValueError, csv.Error) as error:
        raise SettingsError(f"{named} cannot be read as a table: {error}.") from error
    _check_header(named, names)
    return [(line, _without_surplus(row, f"{named}, line {line}")) for line, row in rows]


def check_table_size(path: Path) -> None:
    """Refuse what no table of slides is.

    Raises:
        SettingsError: larger than 64 MiB.
    """
    check_table_bytes(path.stat().st_size, path)


def check_table_bytes(size: int, named: object) -> None:
    """As `check_table_size`, of a table that is not here."""
    if size > _MOST_TABLE_BYTES:
        raise SettingsError(f"{named} is larger than 64 MiB, which no table of slides is.")


def _check_header(named: object, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if name and list(names).count(name) > 1})
    if twice:
        raise SettingsError(f"{named} has the column {twice[0]!r} twice; rename one.")


def _without_surplus(row: dict[Any, Any], where: str) -> dict[str, Any]:
    """Without the cells that stand under no name; they must be empty."""
    surplus = row.pop(None, None)
    if surplus and any(surplus):
        raise SettingsError(f"{where} has more cells than the first line names. Correct it.")
    return row
