"""Analyses of a study: the cases that enter each analysis, and its result."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np

from glisson.clinical.agreement import (
    Agreement,
    CountAgreement,
    KappaDifference,
    count_agreement,
    kappa_difference,
    measure_agreement,
)
from glisson.clinical.association import (
    Correlation,
    Discrimination,
    DunnPair,
    KruskalWallis,
    StageCorrelations,
    Trend,
    discrimination,
    dunn,
    kruskal_wallis,
    pearson,
    stage_correlations,
    trend,
)
from glisson.clinical.cases import StudyCase, StudyCases, extract_column
from glisson.clinical.estimates import PatientBootstrap, Values
from glisson.clinical.scales import Scale
from glisson.clinical.settings import StudySettings
from glisson.errors import StudyError

Result = TypeVar("Result")
MODEL, REPORT, SECOND = "model_tract_count", "report_tract_count", "second_reader_tract_count"
COUNTS = (MODEL, REPORT, SECOND)
DESCRIBED = (*COUNTS, "tissue_area_mm2", "model_length_mm", "manual_length_mm", "portal_percent")
NO_MODEL_COUNT = "the model gives no count"
_MISSING = {
    MODEL: NO_MODEL_COUNT,
    REPORT: "no count in the report",
    SECOND: "no count by the second reader",
    "tissue_area_mm2": "no tissue area",
    "model_length_mm": "the model gives no length",
    "manual_length_mm": "no length by ruler",
    "portal_percent": "no portal percent",
    "stage": "no stage",
}
_OF_MODEL = {MODEL, "tissue_area_mm2", "model_length_mm", "portal_percent"}


@dataclass(frozen=True)
class Entered:
    """Cases of an analysis.

    Attributes:
        cases: in the analysis.
        left_out: reasons for the other cases, with their numbers.
    """

    cases: tuple[StudyCase, ...]
    left_out: tuple[tuple[str, int], ...]

    @property
    def slides(self) -> int:
        """Return the number of slides in the analysis."""
        return len(self.cases)

    @property
    def patients(self) -> int:
        """Return the number of patients in the analysis."""
        return len({case.patient for case in self.cases})


@dataclass(frozen=True)
class Analysis(Generic[Result]):
    """Analysis with its result, or with the reason why it was not made.

    Attributes:
        title: of the analysis.
        entered: its cases.
        result: None if the analysis was not made.
        refusal: reason why the analysis was not made, or None.
    """

    title: str
    entered: Entered
    result: Result | None
    refusal: str | None


@dataclass(frozen=True)
class Description:
    """Summary of a column of numbers.

    Attributes:
        n: number of values; the other numbers are NaN without a value.
        mean: arithmetic mean.
        sd: with n - 1; NaN below two values.
        median: of the values.
        lowest: smallest value.
        highest: largest value.
    """

    n: int
    mean: float
    sd: float
    median: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Study:
    """The analyses of a study.

    Attributes:
        settings: of the study.
        scale: of the stages.
        cases: of the study.
        model_report: counts of model and report.
        model_second: counts of model and second reader.
        report_second: counts of report and second reader.
        report_gain: kappa of model and report minus kappa of report and second reader, by weights.
        second_gain: kappa of model and second reader minus kappa of report and second reader.
        length: length by the model and by ruler.
        area_length: tissue area with the ruler's length.
        area_model_length: tissue area with the model's length.
        correlations: of portal percent with stage: Pearson, Spearman, Kendall.
        difference: of portal percent between stages.
        pairs: comparisons of every two stages.
        trend: of portal percent over stages.
        from_f3: portal percent for stages from septa or bridges on.
        from_f4: portal percent for cirrhosis.
        described: columns of all cases (counts: of countable cases) and by stage.
    """

    settings: StudySettings
    scale: Scale
    cases: StudyCases
    model_report: Analysis[CountAgreement]
    model_second: Analysis[CountAgreement]
    report_second: Analysis[CountAgreement]
    report_gain: Analysis[tuple[KappaDifference, ...]]
    second_gain: Analysis[tuple[KappaDifference, ...]]
    length: Analysis[Agreement]
    area_length: Analysis[Correlation]
    area_model_length: Analysis[Correlation]
    correlations: Analysis[StageCorrelations]
    difference: Analysis[KruskalWallis]
    pairs: Analysis[tuple[DunnPair, ...]]
    trend: Analysis[Trend]
    from_f3: Analysis[Discrimination]
    from_f4: Analysis[Discrimination]
    described: dict[str, dict[str, Description]]

    @property
    def analyses(self) -> dict[str, Analysis[Any]]:
        """Return every analysis by name, in order."""
        return {name: each for name, each in vars(self).items() if isinstance(each, Analysis)}

    @property
    def count_pairs(self) -> tuple[Analysis[CountAgreement], ...]:
        """Return the agreement of the three pairs of observers."""
        return self.model_report, self.model_second, self.report_second


def analyse(cases: StudyCases, scale: Scale, settings: StudySettings) -> Study:
    """Make every analysis that the cases allow; give a reason for the others."""
    analyst = _Analyst(cases.cases, scale, settings)
    make, counts = analyst.make, analyst.compare_counts
    of_stage = partial(make, columns=("portal_percent", "stage"))
    lengths = ("model_length_mm", "manual_length_mm")
    stage_name = f"Portal percent for {scale.name} "
    return Study(
        settings=settings,
        scale=scale,
        cases=cases,
        model_report=counts("Tract counts: model, report", MODEL, REPORT),
        model_second=counts("Tract counts: model, second reader", MODEL, SECOND),
        report_second=counts("Tract counts: report, second reader", REPORT, SECOND),
        report_gain=analyst.compare_kappas(
            "Kappa: model, report less report, second reader", (MODEL, REPORT)
        ),
        second_gain=analyst.compare_kappas(
            "Kappa: model, second reader less report, second reader", (MODEL, SECOND)
        ),
        length=make(
            "Length: model, ruler",
            lambda model, ruler, draws: measure_agreement(model, ruler, "mm", draws),
            lengths,
        ),
        area_length=make(
            "Tissue area, length by ruler", pearson, ("tissue_area_mm2", "manual_length_mm")
        ),
        area_model_length=make(
            "Tissue area, length by the model", pearson, ("tissue_area_mm2", "model_length_mm")
        ),
        correlations=of_stage("Portal percent, stage: correlation", stage_correlations),
        difference=of_stage("Portal percent between stages", _ignore_draws(kruskal_wallis)),
        pairs=of_stage("Portal percent: stages in pairs", _ignore_draws(dunn)),
        trend=of_stage("Portal percent: trend over stages", _ignore_draws(trend)),
        from_f3=of_stage(
            stage_name + scale.label_from(scale.f3_from),
            lambda values, stages, draws: discrimination(values, stages, scale.f3_from, draws),
        ),
        from_f4=of_stage(
            stage_name + scale.label_from(scale.f4_from),
            lambda values, stages, draws: discrimination(values, stages, scale.f4_from, draws),
        ),
        described=_describe_columns(cases.cases, scale),
    )


def _ignore_draws(
    test: Callable[[Values, Values], Result],
) -> Callable[[Values, Values, PatientBootstrap], Result]:
    return lambda values, stages, draws: test(values, stages)


@dataclass(frozen=True)
class _Analyst:
    """Maker of analyses of the same cases."""

    cases: Sequence[StudyCase]
    scale: Scale
    settings: StudySettings

    def make(
        self,
        title: str,
        analysis: Callable[..., Result],
        columns: Sequence[str],
        countable: bool = False,
    ) -> Analysis[Result]:
        """Analyse columns of the cases that have a value in all of them."""
        entered = select_cases(self.cases, columns, self.scale, countable)
        arrays = [extract_column(entered.cases, name) for name in columns]
        patients = tuple(case.patient for case in entered.cases)
        draws = PatientBootstrap(patients, self.settings.resamples, self.settings.seed)
        try:
            if not entered.cases:
                reasons = "; ".join(reason for reason, _ in entered.left_out)
                raise StudyError(f"No case enters: {reasons}.")
            return Analysis(title, entered, analysis(*arrays, draws), None)
        except StudyError as error:
            return Analysis(title, entered, None, str(error))

    def compare_counts(self, title: str, first: str, second: str) -> Analysis[CountAgreement]:
        """Measure the agreement of two observers' counts."""
        return self.make(title, count_agreement, (first, second), countable=True)

    def compare_kappas(
        self, title: str, pair: tuple[str, str]
    ) -> Analysis[tuple[KappaDifference, ...]]:
        """Compare kappa of a pair with kappa of both readers, on cases with all three counts."""

        def analysis(*values: Any) -> tuple[KappaDifference, ...]:
            *counts, draws = values
            by_name = dict(zip(COUNTS, counts, strict=True))
            first = by_name[pair[0]], by_name[pair[1]]
            readers = by_name[REPORT], by_name[SECOND]
            return (
                kappa_difference(first, readers, "linear", draws),
                kappa_difference(first, readers, "quadratic", draws),
            )

        return self.make(title, analysis, COUNTS, countable=True)


def select_cases(
    cases: Sequence[StudyCase], columns: Sequence[str], scale: Scale, countable: bool
) -> Entered:
    """Select the cases with a value in every column; give the first reason for the others."""
    by_stage = countable and any(math.isfinite(case.stage) for case in cases)
    selected: list[StudyCase] = []
    left_out: Counter[str] = Counter()
    for case in cases:
        if by_stage and math.isnan(case.stage):
            left_out[_MISSING["stage"]] += 1
        elif by_stage and case.stage >= scale.f3_from:
            left_out[f"not countable: {scale.name} {scale.label_from(scale.f3_from)}"] += 1
        elif not case.measured and _OF_MODEL & set(columns):
            left_out["no result of the model"] += 1
        elif absent := [name for name in columns if math.isnan(getattr(case, name))]:
            left_out[_MISSING[absent[0]]] += 1
        else:
            selected.append(case)
    return Entered(tuple(selected), tuple(left_out.items()))


def _describe_columns(
    cases: Sequence[StudyCase], scale: Scale
) -> dict[str, dict[str, Description]]:
    """Describe each column of all cases and of each stage; counts of countable cases."""
    stages = sorted({case.stage for case in cases if math.isfinite(case.stage)})
    described: dict[str, dict[str, Description]] = {}
    for name in DESCRIBED:
        chosen = select_cases(cases, (name,), scale, name in COUNTS).cases
        described[name] = {"all": describe(extract_column(chosen, name))} | {
            scale.label(int(stage)): describe(
                extract_column([case for case in chosen if case.stage == stage], name)
            )
            for stage in stages
        }
    return described


def describe(values: Values) -> Description:
    """Describe a column without its missing values."""
    known = values[np.isfinite(values)]
    if not len(known):
        return Description(0, *(math.nan,) * 5)
    sd = float(known.std(ddof=1)) if len(known) > 1 else math.nan
    return Description(
        n=len(known),
        mean=float(known.mean()),
        sd=sd,
        median=float(np.median(known)),
        lowest=float(known.min()),
        highest=float(known.max()),
    )
