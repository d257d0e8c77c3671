"""The list of slides of a run: files, folders, patterns, and a table of facts on single slides."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from glisson.errors import SettingsError
from glisson.files.csv_tables import (
    check_table_size,
    parse_rows,
    point_decimal,
    read_rows,
    unescape_cell,
)
from glisson.inputs.redaction import check_pseudonym
from glisson.inputs.remote_list import has_slide_name, is_class_map, list_slides_on_store
from glisson.slides import find_dicom_slides, is_dicom_folder
from glisson.storage import Place, Url, parse_place, read, resolve_place, stat_url

_MOST_NAMED = 5
_OWN_RECORDS = ("manifest.json", "biopsy.json")
"""Files that stand in every result folder of a slide."""


@dataclass(frozen=True)
class SlideEntry:
    """A slide in the list of a run.

    Attributes:
        path: the slide file, or a DICOM slide's folder; or its address on a store.
        mpp: level-0 µm per pixel, where the file has none or a wrong value.
        sections: number of sections of the same cores, where that is known.
        series: number of the image in a file of several, from 0.
        patient: the patient, for the tables.
        institution: the institution, for the tables.
        pseudonym: the name that replaces the slide's name everywhere; a safe file name.

    Raises:
        SettingsError: an invalid pseudonym, or one that tells the slide's name.
    """

    path: Place
    mpp: float | None = None
    sections: int | None = None
    patient: str | None = None
    institution: str | None = None
    pseudonym: str | None = None
    series: int | None = None

    def __post_init__(self) -> None:
        """Reject an invalid pseudonym."""
        if self.pseudonym is not None:
            check_pseudonym(self.pseudonym, self.path)

    def __repr__(self) -> str:
        """Return the text that Dask logs of a task: it shows a pseudonym instead of the path."""
        shown = f"path={str(self.path)!r}" if self.pseudonym is None else repr(self.pseudonym)
        return f"SlideEntry({shown})"


_Empty = BeforeValidator(
    lambda value: None if isinstance(value, str) and not value.strip() else value
)


class _Row(BaseModel):
    """A row of the table."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    slide: Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f]+$")]
    mpp: Annotated[
        Annotated[float, Field(gt=0, allow_inf_nan=False)] | None,
        BeforeValidator(point_decimal),
        _Empty,
    ] = None
    sections: Annotated[Annotated[int, Field(ge=1, le=100)] | None, _Empty] = None
    series: Annotated[Annotated[int, Field(ge=0)] | None, _Empty] = None
    patient: Annotated[str | None, _Empty] = None
    institution: Annotated[str | None, _Empty] = None


def list_slides(
    given: Sequence[Place | str], table: Place | str | None = None
) -> tuple[SlideEntry, ...]:
    """List the slides of a run, in a fixed order, without duplicates.

    Args:
        given: slide files, folders of slides, and patterns such as `scans/**/*.svs`; paths, or
            addresses such as `s3://bucket/scans/`.
        table: a CSV file with the column `slide` and any of `mpp`, `sections`, `series`,
            `patient`, `institution`. If `given` is empty, the table's slides are the list;
            otherwise the table may name given slides alone. Paths are relative to its folder, on a
            store too.

    Raises:
        SettingsError: no slide, an invalid table, or a table that names other slides.

    Files of Glisson's own results are no slides, also where a pattern or the shell finds them.
    """
    where = None if table is None else parse_place(table)
    rows = _read_table(where) if where is not None else []
    if not given:
        return _drop_duplicates(rows)
    paths = [path for each in given for path in _expand(parse_place(each))]
    found = [SlideEntry(path) for path in paths if not _is_own_result(path)]
    if paths and not found:
        raise SettingsError(
            f"{paths[0]} is a file of Glisson's own results, not a slide. Give slide files, or a "
            "folder of them."
        )
    slides = _drop_duplicates(found)
    facts = {resolve_place(row.path): row for row in rows}
    known = {resolve_place(each.path) for each in slides}
    unknown = [row.path.name for path, row in facts.items() if path not in known]
    if unknown:
        named = ", ".join(unknown[:_MOST_NAMED])
        raise SettingsError(
            f"{where} lists {len(unknown)} slide(s) that are not given: {named}. "
            "Correct their names (relative to the table's folder), or give those slides too."
        )
    return tuple(
        replace(facts.get(resolve_place(each.path), each), path=each.path) for each in slides
    )


def _expand(given: Place) -> Iterator[Place]:
    if isinstance(given, Url):
        yield from list_slides_on_store(given)
    elif given.is_dir() and not _is_dicom_slide(given):
        yield from _list_folder(given)
    elif not given.exists() and glob.has_magic(str(given)):
        paths = (Path(each) for each in sorted(glob.glob(str(given), recursive=True)))
        yield from (path for path in paths if not is_class_map(path))
    else:
        yield given


def _is_own_result(path: Place) -> bool:
    """Return whether a file lies in a slide's result folder, or in its folder of thumbnails."""
    if isinstance(path, Url):
        return False
    places = path.absolute().parents[:2]
    return any(all((place / name).is_file() for name in _OWN_RECORDS) for place in places)


def _list_folder(folder: Path) -> list[Path]:
    """List the slides of a folder, in order; a folder in it counts only if it is a DICOM slide.

    Raises:
        SettingsError: the folder holds no slide.
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
    return has_slide_name(path)


def _is_dicom_slide(folder: Path) -> bool:
    """Return whether a folder is one DICOM slide: it holds DICOM files and no other slides."""
    if not is_dicom_folder(folder):
        return False
    return not any(has_slide_name(path) and path.is_file() for path in folder.iterdir())


def _drop_duplicates(slides: Sequence[SlideEntry]) -> tuple[SlideEntry, ...]:
    """Drop slides whose file stands in the list before."""
    found: dict[Place, SlideEntry] = {}
    for each in slides:
        found.setdefault(resolve_place(each.path), each)
    return tuple(found.values())


def _read_table(table: Place) -> list[SlideEntry]:
    if isinstance(table, Path):
        rows = read_rows(table)
    else:
        size = stat_url(table).bytes
        check_table_size(size, table)
        rows = parse_rows(read(table, 0, size), table)
    if not rows:
        raise SettingsError(f"{table} lists no slide; it needs a column `slide` and a row each.")
    first: dict[Place, int] = {}
    slides = []
    for line, row in rows:
        slide = _parse_row(row, line, table)
        before = first.setdefault(resolve_place(slide.path), line)
        if before != line:
            raise SettingsError(
                f"{table}, lines {before} and {line}: the same slide twice. Delete one of them."
            )
        slides.append(slide)
    return slides


def _parse_row(row: dict[str, str], number: int, table: Place) -> SlideEntry:
    try:
        checked = _Row.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        column = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"{table}, line {number}, column {column}: {first['msg']}. The columns are slide, mpp, "
            "sections, series, patient and institution."
        ) from error
    where = resolve_slide(unescape_cell(checked.slide), table)
    return SlideEntry(
        where,
        checked.mpp,
        checked.sections,
        checked.patient,
        checked.institution,
        series=checked.series,
    )


def resolve_slide(slide: str, table: Place) -> Place:
    """Return the place of a slide that a table names; relative paths begin at its folder."""
    named = parse_place(slide)
    if isinstance(named, Url) or named.is_absolute():
        return named
    return table.parent / slide
