"""Files and folders that are either whole or not there."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from glisson.errors import OutputError, SettingsError

_MOST_TABLE_BYTES = 64 << 20
"""A row a slide of a million slides fits."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?( \([-\d. to]+\))?").fullmatch
"""Such as `-0.12 (-0.20 to 0.05)`, which is as it should be."""

_UNFINISHED = ".unfinished-"


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A name to write to beside `path`; renamed to it when all went well, else removed.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(
            prefix=unfinished_prefix(path.name), suffix="".join(path.suffixes[-2:]), dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise _output_error(path, error) from error
    unfinished = Path(name)
    try:
        yield unfinished
        _flush(unfinished)
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OutputError:
        raise
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def unfinished_prefix(name: str) -> str:
    """How the name of something begins that this process has not finished yet."""
    return f".{name}{_UNFINISHED}{_this_host()}-{os.getpid()}-"


def remove_abandoned(*folders: Path) -> None:
    """Remove what processes of this machine had not finished when they were killed.

    What a process that runs is at work on stays, and so does what other machines have begun.
    """
    ours = re.compile(rf"\..+{re.escape(_UNFINISHED + _this_host())}-(\d+)-")
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            match = ours.match(path.name)
            if match is not None and not _is_running(int(match[1])):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    """Whether a process is there and not just a zombie that nobody has asked after."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _this_host() -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "_", platform.node()) or "host"


def free_name(path: Path, what: str, ending: str = "") -> Path:
    """`<path>.<what>-1` and on, with an ending: the first that nothing has."""
    number = 1
    while (free := path.with_name(f"{path.name}.{what}-{number}{ending}")).exists():
        number += 1
    return free


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


@contextlib.contextmanager
def atomic_folder(path: Path, replaces: str) -> Iterator[Path]:
    """A new folder to fill beside `path`; renamed to it when all went well, else removed.

    Args:
        path: the folder.
        replaces: an old `path` may give way only if all its entries match this pattern.

    Raises:
        OutputError: the disk is full, something else is in the way, or no folder can be made.
    """
    try:
        _check_replaceable(path, replaces)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OutputError:
        raise
    except OSError as error:
        raise _output_error(path, error) from error
    try:
        yield unfinished
        for file in unfinished.iterdir():
            _flush(file)
            file.chmod(0o644)
        unfinished.chmod(0o755)
        _replace_folder(unfinished, path)
    except OutputError:
        raise
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _check_replaceable(path: Path, pattern: str) -> None:
    if path.is_dir() and all(entry.match(pattern) for entry in path.iterdir()):
        return
    if path.exists():
        raise OutputError(
            f"{path} already holds something else, which is not overwritten. "
            "Choose another folder, then run again."
        )


def _replace_folder(new: Path, path: Path) -> None:
    """Rename; a folder cannot take the place of a full one, so the old one steps aside first."""
    if not path.exists():
        new.rename(path)
        return
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as aside:
        old = Path(aside) / path.name
        path.rename(old)
        try:
            new.rename(path)
        except OSError:
            old.rename(path)
            raise


def _flush(path: Path) -> None:
    """Have the bytes on the disk before the name points to them."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _output_error(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"{path} cannot be written: {reason}. Free some space or choose another folder, "
        "then run again."
    )
