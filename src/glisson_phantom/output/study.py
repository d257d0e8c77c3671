"""A whole study of phantom slides on disk, with its table of cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from glisson.dataset.study import SYNTHETIC_FILE
from glisson.files.csv_tables import write_rows
from glisson.results.folder import prepare_output
from glisson_phantom import DIAGNOSES, SITES, Case, draw_readings
from glisson_phantom.output.phantom_slide import PORTAL_TRACT_COUNT, make_phantom, read_facts
from glisson_phantom.writing import PyramidStyle

CASES = "cases.csv"
README = SYNTHETIC_FILE
_SUFFIXES: dict[PyramidStyle, str] = {"aperio": ".svs", "philips": ".tiff", "tiff": ".tif"}
_NOTICE = """# Synthetic slides

Every slide in this folder was drawn by a program (Glisson's phantom). Institutions, patients,
diagnoses and readings in `cases.csv` are invented; institutions only name the row of the study
that a slide stands for. The relation of portal area to stage, and the agreement of counts and
lengths, were built into the generator: they prove nothing about patients.
"""

Progress = Callable[[int, int, str], None]


def make_cohort(
    out: Path, cases: list[Case], workers: int = 1, progress: Progress | None = None
) -> Path:
    """Draw the missing slides of a study and write `cases.csv`.

    Before every slide the progress callback receives the number of finished slides, the number of
    all slides, and the slide's name.

    Raises:
        OutputError: a file cannot be written.
    """
    prepare_output(out)
    (out / README).write_text(_NOTICE, encoding="utf-8")
    rows = []
    for number, case in enumerate(cases):
        if progress:
            progress(number, len(cases), case.slide)
        rows.append(_row(case, *_ensure_slide(out, case, workers)))
    write_rows(out / CASES, list(rows[0]), rows)
    return out / CASES


def _ensure_slide(out: Path, case: Case, workers: int) -> tuple[Path, dict[str, Any]]:
    """Draw a slide unless it exists; return its path and its figures."""
    style = SITES[case.site].written_as
    path = out / f"{case.slide}{_SUFFIXES[style]}"
    facts = read_facts(path, case.settings)
    if facts is None:
        make_phantom(path, case.settings, style, workers, readers=2)
        facts = read_facts(path, case.settings)
    if facts is None:
        raise RuntimeError(f"{path}: the phantom's own figures do not match its settings.")
    return path, facts


def _row(case: Case, path: Path, facts: dict[str, Any]) -> dict[str, Any]:
    site, ribbons = SITES[case.site], case.settings.ribbons
    length_mm = facts["centreline_length_mm"] / ribbons
    count = facts[PORTAL_TRACT_COUNT]  # by contents; below stage 3 also where the rule refuses to
    readings = draw_readings(case.settings.seed, round(count / ribbons), facts["stage"], length_mm)
    return {
        "slide": path.name,
        "patient": case.patient,
        "role": case.role,
        "institution": site.institution,
        "scanner": site.scanner_name,
        "original_format": site.suffix,
        "magnification": site.magnification,
        "mpp": case.settings.mpp,
        "diagnosis": DIAGNOSES[case.settings.diagnosis or facts["diagnosis"]].name,
        "age": case.age,
        "sex": case.sex,
        "stage": facts["stage"],
        "ribbons": ribbons,
        "report_tract_count": readings.report_tract_count,
        "second_reader_tract_count": readings.second_reader_tract_count,
        "manual_length_cm": readings.manual_length_cm,
        "synthetic": True,
    }
