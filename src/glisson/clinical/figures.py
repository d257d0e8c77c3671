"""Figures of a study as SVG and PNG, in colours that colour-blind readers distinguish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glisson.clinical.analyses import MODEL, REPORT, SECOND, Analysis, Study
from glisson.clinical.bland_altman import BlandAltman
from glisson.clinical.cases import extract_column
from glisson.clinical.estimates import Values
from glisson.clinical.formats import format_estimate, format_number, format_p_value
from glisson.measurement import BiopsyMeasurements, heading_of

INK, SOFT, MARK = "#1d2125", "#5b6570", "#0072b2"
"""MARK is the blue of Okabe & Ito's palette."""
SYNTHETIC_MARK = "synthetic data"
_STYLE = {
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "glisson",
}
_SIZE_INCH = (4.6, 3.6)
_DOTS_PER_INCH = 200
_JITTER = 0.16
_MODEL, _REPORT, _SECOND = ("model", MODEL), ("report", REPORT), ("second reader", SECOND)
_COMPARED = (
    ("model_report", "Portal tracts", _MODEL, _REPORT),
    ("model_second", "Portal tracts", _MODEL, _SECOND),
    ("report_second", "Portal tracts", _REPORT, _SECOND),
    ("length", "Length", ("model", "model_length_mm"), ("ruler", "manual_length_mm")),
)
"""Analysis, what is compared, and name and column of both observers."""


@dataclass(frozen=True)
class StudyFigure:
    """Figure to be drawn.

    Attributes:
        name: of its files.
        title: above the figure.
        note: below the figure.
        draw: function that draws into axes.
    """

    name: str
    title: str
    note: str
    draw: Callable[[Axes], None]


def all_figures(study: Study) -> list[StudyFigure]:
    """Return every figure whose analysis was made."""
    figures = [
        _make_stage_box(study),
        _make_count_scatter(study),
        *(_make_limits(study, *each) for each in _COMPARED),
        _make_area_scatter(study),
    ]
    return [figure for figure in figures if figure is not None]


def save_figure(figure: StudyFigure, folder: Path, synthetic: bool) -> None:
    """Write a figure as SVG and PNG, reproducible to the byte."""
    with mpl.rc_context(_STYLE):
        drawn = Figure(figsize=_SIZE_INCH, layout="constrained")
        axes = drawn.add_subplot()
        figure.draw(axes)
        if synthetic:
            axes.set_title(SYNTHETIC_MARK, loc="right", fontsize=8, color=SOFT)
        drawn.savefig(folder / f"{figure.name}.svg", metadata={"Date": None})
        drawn.savefig(folder / f"{figure.name}.png", dpi=_DOTS_PER_INCH)


def _make_stage_box(study: Study) -> StudyFigure | None:
    """Make the paper's figure 3."""
    analysis = study.correlations
    if analysis.result is None:
        return None
    values, stages = _extract_pair(analysis, "portal_percent", "stage")
    r, rho = analysis.result.pearson, analysis.result.spearman
    note = (
        f"n = {analysis.entered.slides}; Pearson's r {format_estimate(r.coefficient)}, p "
        f"{format_p_value(r.p_value)}; Spearman's ρ {format_estimate(rho.coefficient)}. Boxes: "
        "median and quartiles; whiskers: the last value within 1.5 box heights; every case is a "
        "dot."
    )

    def draw(axes: Axes) -> None:
        numbers = [s for s in study.scale.numbers if (stages == s).any()]
        groups = [values[stages == stage] for stage in numbers]
        labels = [
            f"{study.scale.label(s)}\n(n = {len(g)})" for s, g in zip(numbers, groups, strict=True)
        ]
        _draw_boxes(axes, groups, labels)
        axes.set(
            xlabel=f"{study.scale.name} stage",
            ylabel=heading_of(BiopsyMeasurements, "portal_percent"),
        )
        axes.set_ylim(bottom=0)

    return StudyFigure("portal-by-stage", f"Portal area by {study.scale.name} stage", note, draw)


def _draw_boxes(axes: Axes, groups: list[Values], labels: list[str]) -> None:
    line, median = {"color": INK}, {"color": MARK, "linewidth": 2}
    axes.boxplot(
        groups,
        tick_labels=labels,
        showfliers=False,
        widths=0.55,
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops=median,
    )
    rng = np.random.default_rng(0)
    for place, group in enumerate(groups, 1):
        x = place + rng.uniform(-_JITTER, _JITTER, len(group))
        axes.scatter(x, group, s=14, color=MARK, alpha=0.6, linewidths=0)


def _extract_pair(analysis: Analysis[Any], first: str, second: str) -> tuple[Values, Values]:
    cases = analysis.entered.cases
    return extract_column(cases, first), extract_column(cases, second)


def _make_count_scatter(study: Study) -> StudyFigure | None:
    analysis = study.model_report
    if analysis.result is None:
        return None
    model, report = _extract_pair(analysis, MODEL, REPORT)
    found = analysis.result
    note = (
        f"n = {analysis.entered.slides}; weighted κ, quadratic "
        f"{format_estimate(found.kappa_quadratic)}, linear {format_estimate(found.kappa_linear)}. "
        "The line is equality; larger dots are several cases."
    )

    def draw(axes: Axes) -> None:
        points, cases = np.unique(np.column_stack([report, model]), axis=0, return_counts=True)
        axes.scatter(points[:, 0], points[:, 1], s=18 * cases, color=MARK, alpha=0.7, linewidths=0)
        ends = [min(model.min(), report.min()) - 1, max(model.max(), report.max()) + 1]
        axes.plot(ends, ends, color=SOFT, linewidth=1)
        axes.set(xlabel="portal tracts, report", ylabel="portal tracts, model")
        axes.set(xlim=ends, ylim=ends, aspect="equal")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))

    return StudyFigure("counts", "Portal tracts: model against report", note, draw)


def _make_limits(
    study: Study, name: str, title: str, one: tuple[str, str], other: tuple[str, str]
) -> StudyFigure | None:
    """Make Bland and Altman's plot, with the intervals of its three lines shaded."""
    analysis: Analysis[Any] = study.analyses[name]
    if analysis.result is None:
        return None
    # The agreement of counts holds that of the counts as measurements.
    found: BlandAltman = getattr(analysis.result, "agreement", analysis.result).bland_altman
    first, second = _extract_pair(analysis, one[1], other[1])
    observers = one[0], other[0]
    lines = (found.bias, found.lower_limit, found.upper_limit)
    note = (
        f"n = {len(first)}; bias {format_estimate(found.bias)} {found.unit}, limits "
        f"{format_number(found.lower_limit.value)} and {format_number(found.upper_limit.value)} "
        f"{found.unit}. Shaded: their 95 % intervals. Larger dots are several cases."
    )

    def draw(axes: Axes) -> None:
        pairs = np.column_stack([(first + second) / 2, first - second])
        points, cases = np.unique(pairs, axis=0, return_counts=True)
        axes.axhline(0, color=SOFT, linewidth=0.7)
        for line, style in zip(lines, ("-", "--", "--"), strict=True):
            axes.axhline(line.value, color=INK, linewidth=1, linestyle=style)
            if np.isfinite(line.low):
                axes.axhspan(line.low, line.high, color=SOFT, alpha=0.18, linewidth=0)
        axes.scatter(
            points[:, 0], points[:, 1], s=18 * cases, color=MARK, alpha=0.75, linewidths=0, zorder=3
        )
        axes.set(
            xlabel=f"mean of {' and '.join(observers)}, {found.unit}",
            ylabel=f"{' less '.join(observers)}, {found.unit}",
        )

    file = f"bland-altman-{name.replace('_', '-')}"
    return StudyFigure(file, f"{title}: {' and '.join(observers)}", note, draw)


def _make_area_scatter(study: Study) -> StudyFigure | None:
    analysis = study.area_length
    if analysis.result is None:
        return None
    area, length = _extract_pair(analysis, "tissue_area_mm2", "manual_length_mm")
    found = analysis.result
    note = (
        f"n = {analysis.entered.slides}; Pearson's r {format_estimate(found.coefficient)}, p "
        f"{format_p_value(found.p_value)}. Area and length go together nearly by definition."
    )

    def draw(axes: Axes) -> None:
        axes.scatter(length, area, s=18, color=MARK, alpha=0.75, linewidths=0)
        axes.set(xlabel="length by ruler, mm", ylabel="tissue area, mm²")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)

    return StudyFigure("area-length", "Tissue area and length", note, draw)
