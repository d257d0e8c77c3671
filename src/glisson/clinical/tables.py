"""A study's results as tables of text, and as one long table of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from glisson.clinical.agreement import AdequacyAgreement, Agreement, CountAgreement, RatioAgreement
from glisson.clinical.analyses import COUNTS, Analysis, Study
from glisson.clinical.association import DunnPair
from glisson.clinical.description import Description
from glisson.clinical.estimates import Estimate
from glisson.clinical.published import CITATION, PUBLISHED
from glisson.pages import Table

Row = tuple[str, ...]
DASH = "–"
_NO_RESULT = "refused"
_COLUMN_NAMES = {
    "model_tract_count": "tracts, model",
    "report_tract_count": "tracts, report",
    "second_reader_tract_count": "tracts, second reader",
    "tissue_area_mm2": "tissue area, mm²",
    "model_length_mm": "length by the model, mm",
    "manual_length_mm": "length by ruler, mm",
    "portal_percent": "portal, % of tissue",
}
_INTERVALS = "In brackets: 95 % intervals"


def number(value: float, digits: int = 2) -> str:
    """A number, or a dash where there is none; never minus zero."""
    return f"{value:z.{digits}f}" if math.isfinite(value) else DASH


def estimate(value: Estimate, digits: int = 2) -> str:
    """A number with its interval, where it has one."""
    if math.isnan(value.low):
        return number(value.value, digits)
    low, high = number(value.low, digits), number(value.high, digits)
    return f"{number(value.value, digits)} ({low} to {high})"


def p_value(value: float) -> str:
    """A p value to two digits, never 0."""
    if math.isnan(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def key_table(study: Study) -> Table:
    """The numbers that a study is asked for first, beside the paper's."""
    rows = [row for row in (*_key_counts(study), *_key_others(study)) if row is not None]
    return Table(
        "key",
        "Agreement, and portal area against stage",
        ("", "slides", "value (95 % interval)", "published"),
        tuple(rows) or ((_NO_RESULT, DASH, "see the reasons", ""),),
        f"Published: {CITATION}; the weights of κ are not named there.",
    )


def _key_counts(study: Study) -> Iterator[Row]:
    published = PUBLISHED["kappa_model_report"].text, PUBLISHED["kappa_model_second"].text, DASH
    for pair, text in zip(study.count_pairs, published, strict=True):
        if found := pair.result:
            name = pair.title.removeprefix("Tract counts: ").replace("second reader", "reader 2")
            slides, limits = str(pair.entered.slides), found.agreement.bland_altman
            yield f"κ quadratic: {name}", slides, estimate(found.kappa_quadratic), text
            yield f"κ linear: {name}", slides, estimate(found.kappa_linear), text
            yield f"bias, tracts: {name}", slides, estimate(limits.bias), DASH
            ends = number(limits.lower_limit.value, 1), number(limits.upper_limit.value, 1)
            yield f"limits, tracts: {name}", slides, " and ".join(ends), DASH


def _key_others(study: Study) -> Iterator[Row]:
    if found := study.length.result:
        slides = str(study.length.entered.slides)
        yield "CCC: length, model, ruler", slides, estimate(found.ccc), DASH
    if area := study.area_length.result:
        slides, text = str(study.area_length.entered.slides), PUBLISHED["area_length"].text
        yield "r: area, length by ruler", slides, estimate(area.coefficient), text
    if found_r := study.correlations.result:
        slides, text = str(study.correlations.entered.slides), PUBLISHED["stage_pearson"].text
        r, rho = found_r.pearson.coefficient, found_r.spearman.coefficient
        yield "r: portal percent, stage", slides, estimate(r), text
        yield "ρ: portal percent, stage", slides, estimate(rho), DASH


def all_tables(study: Study) -> list[Table]:
    """Every table of the page, in its order."""
    return [
        entered_table(study), count_table(study), gain_table(study), adequacy_table(study),
        length_table(study), stage_table(study), pairs_table(study), described_table(study),
        scale_table(study),
    ]  # fmt: skip


def entered_table(study: Study) -> Table:
    """How many cases every analysis has, and why others are not in it."""
    rows = tuple(
        (
            each.title,
            str(each.entered.slides),
            str(each.entered.patients),
            "; ".join(f"{n}: {reason}" for reason, n in each.entered.left_out) or DASH,
            each.refusal or "made",
        )
        for each in study.analyses.values()
    )
    header = ("analysis", "slides", "patients", "left out", "outcome")
    return Table("cases", "Who entered which analysis", header, rows)


_COUNT_ROWS: tuple[tuple[str, Callable[[CountAgreement], str]], ...] = (
    ("weighted κ, quadratic", lambda c: estimate(c.kappa_quadratic)),
    ("weighted κ, linear", lambda c: estimate(c.kappa_linear)),
    ("ICC(2,1), agreement", lambda c: estimate(c.agreement.icc_2_1)),
    ("ICC(3,1), consistency", lambda c: estimate(c.agreement.icc_3_1)),
    ("Lin's CCC", lambda c: estimate(c.agreement.ccc)),
    ("bias, tracts", lambda c: estimate(c.agreement.bland_altman.bias)),
    ("lower limit, tracts", lambda c: estimate(c.agreement.bland_altman.lower_limit, 1)),
    ("upper limit, tracts", lambda c: estimate(c.agreement.bland_altman.upper_limit, 1)),
    ("slope of difference over mean", lambda c: estimate(c.agreement.bland_altman.slope)),
    ("ratio", lambda c: _ratio(c.agreement, "ratio")),
    ("lower limit of the ratio", lambda c: _ratio(c.agreement, "lower_limit")),
    ("upper limit of the ratio", lambda c: _ratio(c.agreement, "upper_limit")),
    ("mean absolute difference, tracts", lambda c: estimate(c.agreement.mean_absolute_error)),
    ("the same count, %", lambda c: estimate(c.exact_percent, 0)),
    ("at most 1 apart, %", lambda c: estimate(c.within_1_percent, 0)),
    ("at most 2 apart, %", lambda c: estimate(c.within_2_percent, 0)),
    ("categories of κ, tracts", lambda c: f"{c.lowest_category} to {c.highest_category}"),
)


def count_table(study: Study) -> Table:
    """Agreement of the three pairs of observers on the number of tracts."""
    pairs = study.count_pairs
    rows = [
        ("slides", *(str(pair.entered.slides) for pair in pairs)),
        *((name, *_cells(pairs, show)) for name, show in _COUNT_ROWS),
        ("κ as published, weights not named", PUBLISHED["kappa_model_report"].text,
         PUBLISHED["kappa_model_second"].text, "not given"),
    ]  # fmt: skip
    return Table(
        "counts",
        "Agreement on the number of portal tracts",
        ("", "model, report", "model, second reader", "report, second reader"),
        tuple(rows),
        f"{_INTERVALS}. Differences and ratios: first against second. Quadratic κ of whole counts "
        f"is the same number as Lin's CCC. Published: {CITATION}."
        f"{_without(*(replace(p.result, adequacy=()) for p in pairs if p.result))}",
    )


def _without(*results: Any) -> str:
    """Why some numbers have no interval, as a sentence; empty where all have one."""
    found = (value for each in results for _, value, _ in _numbers(each))
    why = {
        each.interval.removeprefix("none: ")
        for each in found
        if isinstance(each, Estimate) and math.isnan(each.low) and math.isfinite(each.value)
    }
    return f" No interval: {'; '.join(sorted(why))}." if why else ""


def _cells(analyses: Sequence[Analysis[Any]], show: Callable[[Any], str]) -> list[str]:
    return [DASH if each.result is None else show(each.result) for each in analyses]


def _ratio(agreement: Agreement, name: str) -> str:
    ratio: RatioAgreement | None = agreement.ratio
    return DASH if ratio is None else estimate(getattr(ratio, name))


def gain_table(study: Study) -> Table:
    """Whether the model agrees with a reader as well as the readers with each other."""
    rows = [
        (name, kappa.weights, str(each.entered.slides), estimate(kappa.difference))
        for name, each in (
            ("model, report", study.report_gain),
            ("model, second reader", study.second_gain),
        )
        for kappa in each.result or ()
    ]
    return Table(
        "kappa-differences",
        "κ of model and reader, less κ of report and second reader",
        ("pair", "weights", "slides", "difference of κ"),
        tuple(rows) or ((_NO_RESULT, "", "", study.report_gain.refusal or ""),),
        f"{_INTERVALS}, from the same draws for both κ. Above 0, the model agrees with the reader "
        "better than the readers with each other; an interval that holds 0 leaves it open."
        f"{_without(study.report_gain.result, study.second_gain.result)}",
    )


def adequacy_table(study: Study) -> Table:
    """Agreement on whether a biopsy has enough tracts."""
    names = ("model, report", "model, second reader", "report, second reader")
    rows = [
        _adequacy_row(name, each)
        for name, pair in zip(names, study.count_pairs, strict=True)
        if pair.result
        for each in pair.result.adequacy
    ]
    return Table(
        "adequacy",
        "Agreement on adequacy: at least so many tracts",
        ("pair", "tracts", "both", "first only", "second only", "neither", "agreement, %", "κ",
         "McNemar p"),
        tuple(rows) or ((_NO_RESULT, *("",) * 8),),
        f"{_INTERVALS}. 6: RCPath's minimum; 11: AASLD 2009. Both standards ask for length, and "
        "for complete tracts, as well: this is agreement on the count alone. κ does not exist "
        f"where both call every biopsy alike."
        f"{_without(*(p.result.adequacy for p in study.count_pairs if p.result))}",
    )  # fmt: skip


def _adequacy_row(name: str, each: AdequacyAgreement) -> Row:
    return (
        name, f"≥ {each.least_tracts}", str(each.both), str(each.first_only),
        str(each.second_only), str(each.neither), estimate(each.agreement_percent, 0),
        estimate(each.kappa), p_value(each.mcnemar_p_value),
    )  # fmt: skip


def length_table(study: Study) -> Table:
    """Length by the model against the ruler's, and area with length."""
    rows: list[Row] = []
    made = study.length, study.area_length, study.area_model_length
    if study.length.result is not None:
        rows += _length_rows(study.length.result, study.length.entered.slides)
    published = PUBLISHED["area_length"].text
    for name, each, text in (
        ("r of tissue area and length by ruler", study.area_length, published),
        ("r of tissue area and length by the model", study.area_model_length, DASH),
    ):
        if each.result is not None:
            found = f"{estimate(each.result.coefficient)}, p {p_value(each.result.p_value)}"
            rows.append((name, str(each.entered.slides), found, text))
    return Table(
        "length",
        "Length and tissue area",
        ("", "slides", "value", "published"),
        tuple(rows) or ((_NO_RESULT, "", study.length.refusal or "", ""),),
        f"{_INTERVALS}. A core is about as wide as its needle, so that area and length go together "
        f"nearly by definition: r says little about the model. Published: {CITATION}."
        f"{_without(*(each.result for each in made))}",
    )


def _length_rows(found: Agreement, slides: int) -> list[Row]:
    limits = found.bland_altman
    shown = (
        ("Lin's CCC of model and ruler", estimate(found.ccc)),
        ("ICC(2,1)", estimate(found.icc_2_1)),
        ("bias, mm: model less ruler", estimate(limits.bias)),
        ("lower limit, mm", estimate(limits.lower_limit, 1)),
        ("upper limit, mm", estimate(limits.upper_limit, 1)),
        ("slope of difference over mean", estimate(limits.slope)),
        ("ratio", _ratio(found, "ratio")),
        ("lower limit of the ratio", _ratio(found, "lower_limit")),
        ("upper limit of the ratio", _ratio(found, "upper_limit")),
        ("mean absolute difference, mm", estimate(found.mean_absolute_error)),
    )
    return [(name, str(slides), text, DASH) for name, text in shown]


def stage_table(study: Study) -> Table:
    """Portal percent against stage."""
    rows = list(_stage_rows(study))
    return Table(
        "stage",
        f"Portal percent against {study.scale.name} stage",
        ("", "slides", "value", "p", "published"),
        tuple(rows) or ((_NO_RESULT, "", study.correlations.refusal or "", "", ""),),
        f"{_INTERVALS}. A stage is a rank: ρ, τ-b and the trend take it so, Pearson's r takes its "
        f"steps as equal and is here for comparison. Published: {CITATION}."
        f"{_without(study.correlations.result, study.from_f3.result, study.from_f4.result)}",
    )


def _stage_rows(study: Study) -> Iterator[Row]:
    slides = str(study.correlations.entered.slides)
    if found := study.correlations.result:
        for name, each, text in (
            ("Pearson's r", found.pearson, PUBLISHED["stage_pearson"].text),
            ("Spearman's ρ", found.spearman, DASH),
            ("Kendall's τ-b", found.kendall, DASH),
        ):
            yield name, slides, estimate(each.coefficient), p_value(each.p_value), text
    if test := study.difference.result:
        h = f"H({test.degrees_of_freedom}) = {number(test.h)}, ε² = {number(test.epsilon_squared)}"
        text = PUBLISHED["stage_difference"].text
        yield "Kruskal–Wallis", str(sum(test.sizes)), h, p_value(test.p_value), text
    if found_trend := study.trend.result:
        z = f"z = {number(found_trend.z)}"
        yield "Jonckheere–Terpstra", slides, z, p_value(found_trend.p_value), DASH
    for analysis, equivalent in ((study.from_f3, "F3"), (study.from_f4, "F4")):
        if found_auc := analysis.result:
            stage = study.scale.label_from(found_auc.from_stage)
            sides = f"{found_auc.positive} against {found_auc.negative}"
            name = f"AUC for {study.scale.name} {stage} ({equivalent})"
            yield name, sides, estimate(found_auc.auc), DASH, DASH


def pairs_table(study: Study) -> Table:
    """Every two stages, by Dunn's test."""
    label = study.scale.label
    rows = tuple(
        (f"{label(p.first)} and {label(p.second)}", number(p.z), p_value(p.p_value),
         p_value(p.p_holm))
        for p in study.pairs.result or ()
    )  # fmt: skip
    return Table(
        "stage-pairs",
        f"{study.scale.name} stages in pairs: Dunn's test",
        ("stages", "z", "p", "p, Holm"),
        rows or ((_NO_RESULT, "", "", study.pairs.refusal or ""),),
        "z above 0: more portal area in the second stage.",
    )


def described_table(study: Study) -> Table:
    """Mean ± SD of every column, of all cases and by stage, beside the paper's."""
    groups = list(study.described["portal_percent"])
    rows = tuple(
        (
            _COLUMN_NAMES[name],
            *(_mean(by_group.get(group)) for group in groups),
            PUBLISHED[name].text if name in PUBLISHED else DASH,
        )
        for name, by_group in study.described.items()
    )
    notes = "; ".join(
        f"{_COLUMN_NAMES[name]}: {PUBLISHED[name].note.rstrip('.')}" for name in study.described
        if name in PUBLISHED
    )  # fmt: skip
    return Table(
        "described",
        f"Mean ± SD (cases), all and by {study.scale.name} stage",
        ("", "all", *(f"stage {g}" for g in groups[1:]), "published"),
        rows,
        f"Counts are of countable cases. Published: {CITATION}, {PUBLISHED['cases'].source}. "
        f"There: {notes}.",
    )


def _mean(found: Description | None) -> str:
    if found is None or not found.n:
        return DASH
    spread = f" ± {number(found.sd)}" if found.n > 1 else ""
    return f"{number(found.mean)}{spread} ({found.n})"


def scale_table(study: Study) -> Table:
    """The scale's stages, and how many cases have each."""
    scale = study.scale
    stages = [case.stage for case in study.cases.cases]
    rows = tuple(
        (stage.label, stage.meaning, str(scale.metavir[i]) if scale.metavir else DASH,
         str(stages.count(stage.number)))
        for i, stage in enumerate(scale.stages)
    )  # fmt: skip
    return Table(
        "scale",
        f"The {scale.name} scale",
        ("stage", "meaning", "METAVIR", "cases"),
        rows,
        f"{scale.citation}. Equivalent to F3 and more: {scale.label_from(scale.f3_from)}; to F4: "
        f"{scale.label_from(scale.f4_from)} ({scale.mapping_citation}).",
    )


ESTIMATE_COLUMNS = (
    "analysis", "statistic", "value", "unit", "low_95", "high_95", "interval", "slides",
    "patients", "synthetic",
)  # fmt: skip
_IN_UNIT_OF_OWNER = {"mean_absolute_error", "bias", "sd", "lower_limit", "upper_limit"}
_IN_TRACTS = {"lowest_category", "highest_category", "least_tracts"}


def estimate_rows(study: Study) -> Iterator[dict[str, Any]]:
    """Every number of every analysis, one a row, not rounded."""
    for name, each in study.analyses.items():
        of_all = {
            "slides": each.entered.slides,
            "patients": each.entered.patients,
            "synthetic": study.cases.synthetic,
        }
        for statistic, value, unit in _numbers(each.result):
            row = {"analysis": name, "statistic": statistic, "unit": unit} | of_all
            yield row | (_bounds(value) if isinstance(value, Estimate) else {"value": value})


def _bounds(value: Estimate) -> dict[str, Any]:
    numbers = {"value": value.value, "low_95": value.low, "high_95": value.high}
    known = {key: each for key, each in numbers.items() if math.isfinite(each)}
    return known | {"interval": value.interval}


def _numbers(result: Any, name: str = "", unit: str = "") -> Iterator[tuple[str, Any, str]]:
    """Estimates and plain numbers anywhere in a result, each with its path and unit."""
    if isinstance(result, Estimate | int | float):
        yield name, result, unit
    elif isinstance(result, tuple):
        for place, each in enumerate(result, 1):
            yield from _numbers(each, f"{name}[{_label(each, place)}]", unit)
    elif is_dataclass(result):
        for field in fields(result):
            path = f"{name}.{field.name}".lstrip(".")
            yield from _numbers(getattr(result, field.name), path, _unit(result, field.name))


def _label(each: Any, place: int) -> Any:
    """What tells an element of several from the others."""
    if isinstance(each, DunnPair):
        return f"stages {each.first} and {each.second}"
    return getattr(each, "weights", getattr(each, "least_tracts", place))


def _unit(owner: Any, name: str) -> str:
    if name in _IN_UNIT_OF_OWNER:
        return getattr(owner, "unit", "")
    if name in _IN_TRACTS:
        return "tracts"
    return "%" if name.endswith("_percent") else ""


CASE_COLUMNS = (
    "slide", "patient", "diagnosis", "stage", *COUNTS, "tissue_area_mm2", "model_length_mm",
    "manual_length_mm", "portal_percent", "uncounted", "synthetic", "analyses",
)  # fmt: skip


def case_rows(study: Study) -> Iterator[dict[str, Any]]:
    """The joined cases, one a row, each with the analyses that it entered."""
    slides = {
        name: {case.slide for case in each.entered.cases}
        for name, each in study.analyses.items() if each.result is not None
    }  # fmt: skip
    for case in study.cases.cases:
        row = {name: _cell(getattr(case, name)) for name in CASE_COLUMNS[:-2]}
        entered = " ".join(n for n, each in slides.items() if case.slide in each)
        yield row | {"synthetic": study.cases.synthetic, "analyses": entered}


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value
