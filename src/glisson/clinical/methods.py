"""Statistical methods of a study as text: only what the study did."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np

from glisson.clinical.agreement import WILSON_INTERVAL
from glisson.clinical.analyses import NO_MODEL_COUNT, Study
from glisson.clinical.association import DELONG_INTERVAL, FISHER_INTERVAL
from glisson.clinical.bland_altman import T_INTERVAL
from glisson.clinical.cases import extract_column
from glisson.clinical.coefficients import F_INTERVAL, LIN_INTERVAL
from glisson.clinical.estimates import BOOTSTRAP, CONFIDENCE_PERCENT, TOO_FEW
from glisson.clinical.notes import SYNTHETIC, count_words, note_rounding, note_sections
from glisson.clinical.rows import list_estimate_rows
from glisson.scores import LEAST_PATIENTS

PACKAGES = ("glisson", "numpy", "scipy", "statsmodels", "matplotlib")
_FORMULAS = {
    T_INTERVAL: "bias, limits and slopes by the t distribution",
    LIN_INTERVAL: "Lin's coefficient by Lin's z",
    F_INTERVAL: "ICC by the F distribution",
    WILSON_INTERVAL: "shares by Wilson",
    FISHER_INTERVAL: "Pearson's r of area and length by Fisher's z",
    DELONG_INTERVAL: "area under the curve by DeLong",
}


def list_versions() -> dict[str, str]:
    """List the versions of the software that computed the numbers."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def describe_methods(study: Study) -> str:
    """Describe the methods as Markdown, for the author of a manuscript to shorten."""
    parts = [
        " ".join(part(study))
        for part in (
            _describe_data,
            _describe_agreement,
            _describe_association,
            _describe_intervals,
        )
    ]
    parts = [f"**{SYNTHETIC}**", *parts] if study.cases.synthetic else parts
    return "# Statistical methods\n\n" + "\n\n".join(filter(None, parts)) + "\n"


def _describe_data(study: Study) -> Iterator[str]:
    cases = study.cases.cases
    patients = len({case.patient for case in cases})
    measured = sum(case.measured for case in cases)
    yield (
        f"{count_words(len(cases), 'slide', 'slides')} of "
        f"{count_words(patients, 'patient', 'patients')} were analysed; the model's "
        f"measurements were available for {measured}. Each analysis takes the slides that have "
        "every value it needs."
    )
    yield from note_sections(study)
    staged = np.isfinite(extract_column(cases, "stage")).any()
    if staged:
        yield f"Fibrosis was staged on the {study.scale.name} scale ({study.scale.citation})."
    if any(pair.result for pair in study.count_pairs):
        yield (
            "Portal tracts were compared where they can be counted, at stages below "
            f"{study.scale.label(study.scale.f3_from)}."
            if staged
            else "No stage was known, so that all counts of portal tracts were compared."
        )
    # Slides that the model did not count are not missing at random.
    pair = study.model_report if study.model_report.result else study.model_second
    refused = dict(pair.entered.left_out).get(NO_MODEL_COUNT)
    if pair.result and refused:
        yield (
            f"The model gave no count for {count_words(refused, 'other slide', 'other slides')}, "
            "left out of its comparisons."
        )


def _describe_agreement(study: Study) -> Iterator[str]:
    made = [(pair, pair.result) for pair in study.count_pairs if pair.result]
    if made:
        which = "; ".join(
            f"{pair.title.removeprefix('Tract counts: ').replace(', ', ' and ')}: "
            f"n = {pair.entered.slides}, {found.lowest_category} to {found.highest_category} tracts"
            for pair, found in made
        )
        yield (
            "Agreement on tract counts was measured by Cohen's weighted kappa with linear and "
            "with quadratic weights, on categories of every whole number in the union of both "
            f"observers' ranges ({which}); by ICC(2,1) and ICC(3,1), Lin's concordance correlation "
            "coefficient, and Bland and Altman's bias and 95 % limits with the slope of the "
            "difference over the mean; by the mean absolute difference and the share of equal "
            "counts and of counts at most 1 and at most 2 apart. Adequacy at 6 and 11 tracts was "
            "compared by Cohen's kappa and the exact McNemar test."
        )
        yield from note_rounding(study)
    if any(found.agreement.ratio for _, found in made):
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


def _describe_association(study: Study) -> Iterator[str]:
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
    yield from _describe_discrimination(study)


def _describe_discrimination(study: Study) -> Iterator[str]:
    for each in (study.from_f3, study.from_f4):
        if each.result:
            found = each.result
            yield (
                f"How well portal percent tells {study.scale.name} "
                f"{study.scale.label_from(found.from_stage)} from lower stages was measured by the "
                f"area under the ROC curve ({found.positive} against {found.negative} slides)."
            )


def _describe_intervals(study: Study) -> Iterator[str]:
    used = sorted({row["interval"] for row in list_estimate_rows(study) if "low_95" in row})
    if used:
        yield f"Intervals are {CONFIDENCE_PERCENT} % intervals."
    if BOOTSTRAP in used:
        yield (
            "Those by bootstrap are percentile intervals that draw patients with all their slides "
            f"({study.settings.resamples} draws, seed {study.settings.seed})."
        )
    if formulas := [text for name, text in _FORMULAS.items() if name in used]:
        yield f"Those by formula, where no patient has several slides, are: {'; '.join(formulas)}."
    if any(row.get("interval") == TOO_FEW for row in list_estimate_rows(study)):
        yield f"No interval is given for fewer than {LEAST_PATIENTS} patients."
    if any(row["statistic"].endswith("p_value") for row in list_estimate_rows(study)):
        others = ", other than those of Dunn's test" if study.pairs.result else ""
        yield (
            f"P values take slides as independent and are not adjusted for their number{others}."
        )
    software = ", ".join(f"{name} {number}" for name, number in list_versions().items())
    yield f"Computed with {software}."
