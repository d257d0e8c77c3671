"""A study's results as tables of text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from glisson.clinical.agreement import AdequacyAgreement, Agreement, CountAgreement
from glisson.clinical.analyses import Study
from glisson.clinical.bland_altman import RatioAgreement
from glisson.clinical.estimates import Estimate
from glisson.clinical.formats import DASH, format_estimate, format_number, format_p_value
from glisson.clinical.published import CITATION, PUBLISHED
from glisson.clinical.rows import walk_numbers
from glisson.measurement import BiopsyMeasurements, heading_of
from glisson.pages import Table

Row = tuple[str, ...]
_NO_RESULT = "refused"
_COLUMN_NAMES = {
    "model_tract_count": "tracts, model",
    "report_tract_count": "tracts, report",
    "second_reader_tract_count": "tracts, second reader",
    "tissue_area_mm2": heading_of(BiopsyMeasurements, "tissue_area_mm2"),
    "model_length_mm": "length by the model, mm",
    "manual_length_mm": "length by ruler, mm",
    "portal_percent": heading_of(BiopsyMeasurements, "portal_percent"),
}
_PAIR_NAMES = ("model, report", "model, second reader", "report, second reader")
_INTERVALS = "In brackets: 95 % intervals"


def key_table(study: Study) -> Table:
    """Make the table of the main numbers, beside the paper's."""
    return Table(
        "key",
        "Agreement, and portal area against stage",
        ("", "slides", "value (95 % interval)", "published"),
        tuple(_list_key_rows(study)) or ((_NO_RESULT, DASH, "see the reasons", ""),),
        f"Published: {CITATION}; the weights of κ are not named there.",
    )


def _list_key_rows(study: Study) -> Iterator[Row]:
    published = PUBLISHED["kappa_model_report"].text, PUBLISHED["kappa_model_second"].text, DASH
    for pair, text in zip(study.count_pairs, published, strict=True):
        if found := pair.result:
            name = pair.title.removeprefix("Tract counts: ").replace("second reader", "reader 2")
            slides, limits = str(pair.entered.slides), found.agreement.bland_altman
            yield f"κ quadratic: {name}", slides, format_estimate(found.kappa_quadratic), text
            yield f"κ linear: {name}", slides, format_estimate(found.kappa_linear), text
            yield f"bias, tracts: {name}", slides, format_estimate(limits.bias), DASH
            ends = (
                format_number(limits.lower_limit.value, 1),
                format_number(limits.upper_limit.value, 1),
            )
            yield f"limits, tracts: {name}", slides, " and ".join(ends), DASH
    if length := study.length.result:
        slides = str(study.length.entered.slides)
        yield "CCC: length, model, ruler", slides, format_estimate(length.ccc), DASH
    if area := study.area_length.result:
        slides, text = str(study.area_length.entered.slides), PUBLISHED["area_length"].text
        yield "r: area, length by ruler", slides, format_estimate(area.coefficient), text
    if found_r := study.correlations.result:
        slides, text = str(study.correlations.entered.slides), PUBLISHED["stage_pearson"].text
        r, rho = found_r.pearson.coefficient, found_r.spearman.coefficient
        yield "r: portal percent, stage", slides, format_estimate(r), text
        yield "ρ: portal percent, stage", slides, format_estimate(rho), DASH


def all_tables(study: Study) -> list[Table]:
    """Make every table of the page, in its order."""
    makers = (
        cases_table,
        count_table,
        gain_table,
        adequacy_table,
        length_table,
        stage_table,
        pairs_table,
        description_table,
        scale_table,
    )
    return [make(study) for make in makers]


def cases_table(study: Study) -> Table:
    """Make the table of the cases in every analysis, and of the reasons for the others."""
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
    ("weighted κ, quadratic", lambda c: format_estimate(c.kappa_quadratic)),
    ("weighted κ, linear", lambda c: format_estimate(c.kappa_linear)),
    ("ICC(2,1), agreement", lambda c: format_estimate(c.agreement.icc_2_1)),
    ("ICC(3,1), consistency", lambda c: format_estimate(c.agreement.icc_3_1)),
    ("Lin's CCC", lambda c: format_estimate(c.agreement.ccc)),
    ("bias, tracts", lambda c: format_estimate(c.agreement.bland_altman.bias)),
    ("lower limit, tracts", lambda c: format_estimate(c.agreement.bland_altman.lower_limit, 1)),
    ("upper limit, tracts", lambda c: format_estimate(c.agreement.bland_altman.upper_limit, 1)),
    ("slope of difference over mean", lambda c: format_estimate(c.agreement.bland_altman.slope)),
    ("ratio", lambda c: _format_ratio(c.agreement, "ratio")),
    ("lower limit of the ratio", lambda c: _format_ratio(c.agreement, "lower_limit")),
    ("upper limit of the ratio", lambda c: _format_ratio(c.agreement, "upper_limit")),
    (
        "mean absolute difference, tracts",
        lambda c: format_estimate(c.agreement.mean_absolute_error),
    ),
    ("the same count, %", lambda c: format_estimate(c.exact_percent, 0)),
    ("at most 1 apart, %", lambda c: format_estimate(c.within_1_percent, 0)),
    ("at most 2 apart, %", lambda c: format_estimate(c.within_2_percent, 0)),
    ("categories of κ, tracts", lambda c: f"{c.lowest_category} to {c.highest_category}"),
)


def count_table(study: Study) -> Table:
    """Make the table of the agreement on the number of tracts."""
    pairs = study.count_pairs
    # The table of adequacy explains its own numbers.
    results = [replace(pair.result, adequacy=()) for pair in pairs if pair.result]
    rows = [
        ("slides", *(str(pair.entered.slides) for pair in pairs)),
        *(
            (name, *(DASH if each.result is None else show(each.result) for each in pairs))
            for name, show in _COUNT_ROWS
        ),
        (
            "κ as published, weights not named",
            PUBLISHED["kappa_model_report"].text,
            PUBLISHED["kappa_model_second"].text,
            "not given",
        ),
    ]
    return Table(
        "counts",
        "Agreement on the number of portal tracts",
        ("", *_PAIR_NAMES),
        tuple(rows),
        f"{_INTERVALS}. Differences and ratios: first against second. Quadratic κ of whole counts "
        f"is the same number as Lin's CCC. Published: {CITATION}."
        f"{_note_missing_intervals(*results)}",
    )


def _note_missing_intervals(*results: Any) -> str:
    """Return a sentence on numbers without interval; empty if all have intervals."""
    values = (value for each in results for _, value, _ in walk_numbers(each))
    reasons = {
        each.interval.removeprefix("none: ")
        for each in values
        if isinstance(each, Estimate) and math.isnan(each.low) and math.isfinite(each.value)
    }
    return f" No interval: {'; '.join(sorted(reasons))}." if reasons else ""


def _format_ratio(agreement: Agreement, name: str) -> str:
    ratio: RatioAgreement | None = agreement.ratio
    return DASH if ratio is None else format_estimate(getattr(ratio, name))


def gain_table(study: Study) -> Table:
    """Make the table of kappa of model and reader minus kappa of both readers."""
    rows = [
        (name, kappa.weights, str(each.entered.slides), format_estimate(kappa.difference))
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
        f"{_note_missing_intervals(study.report_gain.result, study.second_gain.result)}",
    )


_ADEQUACY_COLUMNS: dict[str, Callable[[AdequacyAgreement], str]] = {
    "tracts": lambda a: f"≥ {a.least_tracts}",
    "both": lambda a: str(a.both),
    "first only": lambda a: str(a.first_only),
    "second only": lambda a: str(a.second_only),
    "neither": lambda a: str(a.neither),
    "agreement, %": lambda a: format_estimate(a.agreement_percent, 0),
    "κ": lambda a: format_estimate(a.kappa),
    "McNemar p": lambda a: format_p_value(a.mcnemar_p_value),
}


def adequacy_table(study: Study) -> Table:
    """Make the table of the agreement on adequacy."""
    found = [
        (name, agreement)
        for name, pair in zip(_PAIR_NAMES, study.count_pairs, strict=True)
        if pair.result
        for agreement in pair.result.adequacy
    ]
    rows = [(name, *(show(each) for show in _ADEQUACY_COLUMNS.values())) for name, each in found]
    return Table(
        "adequacy",
        "Agreement on adequacy: at least so many tracts",
        ("pair", *_ADEQUACY_COLUMNS),
        tuple(rows) or ((_NO_RESULT, *("",) * len(_ADEQUACY_COLUMNS)),),
        f"{_INTERVALS}. 6: RCPath's minimum; 11: AASLD 2009. Both standards ask for length, and "
        "for complete tracts, as well: this is agreement on the count alone. κ does not exist "
        "where both call every biopsy alike."
        f"{_note_missing_intervals(*(each for _, each in found))}",
    )


_LENGTH_ROWS: tuple[tuple[str, Callable[[Agreement], str]], ...] = (
    ("Lin's CCC of model and ruler", lambda a: format_estimate(a.ccc)),
    ("ICC(2,1)", lambda a: format_estimate(a.icc_2_1)),
    ("bias, mm: model less ruler", lambda a: format_estimate(a.bland_altman.bias)),
    ("lower limit, mm", lambda a: format_estimate(a.bland_altman.lower_limit, 1)),
    ("upper limit, mm", lambda a: format_estimate(a.bland_altman.upper_limit, 1)),
    ("slope of difference over mean", lambda a: format_estimate(a.bland_altman.slope)),
    ("ratio", lambda a: _format_ratio(a, "ratio")),
    ("lower limit of the ratio", lambda a: _format_ratio(a, "lower_limit")),
    ("upper limit of the ratio", lambda a: _format_ratio(a, "upper_limit")),
    ("mean absolute difference, mm", lambda a: format_estimate(a.mean_absolute_error)),
)


def length_table(study: Study) -> Table:
    """Make the table of length by the model and by ruler, and of area with length."""
    rows: list[Row] = []
    made = study.length, study.area_length, study.area_model_length
    if found := study.length.result:
        slides = str(study.length.entered.slides)
        rows += [(name, slides, show(found), DASH) for name, show in _LENGTH_ROWS]
    published = PUBLISHED["area_length"].text
    for name, each, text in (
        ("r of tissue area and length by ruler", study.area_length, published),
        ("r of tissue area and length by the model", study.area_model_length, DASH),
    ):
        if each.result is not None:
            r, p = each.result.coefficient, each.result.p_value
            value = f"{format_estimate(r)}, p {format_p_value(p)}"
            rows.append((name, str(each.entered.slides), value, text))
    return Table(
        "length",
        "Length and tissue area",
        ("", "slides", "value", "published"),
        tuple(rows) or ((_NO_RESULT, "", study.length.refusal or "", ""),),
        f"{_INTERVALS}. A core is about as wide as its needle, so that area and length go together "
        f"nearly by definition: r says little about the model. Published: {CITATION}."
        f"{_note_missing_intervals(*(each.result for each in made))}",
    )


def stage_table(study: Study) -> Table:
    """Make the table of portal percent against stage."""
    rows = list(_list_stage_rows(study))
    shown = study.correlations, study.from_f3, study.from_f4
    return Table(
        "stage",
        f"Portal percent against {study.scale.name} stage",
        ("", "slides", "value", "p", "published"),
        tuple(rows) or ((_NO_RESULT, "", study.correlations.refusal or "", "", ""),),
        f"{_INTERVALS}. A stage is a rank: ρ, τ-b and the trend take it so, Pearson's r takes its "
        f"steps as equal and is here for comparison. Published: {CITATION}."
        f"{_note_missing_intervals(*(each.result for each in shown))}",
    )


def _list_stage_rows(study: Study) -> Iterator[Row]:
    slides = str(study.correlations.entered.slides)
    if found := study.correlations.result:
        for name, each, text in (
            ("Pearson's r", found.pearson, PUBLISHED["stage_pearson"].text),
            ("Spearman's ρ", found.spearman, DASH),
            ("Kendall's τ-b", found.kendall, DASH),
        ):
            yield (
                name,
                slides,
                format_estimate(each.coefficient),
                format_p_value(each.p_value),
                text,
            )
    if test := study.difference.result:
        effect = format_number(test.epsilon_squared)
        h = f"H({test.degrees_of_freedom}) = {format_number(test.h)}, ε² = {effect}"
        text = PUBLISHED["stage_difference"].text
        yield "Kruskal–Wallis", str(sum(test.sizes)), h, format_p_value(test.p_value), text
    if found_trend := study.trend.result:
        z = f"z = {format_number(found_trend.z)}"
        yield "Jonckheere–Terpstra", slides, z, format_p_value(found_trend.p_value), DASH
    for analysis, equivalent in ((study.from_f3, "F3"), (study.from_f4, "F4")):
        if found_auc := analysis.result:
            stage = study.scale.label_from(found_auc.from_stage)
            sides = f"{found_auc.positive} against {found_auc.negative}"
            name = f"AUC for {study.scale.name} {stage} ({equivalent})"
            yield name, sides, format_estimate(found_auc.auc), DASH, DASH


def pairs_table(study: Study) -> Table:
    """Make the table of every two stages, by Dunn's test."""
    label = study.scale.label
    rows = tuple(
        (
            f"{label(p.first)} and {label(p.second)}",
            format_number(p.z),
            format_p_value(p.p_value),
            format_p_value(p.p_holm),
        )
        for p in study.pairs.result or ()
    )
    return Table(
        "stage-pairs",
        f"{study.scale.name} stages in pairs: Dunn's test",
        ("stages", "z", "p", "p, Holm"),
        rows or ((_NO_RESULT, "", "", study.pairs.refusal or ""),),
        "z above 0: more portal area in the second stage.",
    )


def description_table(study: Study) -> Table:
    """Make the table of mean ± SD of every column, of all cases and by stage."""
    groups = list(study.described["portal_percent"])
    rows = []
    for name, by_group in study.described.items():
        cells = [DASH] * len(groups)
        for place, group in enumerate(groups):
            if (found := by_group.get(group)) and found.n:
                spread = f" ± {format_number(found.sd)}" if found.n > 1 else ""
                cells[place] = f"{format_number(found.mean)}{spread} ({found.n})"
        published = PUBLISHED[name].text if name in PUBLISHED else DASH
        rows.append((_COLUMN_NAMES[name], *cells, published))
    notes = "; ".join(
        f"{_COLUMN_NAMES[name]}: {PUBLISHED[name].note.rstrip('.')}"
        for name in study.described
        if name in PUBLISHED
    )
    return Table(
        "described",
        f"Mean ± SD (cases), all and by {study.scale.name} stage",
        ("", "all", *(f"stage {g}" for g in groups[1:]), "published"),
        tuple(rows),
        f"Counts are of countable cases. Published: {CITATION}, {PUBLISHED['cases'].source}. "
        f"There: {notes}.",
    )


def scale_table(study: Study) -> Table:
    """Make the table of the scale's stages, with the number of cases of each."""
    scale = study.scale
    stages = [case.stage for case in study.cases.cases]
    rows = tuple(
        (
            stage.label,
            stage.meaning,
            str(scale.metavir[i]) if scale.metavir else DASH,
            str(stages.count(stage.number)),
        )
        for i, stage in enumerate(scale.stages)
    )
    return Table(
        "scale",
        f"The {scale.name} scale",
        ("stage", "meaning", "METAVIR", "cases"),
        rows,
        f"{scale.citation}. Equivalent to F3 and more: {scale.label_from(scale.f3_from)}; to F4: "
        f"{scale.label_from(scale.f4_from)} ({scale.mapping_citation}).",
    )
