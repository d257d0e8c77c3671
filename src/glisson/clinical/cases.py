"""Cases of a study: readings of observers joined with measurements of a model."""

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
    """Slide of a study; missing numbers are NaN, missing texts are empty.

    Attributes:
        slide: name in cases.csv.
        patient: slides of one patient are one draw of the bootstrap.
        diagnosis: in words.
        stage: on the study's scale.
        report_tract_count: tracts in the original report.
        second_reader_tract_count: tracts counted by a second reader.
        manual_length_mm: length by ruler.
        model_tract_count: complete and partial tracts by the model. Count, area and length are of
            one section if the table has columns of one section.
        tissue_area_mm2: tissue area by the model.
        model_length_mm: length by the model.
        portal_percent: portal area over tissue area, 0 to 100.
        measured: whether the model has a result: any of its columns has a value.
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
        synthetic: whether a row or the folder of cases or results declares synthetic data.
        role: role of these rows, or None for all rows.
        other_roles: number of rows of other roles, left out.
        per_section: measurements of one section, by key.
        unnamed_patients: number of cases without patient, each of which counts as a patient.
        unused_results: slides with results but no case.
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
        """Return the slides of every patient with several slides."""
        counts = Counter(case.patient for case in self.cases)
        return {
            patient: tuple(case.slide for case in self.cases if case.patient == patient)
            for patient, slides in counts.items()
            if slides > 1
        }


def extract_column(cases: Iterable[StudyCase], name: str) -> Values:
    """Return a number of every case as (n,) float; NaN if it is missing."""
    return np.array([getattr(case, name) for case in cases], float)


def read_cases(
    cases: Path,
    results: Path | None,
    scale: Scale,
    columns: Mapping[str, str] | None = None,
    role: str | None = None,
) -> StudyCases:
    """Read cases.csv and join it with biopsies.csv by slide.

    Slides match by file name, with or without its ending. Without `results` the model's columns
    are those of cases.csv itself.

    Args:
        cases: a cases.csv, or a folder with a cases.csv.
        results: folder of `glisson segment`, or its biopsies.csv.
        scale: of the stages.
        columns: name of a column in cases.csv, by Glisson's name.
        role: role of the rows to use; by default `clinical` if a row has this role, else all.

    Raises:
        SettingsError: a missing file or column, an invalid value, a slide named twice, no row of
            the role, or no case with a result.
    """
    path = cases / CASES if cases.is_dir() else cases
    rows, header = read_table(path, CaseRow, columns)
    chosen, chosen_role = _select_role(rows, role, path)
    twice = [name for name, n in Counter(_file_name(r.slide) for r in chosen).items() if n > 1]
    if twice:
        raise SettingsError(f"{path} names {twice[0]} twice; leave one line for each slide.")
    found, model_columns, unused = _find_results(chosen, header, results)
    tables = [path] if results is None else [path, results]
    measured = (row for row in found if row is not None)
    return StudyCases(
        cases=tuple(
            _join(row, result or ModelRow(), model_columns, scale, path)
            for row, result in zip(chosen, found, strict=True)
        ),
        synthetic=any(map(is_synthetic, tables)) or any(r.synthetic for r in (*chosen, *measured)),
        role=chosen_role,
        other_roles=len(rows) - len(chosen),
        per_section=tuple(
            key for key, (of_section, _) in _PER_SECTION.items() if of_section in model_columns
        ),
        unnamed_patients=sum(row.patient is None for row in chosen),
        unused_results=unused,
    )


def _select_role(
    rows: list[CaseRow], role: str | None, path: Path
) -> tuple[list[CaseRow], str | None]:
    """Return the rows of a role, by default `clinical` if it exists, and this role."""
    roles = {(row.role or "").casefold() for row in rows}
    name = role.casefold() if role else DEFAULT_ROLE if DEFAULT_ROLE in roles else None
    chosen = rows if name is None else [r for r in rows if (r.role or "").casefold() == name]
    if not rows:
        raise SettingsError(f"{path} has no row below its header.")
    if not chosen:
        known = ", ".join(sorted(roles - {""})) or "no role at all"
        raise SettingsError(f"{path} has no row of role '{role}'; it has {known}.")
    return chosen, name


def _find_results(
    rows: Sequence[CaseRow], header: frozenset[str], results: Path | None
) -> tuple[Sequence[ModelRow | None], frozenset[str], tuple[str, ...]]:
    """Find the model's row of every case.

    Returns:
        The row of each case or None, the table's columns of the model, and slides without case.
    """
    if results is None:
        columns = header & _MODEL_COLUMNS
        return [row if columns else None for row in rows], columns, ()
    path = results / BIOPSIES if results.is_dir() else results
    biopsies, columns = read_table(path, BiopsyRow)
    found = [_find_biopsy(row.slide, biopsies, path) for row in rows]
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
    used = {biopsy.slide for biopsy in found if biopsy is not None}
    unused = tuple(biopsy.slide for biopsy in biopsies if biopsy.slide not in used)
    return found, columns & _MODEL_COLUMNS, unused


def _file_name(slide: str) -> str:
    return PurePosixPath(slide.replace("\\", "/")).name


def _stem(biopsy: BiopsyRow) -> str:
    """Return the stem of the file; `slide` is a stem already unless the table has no files."""
    return strip_ending(_file_name(biopsy.file or biopsy.slide))


def _find_biopsy(slide: str, biopsies: Sequence[BiopsyRow], path: Path) -> BiopsyRow | None:
    """Find the result of a slide: first by whole name, then by name without ending."""
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


def _join(
    row: CaseRow, measured: ModelRow, columns: frozenset[str], scale: Scale, path: Path
) -> StudyCase:
    try:
        stage = math.nan if row.stage is None else float(read_stage(row.stage, scale))
    except StudyError as error:
        raise SettingsError(
            f"{path}, {row.slide}: stage {error}. Correct it, or name another --scale."
        ) from error
    count = _choose_section(measured, "tract_count", columns)
    length_mm = _choose_section(measured, "length_mm", columns)
    uncounted = (measured.tract_count_reason or "") if math.isnan(count) else ""
    tissue_mm2 = _choose_section(measured, "tissue_area_mm2", columns)
    if tissue_mm2 == 0:
        count = length_mm = math.nan
        uncounted = "no liver tissue was found"
    return StudyCase(
        slide=row.slide,
        patient=row.patient or f"(slide {row.slide})",
        diagnosis=row.diagnosis or "",
        stage=stage,
        report_tract_count=_or_nan(row.report_tract_count),
        second_reader_tract_count=_or_nan(row.second_reader_tract_count),
        manual_length_mm=_or_nan(row.manual_length_cm) * _MM_PER_CM,
        model_tract_count=count,
        tissue_area_mm2=tissue_mm2,
        model_length_mm=length_mm,
        portal_percent=_or_nan(measured.portal_percent),
        measured=any(getattr(measured, name) is not None for name in _MODEL_COLUMNS),
        uncounted=uncounted,
    )


def _choose_section(row: ModelRow, key: str, columns: frozenset[str]) -> float:
    """Return a measurement of one section if the table has such a column, else of the slide."""
    of_section, of_slide = _PER_SECTION[key]
    return _or_nan(getattr(row, of_section if of_section in columns else of_slide))


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
