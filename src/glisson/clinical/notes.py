"""Notes on a study: facts about the data and the numbers that a reader must know."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from glisson.clinical.analyses import COUNTS, REPORT, SECOND, Study
from glisson.clinical.cases import StudyCases, extract_column

SYNTHETIC = (
    "Synthetic data: slides, patients, stages and readings were made by a program. How well "
    "counts and lengths agree, and how portal area goes with stage, was built into them; none of "
    "these numbers is evidence about patients or about a method."
)
_SECTION_NAMES = {
    "tract_count": "counts",
    "tissue_area_mm2": "tissue areas",
    "length_mm": "lengths",
}
_OBSERVED = {REPORT: REPORT, SECOND: SECOND, "manual_length_mm": "manual_length_cm"}
"""Columns of cases.csv by Glisson's name, which the comparisons with observers need."""
_ROUGH = 5
"""Fewest cases of a group for which the chi-square approximation of H is accepted."""


def list_notes(study: Study) -> list[str]:
    """List what a reader must know before the numbers."""
    return [*_note_cases(study.cases), *_note_values(study)]


def _note_cases(cases: StudyCases) -> Iterator[str]:
    """Yield notes on patients, roles and results."""
    if cases.synthetic:
        yield SYNTHETIC
    if repeated := cases.repeated_patients:
        names = "; ".join(f"{who}: {', '.join(slides)}" for who, slides in repeated.items())
        yield (
            f"{count_words(len(repeated), 'patient has', 'patients have')} several slides "
            f"({names}). Every slide counts alike, and limits of agreement have no part of their "
            "own for the spread within a patient. Intervals draw patients; p values take slides as "
            "independent and are too small where such slides enter."
        )
    if cases.unnamed_patients:
        yield (
            f"{count_words(cases.unnamed_patients, 'case names', 'cases name')} no patient; each "
            "is taken for a patient of its own."
        )
    if cases.role and cases.other_roles:
        yield (
            f"{count_words(cases.other_roles, 'row of another role', 'rows of other roles')} than "
            f"{cases.role} {'is' if cases.other_roles == 1 else 'are'} left out."
        )
    if not any(case.measured for case in cases.cases):
        yield (
            "No case has measurements of a model: give --results, or the columns of biopsies.csv "
            "in cases.csv."
        )
    if cases.unused_results:
        unused = count_words(len(cases.unused_results), "slide has", "slides have")
        yield f"{unused} results but no case here, such as {cases.unused_results[0]}."


def _note_values(study: Study) -> Iterator[str]:
    """Yield notes on missing or empty columns, rounded counts and small stages."""
    cases = study.cases
    if not any(np.isfinite(extract_column(cases.cases, "stage"))):
        yield "No case has a stage; counts of all cases are taken as countable."
    absent = [
        theirs
        for ours, theirs in _OBSERVED.items()
        if not np.isfinite(extract_column(cases.cases, ours)).any()
    ]
    if absent:
        yield (
            f"No case has a value in {', '.join(absent)}; comparisons that need one are refused. "
            "Fill the column, or name yours with --column."
        )
    yield from note_sections(study)
    yield from note_rounding(study)
    test = study.difference.result
    if test and test.single:
        stages = ", ".join(study.scale.label(stage) for stage in test.single)
        yield f"Stage {stages}: a single case, left out of Kruskal–Wallis and Dunn."
    if test and min(test.sizes) < _ROUGH:
        yield (
            f"The smallest stage compared has {min(test.sizes)} cases: the p value of "
            "Kruskal–Wallis is approximate."
        )


def note_sections(study: Study) -> Iterator[str]:
    """Yield a note on measurements of one section."""
    if study.cases.per_section:
        *names, last = (_SECTION_NAMES[key] for key in study.cases.per_section)
        words = f"{', '.join(names)} and {last}" if names else last
        yield f"The model's {words} are of one section where a slide holds several."


def note_rounding(study: Study) -> Iterator[str]:
    """Yield a note on rounded counts."""
    counts = np.concatenate([extract_column(study.cases.cases, name) for name in COUNTS])
    if np.any(np.isfinite(counts) & (counts % 1 != 0)):
        yield "Counts with a fraction are rounded for κ, equal counts and adequacy, halves up."


def count_words(n: int, one: str, many: str) -> str:
    """Return a number with its noun in singular or plural."""
    return f"{n} {one if n == 1 else many}"
