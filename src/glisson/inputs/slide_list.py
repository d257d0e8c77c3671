"""The slides that a run is asked for: files, folders, patterns, and a table of what is special."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from glisson.errors import SettingsError
from glisson.files.csv_tables import check_table_size, parse_rows, read_rows, unescape_cell
from glisson.inputs.redaction import check_pseudonym
from glisson.inputs.remote_list import is_called_slide, slides_on_store
from glisson.slides import find_dicom_slides, is_dicom_folder
from glisson.storage import Place, Url, absolute, look_at, place, read

_MOST_NAMED = 5


@dataclass(frozen=True)
class AskedSlide:
    """One slide that a run is asked for.

    Attributes:
        path: the slide file, or a DICOM slide's folder; or its address on a store.
        mpp: its level-0 µm per pixel, where the file has none or a wrong one.
        sections: of the same cores on it, where they are known.
        patient: whose it is, for the tables.
        institution: whence it is, for the tables.
        pseudonym: told instead of its name, which then stands nowhere; a safe file name.

    Raises:
        SettingsError: a pseudonym that is none, or tells the slide's name.
    """

    path: Place
    mpp: float | None = None
    sections: int | None = None
    patient: str | None = None
    institution: str | None = None
    pseudonym: str | None = None

    def __post_init__(self) -> None:
        """Refuse a pseudonym that is none."""
        if self.pseudonym is not None:
            check_pseudonym(self.pseudonym, self.path)

    def __repr__(self) -> str:
        """As Dask logs a task: a slide with a pseudonym is told by it alone."""
        told = f"path={str(self.path)!r}" if self.pseudonym is None else repr(self.pseudonym)
        return f"AskedSlide({told})"


def _none_if_empty(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


_Empty = BeforeValidator(_none_if_empty)


class _Row(BaseModel):
    """A row of the table."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    slide: Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f]+$")]
    mpp: Annotated[Annotated[float, Field(gt=0, allow_inf_nan=False)] | None, _Empty] = None
    sections: Annotated[Annotated[int, Field(ge=1, le=100)] | None, _Empty] = None
    patient: Annotated[str | None, _Empty] = None
    institution: Annotated[str | None, _Empty] = None


def asked_slides(
    given: Sequence[Place | str], table: Place | str | None = None
) -> tuple[AskedSlide, ...]:
    """What to segment, in a fixed order, each slide once.

    Args:
        given: slide files, folders of slides, and patterns such as `scans/**/*.svs`; paths, or
            addresses such as `s3://bucket/scans/`.
        table: a CSV file with the column `slide` and any of `mpp`, `sections`, `patient`,
            `institution`. With nothing given, its slides are the run; otherwise it must speak of
            slides that are given. Paths are relative to the table's folder, here or on a store.

    Raises:
        SettingsError: no slide, a table that cannot be read, or one that names other slides.
    """
    where = None if table is None else place(table)
    rows = _read_table(where) if where is not None else []
    if not given:
        return _all_once(rows)
    found = _all_once([AskedSlide(path) for each in given for path in _expanded(place(each))])
    return _with_rows(found, rows, where)


def _expanded(given: Place) -> Iterator[Place]:
    if isinstance(given, Url):
        yield from slides_on_store(given)
    elif given.is_dir() and not _is_dicom_slide(given):
        yield from _slides_in(given)
    elif not given.exists() and glob.has_magic(str(given)):
        yield from (Path(each) for each in sorted(glob.glob(str(given), recursive=True)))
    else:
        yield given


def _slides_in(folder: Path) -> list[Path]:
    """A folder's own slides, in order; folders in it count only where they are DICOM slides.

    Raises:
        SettingsError: there is none.
    """
    found = [path for path in folder.iterdir() if _is_slide(path)]
    found = sorted([*found, *find_dicom_slides(folder)])
    if not found:
        raise SettingsError(
            f"{folder} holds no slide. Give slide files, or a pattern such as '{folder}/**/*.svs'."
        )
    return found


def _is_slide(path: Path) -> bool:
    if path.is_dir():
        return not path.name.startswith(".") and _is_dicom_slide(path)
    return is_called_slide(path)


def _is_dicom_slide(folder: Path) -> bool:
    """Whether a folder is one DICOM slide: a DICOM file among other slides does not make it one."""
    if not is_dicom_folder(folder):
        return False
    return not any(is_called_slide(path) and path.is_file() for path in folder.iterdir())


def _all_once(asked: Sequence[AskedSlide]) -> tuple[AskedSlide, ...]:
    """The first of slides that are the same file."""
    found: dict[Place, AskedSlide] = {}
    for each in asked:
        found.setdefault(absolute(each.path), each)
    return tuple(found.values())


def _with_rows(
    found: tuple[AskedSlide, ...], rows: list[AskedSlide], table: Place | None
) -> tuple[AskedSlide, ...]:
    special = {absolute(row.path): row for row in rows}
    known = {absolute(each.path) for each in found}
    strangers = [row.path.name for path, row in special.items() if path not in known]
    if strangers:
        named = ", ".join(strangers[:_MOST_NAMED])
        raise SettingsError(
            f"{table} speaks of {len(strangers)} slide(s) that are not given: {named}. "
            "Correct their names (relative to the table's folder), or give those slides too."
        )
    return tuple(replace(special.get(absolute(each.path), each), path=each.path) for each in found)


def _read_table(table: Place) -> list[AskedSlide]:
    rows = read_rows(table) if isinstance(table, Path) else _rows_on_store(table)
    if not rows:
        raise SettingsError(f"{table} lists no slide; it needs a column `slide` and a row each.")
    asked = [_asked(row, line, table) for line, row in rows]
    _check_once(asked, [line for line, _ in rows], table)
    return asked


def _check_once(asked: Sequence[AskedSlide], lines: Sequence[int], table: Place) -> None:
    """Of two lines on a slide nobody knows which is meant."""
    first: dict[Place, int] = {}
    for each, line in zip(asked, lines, strict=True):
        before = first.setdefault(absolute(each.path), line)
        if before != line:
            raise SettingsError(
                f"{table}, lines {before} and {line}: the same slide twice. Delete one of them."
            )


def _asked(row: dict[str, str], number: int, table: Place) -> AskedSlide:
    try:
        checked = _Row.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        column = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"{table}, line {number}, column {column}: {first['msg']}. The columns are slide, mpp, "
            "sections, patient and institution."
        ) from error
    return AskedSlide(
        beside(table, unescape_cell(checked.slide)), checked.mpp, checked.sections, checked.patient,
        checked.institution,
    )  # fmt: skip


def _rows_on_store(table: Url) -> list[tuple[int, dict[str, Any]]]:
    size = look_at(table).bytes
    check_table_size(size, table)
    return parse_rows(read(table, 0, size), table)


def beside(table: Place, slide: str) -> Place:
    """A slide as a table names it: an address, a whole path, or relative to the table's folder."""
    named = place(slide)
    if isinstance(named, Url):
        return named
    if isinstance(table, Path) or named.is_absolute():
        return table.parent / slide if isinstance(table, Path) else named
    return table.parent / slide
