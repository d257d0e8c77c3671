"""Tables that a statistician opens: a row for every biopsy, tract and candidate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from glisson.files.atomic import atomic_path
from glisson.files.csv_tables import write_cells
from glisson.measurement import (
    STANDARDS,
    BiopsyMeasurements,
    CandidateMeasurements,
    Tables,
    TractMeasurements,
    list_shown,
)
from glisson.record import BiopsyRecord

_CASE_COLUMNS = ("patient", "institution")
_CANDIDATE_TOTALS = ("candidate_count", "candidate_area_mm2")
_ADEQUACY_COLUMNS = tuple(f"adequacy_{standard.key}" for standard in STANDARDS)
_QUPATH_COLUMNS = ("qupath_id", "qupath_name")
_LAST_COLUMNS = ("plausibility", "model", "source", "synthetic", "warnings")

Case = tuple[str | None, str | None]
"""Patient and institution."""


def write_tables(
    out: Path,
    slides: Iterable[tuple[str, BiopsyRecord]],
    ending: str = "",
    cases: Mapping[str, Case] | None = None,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Write `biopsies.csv`, `tracts.csv` and `candidates.csv`.

    The registry of measurements names the columns. Candidates have a table of their own, so that
    nobody counts them as tracts. Cells are empty where results of earlier versions lack a number.

    Args:
        out: folder.
        slides: (name, record) of each slide with a result.
        ending: of the tables' names, such as `_edited`.
        cases: patient and institution by name; the columns are there where any slide has one.
        settings: for slides that were not all measured alike, what tells them apart, by name; the
            tables then have the column `settings`.

    Raises:
        OutputError: a table cannot be written.
    """
    slides, cases = list(slides), cases or {}
    has_cases = any(value for case in cases.values() for value in case)
    _write(
        out / f"biopsies{ending}.csv",
        (
            *("slide", "file", *(_CASE_COLUMNS if has_cases else ())),
            *(*_keys(BiopsyMeasurements), *_CANDIDATE_TOTALS, *_ADEQUACY_COLUMNS, *_LAST_COLUMNS),
        ),
        (
            _biopsy_row(name, record, cases.get(name, (None, None)) if has_cases else ())
            for name, record in slides
        ),
        settings,
    )
    # Rows of corrected outlines get new numbers: QuPath's name and id say which outline it is.
    names = _QUPATH_COLUMNS if any(record.edited for _, record in slides) else ()
    _write(
        out / f"tracts{ending}.csv",
        ("slide", *_keys(TractMeasurements), *names),
        (
            [name, *_values(TractMeasurements, tract), *(getattr(tract, key) for key in names)]
            for name, record in slides
            for tract in record.tracts
        ),
        settings,
    )
    _write(
        out / f"candidates{ending}.csv",
        ("slide", *_keys(CandidateMeasurements)),
        (
            [name, *_values(CandidateMeasurements, candidate)]
            for name, record in slides
            for candidate in record.candidate_areas
        ),
        settings,
    )


def _keys(block: type) -> list[str]:
    return [row.key for row in list_shown(block, Tables.CSV)]


def _values(block: type, measured: object) -> list[Any]:
    return [row.value_of(measured) for row in list_shown(block, Tables.CSV)]


def _biopsy_row(name: str, record: BiopsyRecord, case: tuple[str | None, ...]) -> list[Any]:
    candidates, plausibility = record.candidates, record.plausibility
    verdict_of = {each.standard: each.verdict for each in record.adequacy}
    return [
        name,
        record.slide.file,
        *case,
        *_values(BiopsyMeasurements, record.biopsy),
        *((None, None) if candidates is None else (candidates.count, candidates.area_mm2)),
        *(verdict_of.get(standard.key, "") for standard in STANDARDS),
        "" if plausibility is None else plausibility.verdict,
        record.model.title,
        f"{record.source}: {record.edited.file}" if record.edited else record.source,
        record.slide.synthetic,
        " ".join(record.warnings),
    ]


def _write(
    path: Path,
    header: tuple[str, ...],
    rows: Iterable[list[Any]],
    settings: Mapping[str, str] | None,
) -> None:
    """Write a table whose rows begin with the slide's name; `settings` become the second column."""
    if settings is not None:
        header = (header[0], "settings", *header[1:])
        rows = ([row[0], settings.get(row[0], ""), *row[1:]] for row in rows)
    with (
        atomic_path(path) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        write_cells(file, (header, *rows))
