"""The paragraph on methods, and notes: sentences on what was really done, and on nothing else."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version

import numpy as np

from glisson.clinical.agreement import (
    F_INTERVAL,
    LIN_INTERVAL,
    T_INTERVAL,
    WILSON_INTERVAL,
    CountAgreement,
)
from glisson.clinical.analyses import COUNTS, NO_MODEL_COUNT, REPORT, SECOND, Study
from glisson.clinical.association import DELONG_INTERVAL, FISHER_INTERVAL
from glisson.clinical.cases import StudyCases, column
from glisson.clinical.estimates import BOOTSTRAP, CONFIDENCE_PERCENT, TOO_FEW
from glisson.clinical.tables import estimate_rows
from glisson.scores import LEAST_PATIENTS

PACKAGES = ("glisson", "numpy", "scipy", "statsmodels", "matplotlib")
SYNTHETIC = (
    "Synthetic data: slides, patients, stages and readings were made by a program. How well "
    "counts and lengths agree, and how portal area goes with stage, was built into them; none of "
    "these numbers is evidence about patients or about a method."
)
_FORMULAS = {
    T_INTERVAL: "bias, limits and slopes by the t distribution",
    LIN_INTERVAL: "Lin's coefficient by Lin's z",
    F_INTERVAL: "ICC by the F distribution",
    WILSON_INTERVAL: "shares by Wilson",
    FISHER_INTERVAL: "Pearson's r of area and length by Fisher's z",
    DELONG_INTERVAL: "area under the curve by DeLong",
}
_SECTION_NAMES = {
    "tract_count": "counts", "tissue_area_mm2": "tissue areas", "length_mm": "lengths",
}  # fmt: skip
_WRITTEN_DOWN = {REPORT: REPORT, SECOND: SECOND, "manual_length_mm": "manual_length_cm"}
"""Columns of cases.csv by ours, which no analysis against an observer can do without."""
_ROUGH = 5
"""Cases of a group from which on the chi-square approximation of H is commonly trusted."""


def versions() -> dict[str, str]:
    """Versions of what computed the numbers."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def notes(study: Study) -> list[str]:
    """What a reader should know before the numbers."""
    return list(_notes(study))


def _notes(study: Study) -> Iterator[str]:
    cases = study.cases
    if cases.synthetic:
        yield SYNTHETIC
    if repeated := cases.repeated_patients:
        names = "; ".join(f"{who}: {', '.join(slides)}" for who, slides in repeated.items())
        yield (
            f"{_some(len(repeated), 'patient has', 'patients have')} several slides ({names}). "
            "Every slide counts alike, and limits of agreement have no part of their own for the "
            "spread within a patient. Intervals draw patients; p values take slides as "
            "independent and are too small where such slides enter."
        )
    if cases.unnamed_patients:
        yield (
            f"{_some(cases.unnamed_patients, 'case names', 'cases name')} no patient; each is "
            "taken for a patient of its own."
        )
    if cases.role and cases.other_roles:
        yield (
            f"{_some(cases.other_roles, 'row of another role', 'rows of other roles')} than "
            f"{cases.role} {'is' if cases.other_roles == 1 else 'are'} left out."
        )
    if not any(case.measured for case in cases.cases):
        yield (
            "No case has measurements of a model: give --results, or the columns of biopsies.csv "
            "in cases.csv."
        )
    if cases.unused_results:
        unused = _some(len(cases.unused_results), "slide has", "slides have")
        yield f"{unused} results but no case here, such as {cases.unused_results[0]}."
    yield from _notes_on_absent(cases)
    yield from _notes_on_numbers(study)


def _notes_on_absent(cases: StudyCases) -> Iterator[str]:
    """Columns that the table lacks, or has empty."""
    if not any(np.isfinite(column(cases.cases, "stage"))):
        yield "No case has a stage; counts of all cases are taken as countable."
    if absent := [theirs for ours, theirs in _WRITTEN_DOWN.items()
                  if not np.isfinite(column(cases.cases, ours)).any()]:  # fmt: skip
        yield (
            f"No case has a value in {', '.join(absent)}; comparisons that need one are refused. "
            "Fill the column, or name yours with --column."
        )


def _notes_on_numbers(study: Study) -> Iterator[str]:
    yield from _of_sections(study)
    yield from _rounded(study)
    test = study.difference.result
    if test and test.single:
        stages = ", ".join(study.scale.label(stage) for stage in test.single)
        yield f"Stage {stages}: a single case, left out of Kruskal–Wallis and Dunn."
    if test and min(test.sizes) < _ROUGH:
        yield (
            f"The smallest stage compared has {min(test.sizes)} cases: the p value of "
            "Kruskal–Wallis is approximate."
        )


def _of_sections(study: Study) -> Iterator[str]:
    if study.cases.per_section:
        names = _listed([_SECTION_NAMES[key] for key in study.cases.per_section])
        yield f"The model's {names} are of one section where a slide holds several."


def _rounded(study: Study) -> Iterator[str]:
    counts = np.concatenate([column(study.cases.cases, name) for name in COUNTS])
    if np.any(np.isfinite(counts) & (counts % 1 != 0)):
        yield "Counts with a fraction are rounded for κ, equal counts and adequacy, halves up."


def methods_text(study: Study) -> str:
    """Methods as Markdown, for a manuscript's author to shorten."""
    parts = [" ".join(part(study)) for part in (_data, _agreement, _association, _intervals)]
    parts = [f"**{SYNTHETIC}**", *parts] if study.cases.synthetic else parts
    return "# Statistical methods\n\n" + "\n\n".join(filter(None, parts)) + "\n"


def _data(study: Study) -> Iterator[str]:
    cases = study.cases.cases
    patients = len({case.patient for case in cases})
    measured = sum(case.measured for case in cases)
    yield (
        f"{_some(len(cases), 'slide', 'slides')} of {_some(patients, 'patient', 'patients')} were "
        f"analysed; the model's measurements were available for {measured}. Each analysis takes "
        "the slides that have every value it needs."
    )
    yield from _of_sections(study)
    staged = np.isfinite(column(cases, "stage")).any()
    if staged:
        yield f"Fibrosis was staged on the {study.scale.name} scale ({study.scale.citation})."
    if any(pair.result for pair in study.count_pairs):
        yield (
            "Portal tracts were compared where they can be counted, at stages below "
            f"{study.scale.label(study.scale.f3_from)}."
            if staged else "No stage was known, so that all counts of portal tracts were compared."
        )  # fmt: skip
    yield from _not_counted(study)


def _not_counted(study: Study) -> Iterator[str]:
    """Slides that the model itself would not count: they are not missing at random."""
    pair = study.model_report if study.model_report.result else study.model_second
    refused = dict(pair.entered.left_out).get(NO_MODEL_COUNT)
    if pair.result and refused:
        yield (
            f"The model gave no count for {_some(refused, 'other slide', 'other slides')}, left "
            "out of its comparisons."
        )


def _agreement(study: Study) -> Iterator[str]:
    made = [(pair.title, pair.entered.slides, pair.result) for pair in study.count_pairs
            if pair.result]  # fmt: skip
    if made:
        which = "; ".join(_pair_words(title, n, found) for title, n, found in made)
        yield (
            "Agreement on tract counts was measured by Cohen's weighted kappa with linear and "
            "with quadratic weights, on categories of every whole number in the union of both "
            f"observers' ranges ({which}); by ICC(2,1) and ICC(3,1), Lin's concordance correlation "
            "coefficient, and Bland and Altman's bias and 95 % limits with the slope of the "
            "difference over the mean; by the mean absolute difference and the share of equal "
            "counts and of counts at most 1 and at most 2 apart. Adequacy at 6 and 11 tracts was "
            "compared by Cohen's kappa and the exact McNemar test."
        )
        yield from _rounded(study)
    if any(found.agreement.ratio for _, _, found in made):
        yield "Limits of agreement were also computed on logarithms and given as ratios."
    if study.report_gain.result or study.second_gain.result:
        slides = (study.report_gain if study.report_gain.result else study.second_gain).entered
        yield (
            "Kappa of model and reader was compared with kappa of both readers by the bootstrap of "
            f"their difference, on {slides.slides} slides counted by all three."
        )
    if study.length.result:
        yield (
            f"Length by the model and by ruler (n = {study.length.entered.slides}) was compared by "
            "Lin's coefficient, ICC(2,1) and ICC(3,1), Bland and Altman's bias and limits with "
            f"the slope{', also as ratios' if study.length.result.ratio else ''}, and the mean "
            "absolute difference."
        )


def _pair_words(title: str, slides: int, found: CountAgreement) -> str:
    pair = title.removeprefix("Tract counts: ").replace(", ", " and ")
    return f"{pair}: n = {slides}, {found.lowest_category} to {found.highest_category} tracts"


def _association(study: Study) -> Iterator[str]:
    for each, name in ((study.area_length, "ruler"), (study.area_model_length, "the model")):
        if each.result:
            yield (
                f"Tissue area and length by {name} were correlated by Pearson's r "
                f"(n = {each.entered.slides})."
            )
    if study.correlations.result:
        yield (
            "Portal percent and stage were correlated by Pearson's r, Spearman's rho and Kendall's "
            f"tau-b (n = {study.correlations.entered.slides})."
        )
    if test := study.difference.result:
        yield (
            f"Stages were compared by the Kruskal-Wallis test ({len(test.groups)} stages, "
            f"n = {sum(test.sizes)}), with epsilon squared, and in pairs by Dunn's test with "
            "Holm's adjustment."
        )
    if study.trend.result:
        yield (
            "A trend over stages was tested by the Jonckheere-Terpstra test, corrected for ties "
            f"(n = {study.trend.entered.slides})."
        )
    yield from _discrimination(study)


def _discrimination(study: Study) -> Iterator[str]:
    for each in (study.from_f3, study.from_f4):
        if each.result:
            found = each.result
            yield (
                f"How well portal percent tells {study.scale.name} "
                f"{study.scale.label_from(found.from_stage)} from lower stages was measured by the "
                f"area under the ROC curve ({found.positive} against {found.negative} slides)."
            )


def _intervals(study: Study) -> Iterator[str]:
    used = sorted({row["interval"] for row in estimate_rows(study) if "low_95" in row})
    if used:
        yield f"Intervals are {CONFIDENCE_PERCENT} % intervals."
    if BOOTSTRAP in used:
        yield (
            "Those by bootstrap are percentile intervals that draw patients with all their slides "
            f"({study.settings.resamples} draws, seed {study.settings.seed})."
        )
    if formulas := [text for name, text in _FORMULAS.items() if name in used]:
        yield f"Those by formula, where no patient has several slides, are: {'; '.join(formulas)}."
    if any(row.get("interval") == TOO_FEW for row in estimate_rows(study)):
        yield f"No interval is given for fewer than {LEAST_PATIENTS} patients."
    if any(row["statistic"].endswith("p_value") for row in estimate_rows(study)):
        others = ", other than those of Dunn's test" if study.pairs.result else ""
        yield (
            f"P values take slides as independent and are not adjusted for their number{others}."
        )
    software = ", ".join(f"{name} {number}" for name, number in versions().items())
    yield f"Computed with {software}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _some(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
