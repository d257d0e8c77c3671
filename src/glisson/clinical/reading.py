"""Tables of spreadsheets: three separators, decimal commas, words for missing values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from glisson.errors import SettingsError
from glisson.files.csv_tables import point_decimal, read_csv, unescape_cell

_MISSING = {"", "-", "–", "na", "n/a", "nan", "none", "null"}
_TEXTS = ("slide", "file", "patient", "role", "diagnosis", "stage", "tract_count_reason")


class _Row(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", str_strip_whitespace=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _parse_missing(cls, value: object, info: ValidationInfo) -> object:
        """Return None for a word that means missing; for a stage, `none` may mean stage 0."""
        words = _MISSING - {"none"} if info.field_name == "stage" else _MISSING
        return None if isinstance(value, str) and value.strip().casefold() in words else value


class ModelRow(_Row):
    """Measurements of a model on a slide: a row of biopsies.csv, or columns of cases.csv."""

    tissue_area_mm2: float | None = Field(default=None, ge=0)
    tissue_area_per_section_mm2: float | None = Field(default=None, ge=0)
    portal_percent: float | None = Field(default=None, ge=0, le=100)
    tract_count_total: float | None = Field(default=None, ge=0)
    tract_count_per_section: float | None = Field(default=None, ge=0)
    tract_count_reason: str | None = None
    length_mm: float | None = Field(default=None, ge=0)
    length_per_section_mm: float | None = Field(default=None, ge=0)
    synthetic: bool | None = None


class BiopsyRow(ModelRow):
    """Row of biopsies.csv."""

    slide: str = Field(min_length=1)
    file: str | None = None


class CaseRow(ModelRow):
    """Row of cases.csv."""

    slide: str = Field(min_length=1)
    patient: str | None = None
    role: str | None = None
    diagnosis: str | None = None
    stage: str | None = None
    report_tract_count: float | None = Field(default=None, ge=0)
    second_reader_tract_count: float | None = Field(default=None, ge=0)
    manual_length_cm: float | None = Field(default=None, ge=0)


Row = TypeVar("Row", bound=_Row)


def read_table(
    path: Path, kind: type[Row], columns: Mapping[str, str] | None = None
) -> tuple[list[Row], frozenset[str]]:
    """Read the rows of a CSV file, and the names of its columns that Glisson knows.

    Args:
        path: the file, UTF-8, separated by commas, semicolons or tabs.
        kind: type of a row.
        columns: name of a column in the file, by Glisson's name.

    Raises:
        SettingsError: no such file, no table, a missing or repeated column, a line with more
            cells than the header, or an invalid value; names the line.
    """
    table = read_csv(path)
    names = _map_names(path, kind, table.columns, columns or {})
    rows = [
        _parse_row(row, names, kind, table.separator, f"{path}, line {line}")
        for line, row in table.rows
    ]
    return rows, frozenset(names)


def _map_names(
    path: Path, kind: type[Row], header: Iterable[str], columns: Mapping[str, str]
) -> dict[str, str]:
    """Return the file's name of each known column, by Glisson's name."""
    known, header = set(kind.model_fields), list(header)
    unknown = sorted(set(columns) - known)
    if unknown:
        raise SettingsError(
            f"--column: there is no column '{unknown[0]}'; there are {', '.join(sorted(known))}."
        )
    absent = sorted(theirs for theirs in columns.values() if theirs not in header)
    if absent:
        raise SettingsError(f"{path} has no column '{absent[0]}'; it has {', '.join(header)}.")
    names = {name.casefold(): name for name in header if name.casefold() in known} | dict(columns)
    if "slide" not in names:
        raise SettingsError(
            f"{path} has no column 'slide'; it has {', '.join(header)}. Name the column of slides "
            "with --column slide=NAME."
        )
    twice = sorted(theirs for theirs in names.values() if header.count(theirs) > 1)
    if twice:
        raise SettingsError(
            f"{path} has two columns '{twice[0]}'; rename the column that is not meant."
        )
    return names


def _parse_row(
    row: Mapping[Any, Any], names: Mapping[str, str], kind: type[Row], separator: str, where: str
) -> Row:
    values = {our: row[their] or "" for our, their in names.items()}
    for name, text in values.items():
        if name in _TEXTS:
            values[name] = unescape_cell(text)
        elif separator != ",":  # a decimal comma
            values[name] = text.replace(",", ".")
        else:
            values[name] = str(point_decimal(text))
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        column = ".".join(map(str, problem["loc"]))
        raise SettingsError(
            f"{where}: {names.get(column, column)} is '{problem['input']}': {problem['msg']}. "
            "Correct it, or leave the cell empty."
        ) from error
