"""Run a study, from its tables to its folder."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from glisson.clinical.analyses import Study, analyse
from glisson.clinical.cases import read_cases
from glisson.clinical.estimates import CONFIDENCE_PERCENT, Estimate
from glisson.clinical.figures import all_figures, save_figure
from glisson.clinical.methods import describe_methods, list_versions
from glisson.clinical.notes import list_notes
from glisson.clinical.page import write_study_page
from glisson.clinical.published import CITATION, PUBLISHED
from glisson.clinical.rows import (
    CASE_COLUMNS,
    ESTIMATE_COLUMNS,
    list_case_rows,
    list_estimate_rows,
)
from glisson.clinical.scales import find_scale
from glisson.clinical.settings import StudySettings
from glisson.clinical.tables import all_tables, key_table
from glisson.errors import OutputError
from glisson.files.atomic import atomic_folder, atomic_path
from glisson.files.csv_tables import write_rows
from glisson.files.json_files import write_json
from glisson.pages import Table

PAGE, NUMBERS, METHODS = "study.html", "study.json", "methods.md"
TABLES, FIGURES = "tables", "figures"


@dataclass(frozen=True)
class StudyResult:
    """Study on disk.

    Attributes:
        study: every analysis.
        tables: of the page.
        key: table of the main numbers.
        notes: on the data and the numbers.
        page: `study.html`.
    """

    study: Study
    tables: tuple[Table, ...]
    key: Table
    notes: tuple[str, ...]
    page: Path

    @property
    def refusals(self) -> dict[str, list[str]]:
        """Return the titles of the analyses that were not made, by the reason."""
        titles: dict[str, list[str]] = {}
        for analysis in self.study.analyses.values():
            if analysis.refusal:
                titles.setdefault(analysis.refusal, []).append(analysis.title)
        return titles


def run_study(cases: Path, out: Path, results: Path | None, settings: StudySettings) -> StudyResult:
    """Read the cases, analyse them and write the folder; see `glisson.study`."""
    scale = find_scale(settings.scale)
    joined = read_cases(cases, results, scale, settings.columns, settings.role)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be made: {error.strerror or error}. Choose another folder with -o."
        ) from error
    study = analyse(joined, scale, settings)
    tables, figures = all_tables(study), all_figures(study)
    _write_tables(out, study, tables)
    with atomic_folder(out / FIGURES, "*.[sp][vn]g") as folder:
        for figure in figures:
            save_figure(figure, folder, joined.synthetic)
    write_json(out / NUMBERS, _make_record(study))
    with atomic_path(out / METHODS) as unfinished:
        unfinished.write_text(describe_methods(study), encoding="utf-8")
    write_study_page(out / PAGE, study, tables, figures, out / FIGURES)
    return StudyResult(study, tuple(tables), key_table(study), tuple(list_notes(study)), out / PAGE)


def _write_tables(out: Path, study: Study, tables: list[Table]) -> None:
    """Replace the folder of tables, so that no table of an earlier study stays.

    With synthetic data every row says so: a CSV file has no title.
    """
    with atomic_folder(out / TABLES, "*.csv") as folder:
        for table in tables:
            if study.cases.synthetic:
                rows = tuple((*row, "True") for row in table.rows)
                table = replace(table, header=(*table.header, "synthetic"), rows=rows)
            (folder / f"{table.name}.csv").write_text(table.csv(), encoding="utf-8")
        write_rows(folder / "estimates.csv", ESTIMATE_COLUMNS, list_estimate_rows(study))
        write_rows(folder / "joined-cases.csv", CASE_COLUMNS, list_case_rows(study))


def _make_record(study: Study) -> dict[str, Any]:
    """Return every number as JSON, with its unit in its name or beside it."""
    return {
        "synthetic": study.cases.synthetic,
        "notes": list_notes(study),
        "settings": asdict(study.settings) | {"columns": dict(study.settings.columns)},
        "confidence_percent": CONFIDENCE_PERCENT,
        "scale": _to_json(study.scale),
        "slides": len(study.cases.cases),
        "patients": len({case.patient for case in study.cases.cases}),
        "analyses": {
            name: {
                "title": each.title,
                "slides": each.entered.slides,
                "patients": each.entered.patients,
                "left_out": dict(each.entered.left_out),
                "refusal": each.refusal,
                "result": _to_json(each.result),
            }
            for name, each in study.analyses.items()
        },
        "described": _to_json(study.described),
        "published": {"citation": CITATION, "values": _to_json(PUBLISHED)},
        "versions": list_versions(),
    }


def _to_json(value: Any) -> Any:
    """Convert a value for JSON; NaN becomes null."""
    if isinstance(value, Estimate):
        return {
            "value": _to_json(value.value),
            "low_95": _to_json(value.low),
            "high_95": _to_json(value.high),
            "interval": value.interval,
        }
    if is_dataclass(value):
        return {field.name: _to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _to_json(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_to_json(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
