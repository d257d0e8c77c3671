"""Which cases enter which analysis, and what comes out of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

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
from glisson.clinical.cases import StudyCase, StudyCases, column
from glisson.clinical.description import Description, describe
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
        cases: those in it.
        left_out: why others are not, and how many of each.
    """

    cases: tuple[StudyCase, ...]
    left_out: tuple[tuple[str, int], ...]

    @property
    def slides(self) -> int:
        """Slides in the analysis."""
        return len(self.cases)

    @property
    def patients(self) -> int:
        """Patients whose slides they are."""
        return len({case.patient for case in self.cases})


@dataclass(frozen=True)
class Analysis(Generic[Result]):
    """One analysis, made or refused.

    Attributes:
        title: what it is.
        entered: its cases.
        result: None where it is refused.
        refusal: why, or None.
    """

    title: str
    entered: Entered
    result: Result | None
    refusal: str | None


@dataclass(frozen=True)
class Study:
    """Everything a study finds.

    Attributes:
        settings: as given.
        scale: of the stages.
        cases: as read.
        model_report: counts of model and report.
        model_second: counts of model and second reader.
        report_second: counts of report and second reader.
        report_gain: kappa of model and report less that of report and second reader, by weights.
        second_gain: kappa of model and second reader less that of report and second reader.
        length: model's length against the ruler's.
        area_length: tissue area with the ruler's length.
        area_model_length: tissue area with the model's length.
        correlations: of portal percent with stage: Pearson, Spearman, Kendall.
        difference: of portal percent between stages.
        pairs: of stages, compared.
        trend: of portal percent over stages.
        from_f3: portal percent for stages of septa or bridges, and more.
        from_f4: portal percent for cirrhosis.
        described: columns of all cases (counts: of countable ones) and by stage.
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
        """Every analysis by its name, in order."""
        return {name: each for name, each in vars(self).items() if isinstance(each, Analysis)}

    @property
    def count_pairs(self) -> tuple[Analysis[CountAgreement], ...]:
        """The three pairs of observers."""
        return self.model_report, self.model_second, self.report_second


def analyse(cases: StudyCases, scale: Scale, settings: StudySettings) -> Study:
    """Make every analysis that the cases allow; the others say why not."""
    make = _Maker(cases.cases, scale, settings)
    of_stage = partial(make.of, columns=("portal_percent", "stage"))
    return Study(
        settings=settings,
        scale=scale,
        cases=cases,
        model_report=make.counts("Tract counts: model, report", MODEL, REPORT),
        model_second=make.counts("Tract counts: model, second reader", MODEL, SECOND),
        report_second=make.counts("Tract counts: report, second reader", REPORT, SECOND),
        report_gain=make.gain("Kappa: model, report less report, second reader", (MODEL, REPORT)),
        second_gain=make.gain(
            "Kappa: model, second reader less report, second reader", (MODEL, SECOND)
        ),
        length=make.of("Length: model, ruler", _of_length, ("model_length_mm", "manual_length_mm")),
        area_length=make.of(
            "Tissue area, length by ruler", pearson, ("tissue_area_mm2", "manual_length_mm")
        ),
        area_model_length=make.of(
            "Tissue area, length by the model", pearson, ("tissue_area_mm2", "model_length_mm")
        ),
        correlations=of_stage("Portal percent, stage: correlation", stage_correlations),
        difference=of_stage("Portal percent between stages", _without_draws(kruskal_wallis)),
        pairs=of_stage("Portal percent: stages in pairs", _without_draws(dunn)),
        trend=of_stage("Portal percent: trend over stages", _without_draws(trend)),
        from_f3=of_stage(_from(scale, scale.f3_from), _discriminated(scale.f3_from)),
        from_f4=of_stage(_from(scale, scale.f4_from), _discriminated(scale.f4_from)),
        described=_described(cases.cases, scale),
    )


def _from(scale: Scale, stage: int) -> str:
    return f"Portal percent for {scale.name} {scale.label_from(stage)}"


def _discriminated(stage: int) -> Callable[[Values, Values, PatientBootstrap], Discrimination]:
    return lambda values, stages, draws: discrimination(values, stages, stage, draws)


def _of_length(model: Values, ruler: Values, draws: PatientBootstrap) -> Agreement:
    return measure_agreement(model, ruler, "mm", draws)


def _without_draws(
    test: Callable[[Values, Values], Result],
) -> Callable[[Values, Values, PatientBootstrap], Result]:
    return lambda values, stages, draws: test(values, stages)


@dataclass(frozen=True)
class _Maker:
    """Makes analyses of the same cases."""

    cases: Sequence[StudyCase]
    scale: Scale
    settings: StudySettings

    def of(
        self, title: str, analysis: Callable[..., Result], columns: Sequence[str],
        countable: bool = False,
    ) -> Analysis[Result]:  # fmt: skip
        """An analysis of columns, of the cases that have them all."""
        entered = entering(self.cases, columns, self.scale, countable)
        arrays = [column(entered.cases, name) for name in columns]
        draws = PatientBootstrap(
            tuple(case.patient for case in entered.cases),
            self.settings.resamples, self.settings.seed,
        )  # fmt: skip
        try:
            if not entered.cases:
                raise StudyError(_nobody(entered))
            return Analysis(title, entered, analysis(*arrays, draws), None)
        except StudyError as error:
            return Analysis(title, entered, None, str(error))

    def counts(self, title: str, first: str, second: str) -> Analysis[CountAgreement]:
        """Agreement of two observers' counts."""
        return self.of(title, count_agreement, (first, second), countable=True)

    def gain(self, title: str, pair: tuple[str, str]) -> Analysis[tuple[KappaDifference, ...]]:
        """Kappa of a pair less that of both readers, of cases that all three counted."""

        def both_weights(
            a: Values, b: Values, c: Values, draws: PatientBootstrap
        ) -> tuple[KappaDifference, ...]:
            by_name = dict(zip(COUNTS, (a, b, c), strict=True))
            first = by_name[pair[0]], by_name[pair[1]]
            return (
                kappa_difference(first, (b, c), "linear", draws),
                kappa_difference(first, (b, c), "quadratic", draws),
            )

        return self.of(title, both_weights, COUNTS, countable=True)


def entering(
    cases: Sequence[StudyCase], columns: Sequence[str], scale: Scale, countable: bool
) -> Entered:
    """Cases that have every column, and why others have not; the first reason counts."""
    staged = any(math.isfinite(case.stage) for case in cases)
    kept: list[StudyCase] = []
    left_out: dict[str, int] = {}
    for case in cases:
        reason = _reason(case, columns, scale, countable and staged)
        if reason is None:
            kept.append(case)
        else:
            left_out[reason] = left_out.get(reason, 0) + 1
    return Entered(tuple(kept), tuple(left_out.items()))


def _nobody(entered: Entered) -> str:
    reasons = "; ".join(reason for reason, _ in entered.left_out)
    return f"No case enters: {reasons}."


def _reason(case: StudyCase, columns: Sequence[str], scale: Scale, by_stage: bool) -> str | None:
    if by_stage and math.isnan(case.stage):
        return _MISSING["stage"]
    if by_stage and case.stage >= scale.f3_from:
        return f"not countable: {scale.name} {scale.label_from(scale.f3_from)}"
    if not case.measured and _OF_MODEL & set(columns):
        return "no result of the model"
    return next((_MISSING[c] for c in columns if math.isnan(getattr(case, c))), None)


def _described(cases: Sequence[StudyCase], scale: Scale) -> dict[str, dict[str, Description]]:
    """Each column of all cases and of each stage that there is; counts of countable cases."""
    stages = sorted({case.stage for case in cases if math.isfinite(case.stage)})
    found: dict[str, dict[str, Description]] = {}
    for name in DESCRIBED:
        kept = entering(cases, (name,), scale, name in COUNTS).cases
        found[name] = {"all": describe(column(kept, name))} | {
            scale.label(int(stage)): describe(column([c for c in kept if c.stage == stage], name))
            for stage in stages
        }
    return found
