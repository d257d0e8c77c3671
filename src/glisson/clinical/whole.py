"""A study from its tables to its folder."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from glisson.clinical.analyses import Analysis, Study, analyse
from glisson.clinical.cases import read_cases
from glisson.clinical.estimates import CONFIDENCE_PERCENT, Estimate
from glisson.clinical.figures import StudyFigure, all_figures, save_figure
from glisson.clinical.methods import methods_text, notes, versions
from glisson.clinical.page import write_study_page
from glisson.clinical.published import CITATION, PUBLISHED
from glisson.clinical.scales import find_scale
from glisson.clinical.settings import StudySettings
from glisson.clinical.tables import (
    CASE_COLUMNS,
    ESTIMATE_COLUMNS,
    all_tables,
    case_rows,
    estimate_rows,
    key_table,
)
from glisson.errors import OutputError
from glisson.files.atomic import atomic_folder, atomic_path
from glisson.files.csv_tables import write_rows
from glisson.pages import Table

PAGE, NUMBERS, METHODS = "study.html", "study.json", "methods.md"
TABLES, FIGURES = "tables", "figures"


@dataclass(frozen=True)
class StudyResult:
    """A study, made and written.

    Attributes:
        study: every analysis.
        tables: as on the page.
        key: the numbers that are asked for first.
        notes: what to know before the numbers.
        page: the page.
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
    """Read, analyse, write; see `glisson.study`."""
    scale = find_scale(settings.scale)
    read = read_cases(cases, results, scale, settings.columns, settings.role)
    _make(out)
    study = analyse(read, scale, settings)
    tables, figures = all_tables(study), all_figures(study)
    _write_tables(out, study, tables)
    _write_figures(out, study, figures)
    _write_text(out / NUMBERS, json.dumps(_record(study), indent=2, ensure_ascii=False,
                                          allow_nan=False) + "\n")  # fmt: skip
    _write_text(out / METHODS, methods_text(study))
    write_study_page(out / PAGE, study, tables, figures, out / FIGURES)
    return StudyResult(study, tuple(tables), key_table(study), tuple(notes(study)), out / PAGE)


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be made: {error.strerror or error}. Choose another folder with -o."
        ) from error


def _write_tables(out: Path, study: Study, tables: list[Table]) -> None:
    """All tables anew, so that none of an earlier study stays."""
    with atomic_folder(out / TABLES, "*.csv") as folder:
        for table in (_labelled(each, study.cases.synthetic) for each in tables):
            (folder / f"{table.name}.csv").write_text(table.csv(), encoding="utf-8")
        write_rows(folder / "estimates.csv", ESTIMATE_COLUMNS, estimate_rows(study))
        write_rows(folder / "joined-cases.csv", CASE_COLUMNS, case_rows(study))


def _labelled(table: Table, synthetic: bool) -> Table:
    """A table whose every row says that it is synthetic: its file has no title to say so."""
    if not synthetic:
        return table
    rows = tuple((*row, "True") for row in table.rows)
    return replace(table, header=(*table.header, "synthetic"), rows=rows)


def _write_figures(out: Path, study: Study, figures: list[StudyFigure]) -> None:
    with atomic_folder(out / FIGURES, "*.[sp][vn]g") as folder:
        for figure in figures:
            save_figure(figure, folder, study.cases.synthetic)


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _record(study: Study) -> dict[str, Any]:
    """Every number, with its unit in its name or beside it."""
    return {
        "synthetic": study.cases.synthetic,
        "notes": notes(study),
        "settings": asdict(study.settings) | {"columns": dict(study.settings.columns)},
        "confidence_percent": CONFIDENCE_PERCENT,
        "scale": _plain(study.scale),
        "slides": len(study.cases.cases),
        "patients": len({case.patient for case in study.cases.cases}),
        "analyses": {name: _analysis(each) for name, each in study.analyses.items()},
        "described": _plain(study.described),
        "published": {"citation": CITATION, "values": _plain(PUBLISHED)},
        "versions": versions(),
    }


def _analysis(each: Analysis[Any]) -> dict[str, Any]:
    return {
        "title": each.title,
        "slides": each.entered.slides,
        "patients": each.entered.patients,
        "left_out": dict(each.entered.left_out),
        "refusal": each.refusal,
        "result": _plain(each.result),
    }


def _plain(value: Any) -> Any:
    """Anything as JSON knows it; NaN is null."""
    if isinstance(value, Estimate):
        return {"value": _plain(value.value), "low_95": _plain(value.low),
                "high_95": _plain(value.high), "interval": value.interval}  # fmt: skip
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
