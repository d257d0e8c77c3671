"""The cases of a study: what observers wrote down, joined with what a model measured."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from glisson.clinical.estimates import Values
from glisson.clinical.reading import BiopsyRow, CaseRow, ModelRow, read_table
from glisson.clinical.scales import Scale, read_stage
from glisson.dataset import is_synthetic
from glisson.errors import SettingsError, StudyError
from glisson.slides import strip_ending

CASES = "cases.csv"
BIOPSIES = "biopsies.csv"
DEFAULT_ROLE = "clinical"
_MM_PER_CM = 10
_PER_SECTION = {
    "tract_count": ("tract_count_per_section", "tract_count_total"),
    "tissue_area_mm2": ("tissue_area_per_section_mm2", "tissue_area_mm2"),
    "length_mm": ("length_per_section_mm", "length_mm"),
}
_MODEL_COLUMNS = frozenset(ModelRow.model_fields) - {"synthetic"}


@dataclass(frozen=True)
class StudyCase:
    """One slide of a study; NaN and empty text where nothing was written down.

    Attributes:
        slide: as cases.csv names it.
        patient: slides of one patient are one draw of the bootstrap.
        diagnosis: in words.
        stage: on the study's scale.
        report_tract_count: tracts in the original report.
        second_reader_tract_count: tracts counted by a second reader.
        manual_length_mm: by ruler.
        model_tract_count: tracts found, complete and partial; of one section where sections are
            known, as are area and length.
        tissue_area_mm2: tissue found.
        model_length_mm: length found.
        portal_percent: portal area over tissue area, 0 to 100.
        measured: whether the model has a result: any of its columns is filled.
        uncounted: why the model gives no count, or empty.
    """

    slide: str
    patient: str
    diagnosis: str
    stage: float
    report_tract_count: float
    second_reader_tract_count: float
    manual_length_mm: float
    model_tract_count: float
    tissue_area_mm2: float
    model_length_mm: float
    portal_percent: float
    measured: bool
    uncounted: str


@dataclass(frozen=True)
class StudyCases:
    """All cases of a study.

    Attributes:
        cases: in the order of cases.csv.
        synthetic: whether a row says that it is, or the folder of cases or results does.
        role: role whose rows these are, or None for all rows.
        other_roles: rows of other roles, left out.
        per_section: measurements taken of one section: keys of `StudyCase`.
        unnamed_patients: cases without patient, each taken for its own.
        unused_results: slides with results that no case names.
    """

    cases: tuple[StudyCase, ...]
    synthetic: bool
    role: str | None
    other_roles: int
    per_section: tuple[str, ...]
    unnamed_patients: int
    unused_results: tuple[str, ...]

    @property
    def repeated_patients(self) -> dict[str, tuple[str, ...]]:
        """Slides of every patient who has several."""
        counts = Counter(case.patient for case in self.cases)
        return {
            patient: tuple(case.slide for case in self.cases if case.patient == patient)
            for patient, slides in counts.items() if slides > 1
        }  # fmt: skip


def column(cases: Iterable[StudyCase], name: str) -> Values:
    """One number of every case, (n,) float; NaN where missing."""
    return np.array([getattr(case, name) for case in cases], float)


def read_cases(
    cases: Path,
    results: Path | None,
    scale: Scale,
    columns: Mapping[str, str] | None = None,
    role: str | None = None,
) -> StudyCases:
    """Read cases.csv and join it with biopsies.csv by slide.

    A slide is found by the name of its file, with or without its ending. Without `results` the
    model's columns are looked for in cases.csv itself.

    Args:
        cases: a cases.csv, or a folder that holds one.
        results: folder of `glisson segment`, or its biopsies.csv.
        scale: of the stages.
        columns: the name in cases.csv of a column, by ours.
        role: rows to take; by default `clinical` where a row has that role, else all.

    Raises:
        SettingsError: a file or column is missing, a value does not parse, a slide is named
            twice, no row has the role, or no case has a result.
    """
    path = cases / CASES if cases.is_dir() else cases
    rows, header = read_table(path, CaseRow, columns)
    wanted, taken = _of_role(rows, role, path)
    _check_unique(wanted, path)
    found, model_columns = _model_rows(wanted, header, results)
    joined = tuple(
        _joined(row, result, model_columns, scale, path)
        for row, result in zip(wanted, found, strict=True)
    )
    return StudyCases(
        joined,
        _is_synthetic([*wanted, *filter(None, found)], path, results),
        taken,
        len(rows) - len(wanted),
        tuple(key for key, (first, _) in _PER_SECTION.items() if first in model_columns),
        sum(row.patient is None for row in wanted),
        _unused(results, found),
    )


def _of_role(rows: list[CaseRow], role: str | None, path: Path) -> tuple[list[CaseRow], str | None]:
    """Rows of a role, and which; `clinical` is taken of itself where it exists."""
    roles = {(row.role or "").casefold() for row in rows}
    taken = role.casefold() if role else DEFAULT_ROLE if DEFAULT_ROLE in roles else None
    wanted = rows if taken is None else [r for r in rows if (r.role or "").casefold() == taken]
    if not wanted:
        known = ", ".join(sorted(roles - {""})) or "no role at all"
        raise SettingsError(f"{path} has no row of role '{role}'; it has {known}." if rows else
                            f"{path} has no row below its header.")  # fmt: skip
    return wanted, taken


def _is_synthetic(rows: Iterable[ModelRow], *tables: Path | None) -> bool:
    """Whether a row says so, or the folder of a table."""
    folders = any(table is not None and is_synthetic(table) for table in tables)
    return folders or any(row.synthetic for row in rows)


def _check_unique(rows: Sequence[CaseRow], path: Path) -> None:
    twice = [name for name, n in Counter(_file_name(r.slide) for r in rows).items() if n > 1]
    if twice:
        raise SettingsError(f"{path} names {twice[0]} twice; leave one line a slide.")


def _model_rows(
    rows: Sequence[CaseRow], header: frozenset[str], results: Path | None
) -> tuple[Sequence[ModelRow | None], frozenset[str]]:
    """The model's row of every case, and the model's columns that there are."""
    if results is None:
        columns = header & _MODEL_COLUMNS
        return [row if columns else None for row in rows], columns
    path = _biopsies(results)
    biopsies, columns = read_table(path, BiopsyRow)
    found = [_matching(row.slide, biopsies, path) for row in rows]
    if not any(found):
        raise SettingsError(
            f"{path} has no result of any of {len(rows)} cases, such as {rows[0].slide}; it has "
            f"{', '.join(each.slide for each in biopsies[:3])} ... Segment the study's slides, or "
            "correct the column 'slide'."
        )
    shared = [each for each, n in Counter(id(b) for b in found if b is not None).items() if n > 1]
    if shared:
        names = [r.slide for r, b in zip(rows, found, strict=True) if id(b) == shared[0]]
        raise SettingsError(f"{' and '.join(names)} are both the same row of {path}.")
    return found, columns & _MODEL_COLUMNS


def _biopsies(results: Path) -> Path:
    return results / BIOPSIES if results.is_dir() else results


def _file_name(slide: str) -> str:
    return PurePosixPath(slide.replace("\\", "/")).name


def _stem(biopsy: BiopsyRow) -> str:
    """Of its file; `slide` is one already, unless it is all that a table tells."""
    return strip_ending(_file_name(biopsy.file or biopsy.slide))


def _matching(slide: str, biopsies: Sequence[BiopsyRow], path: Path) -> BiopsyRow | None:
    """The result of a slide: by whole name first, then by name without ending."""
    name = _file_name(slide)
    tests: tuple[Callable[[BiopsyRow], bool], ...] = (
        lambda b: name in (b.file, b.slide),
        lambda b: name == _stem(b),
        lambda b: strip_ending(name) in (b.slide, _stem(b)),
    )
    for test in tests:
        found = [biopsy for biopsy in biopsies if test(biopsy)]
        if len(found) > 1:
            raise SettingsError(
                f"{slide} may be {' or '.join(b.file or b.slide for b in found)} of {path}; write "
                "its file name with its ending."
            )
        if found:
            return found[0]
    return None


def _unused(results: Path | None, found: Sequence[ModelRow | None]) -> tuple[str, ...]:
    if results is None:
        return ()
    used = {row.slide for row in found if isinstance(row, BiopsyRow)}
    biopsies, _ = read_table(_biopsies(results), BiopsyRow)
    return tuple(row.slide for row in biopsies if row.slide not in used)


def _joined(
    row: CaseRow, result: ModelRow | None, columns: frozenset[str], scale: Scale, path: Path
) -> StudyCase:
    measured = result or ModelRow()
    count = _of_section(measured, "tract_count", columns)
    return StudyCase(
        slide=row.slide,
        patient=row.patient or f"(slide {row.slide})",
        diagnosis=row.diagnosis or "",
        stage=_stage(row, scale, path),
        report_tract_count=_number(row.report_tract_count),
        second_reader_tract_count=_number(row.second_reader_tract_count),
        manual_length_mm=_number(row.manual_length_cm) * _MM_PER_CM,
        model_tract_count=count,
        tissue_area_mm2=_of_section(measured, "tissue_area_mm2", columns),
        model_length_mm=_of_section(measured, "length_mm", columns),
        portal_percent=_number(measured.portal_percent),
        measured=any(getattr(measured, name) is not None for name in _MODEL_COLUMNS),
        uncounted=(measured.tract_count_reason or "") if math.isnan(count) else "",
    )


def _stage(row: CaseRow, scale: Scale, path: Path) -> float:
    try:
        return math.nan if row.stage is None else float(read_stage(row.stage, scale))
    except StudyError as error:
        raise SettingsError(
            f"{path}, {row.slide}: stage {error}. Correct it, or name another --scale."
        ) from error


def _of_section(row: ModelRow, key: str, columns: frozenset[str]) -> float:
    """A measurement of one section where the table has such a column, else of the whole slide."""
    of_section, of_slide = _PER_SECTION[key]
    return _number(getattr(row, of_section if of_section in columns else of_slide))


def _number(value: float | None) -> float:
    return math.nan if value is None else value
