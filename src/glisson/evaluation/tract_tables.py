"""Tables of whole tracts: found, missed and false; by size, by content and by cause."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from glisson.dataset import Split
from glisson.evaluation.numbers import format_number
from glisson.evaluation.tracts import LEAST_IOU, LEAST_SHARE, TractScore
from glisson.pages import Table

_SIZES_UM2 = {
    "under 5,000": (0.0, 5e3),
    "5,000 to 10,000": (5e3, 1e4),
    "10,000 to 50,000": (1e4, 5e4),
    "50,000 or more": (5e4, math.inf),
}
"""A round tract of 5,000 µm² is 80 µm wide, of 10,000 113 µm, of 50,000 252 µm."""


def _total(scores: Sequence[TractScore], name: str) -> float:
    return sum(getattr(score, name) for score in scores)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _count_within_one(counts: Sequence[tuple[int, int]]) -> str:
    return f"{sum(abs(found - drawn) <= 1 for found, drawn in counts)} of {len(counts)}"


_COLUMNS: dict[str, Callable[[Sequence[TractScore]], str]] = {
    "Slides": lambda s: str(len(s)),
    "Drawn": lambda s: str(_total(s, "drawn")),
    "Found": lambda s: str(_total(s, "found")),
    "Right": lambda s: str(_total(s, "matched")),
    "Precision": lambda s: format_number(_ratio(_total(s, "matched"), _total(s, "found"))),
    "Recall": lambda s: format_number(_ratio(_total(s, "matched"), _total(s, "drawn"))),
    "F1": lambda s: format_number(
        _ratio(2 * _total(s, "matched"), _total(s, "drawn") + _total(s, "found"))
    ),
    "False per mm²": lambda s: format_number(
        _ratio(_total(s, "found") - _total(s, "matched"), _total(s, "tissue_mm2")), 2
    ),
    "Count within 1": lambda s: _count_within_one(
        [(score.found, score.drawn) for score in s if score.countable]
    ),
    "Seconds a slide": lambda s: format_number(_total(s, "seconds") / len(s), 1),
}


def tract_table(scores: Sequence[TractScore]) -> Table:
    """Make the table of tracts found, missed and false, by split and institution."""
    groups: list[tuple[str, list[TractScore]]] = []
    for split in Split:
        part = [score for score in scores if score.split is split]
        places = sorted({score.source.institution for score in part})
        for place in places:
            chosen = [score for score in part if score.source.institution == place]
            groups.append((f"{split}, {place}", chosen))
        if len(places) > 1:
            groups.append((f"{split}, all", part))
    return Table(
        "tracts",
        f"Whole portal tracts; found means IoU of {LEAST_IOU:g} or more with a drawn one",
        ("", *_COLUMNS),
        tuple((name, *(show(part) for show in _COLUMNS.values())) for name, part in groups),
        "Counts are sums over slides. A joined tract against several bridging tracts is a "
        "miss and an error. Every portal area drawn or found is a tract here, counted or not. "
        "Count within 1: slides whose number found is the number drawn or one "
        "off, of the slides whose tracts found can be counted. Seconds: from the slide on disk to "
        "its tracts.",
    )


def cause_table(scores: Sequence[TractScore]) -> Table | None:
    """Make the table of what false tracts lie on, by split; None if no slide has features."""
    names = sorted({name for score in scores for name in score.causes})
    if not names:
        return None
    rows = []
    for name in names:
        counts = [sum(s.causes.get(name, 0) for s in scores if s.split is split) for split in Split]
        rows.append((name, *map(str, counts), str(sum(counts))))
    rows.sort(key=lambda row: -int(row[-1]))
    return Table(
        "causes",
        "False tracts by what they lie on (SYNTHETIC: of phantoms alone)",
        ("", *(str(split) for split in Split), "all"),
        tuple(rows),
        f"The feature that covers most of the tract, if it covers {LEAST_SHARE:.0%} or more.",
    )


def size_table(scores: Sequence[TractScore]) -> Table:
    """Make the table of recall and precision by the size of the tracts."""
    rows: list[tuple[str, ...]] = []
    for split in Split:
        drawn, found = [], []
        part = [score for score in scores if score.split is split]
        for score in part:
            paired_drawn, paired_found = {d for d, _ in score.pairs}, {f for _, f in score.pairs}
            drawn += [(area, i in paired_drawn) for i, area in enumerate(score.drawn_um2)]
            found += [(area, i in paired_found) for i, area in enumerate(score.found_um2)]
        rows += [
            (str(split), size, *_count_hits(drawn, *ends), *_count_hits(found, *ends))
            for size, ends in _SIZES_UM2.items()
            if part
        ]
    return Table(
        "tract-sizes",
        "Whole portal tracts by size",
        ("", "Size, µm²", "Drawn", "Recall", "Found", "Precision"),
        tuple(rows),
        "Recall by the size drawn, precision by the size found. Each piece of a tract that the "
        "section or the core's edge separates counts alone.",
    )


def content_table(scores: Sequence[TractScore]) -> Table | None:
    """Make the table of tracts that a pathologist counts; None if no slide has features."""
    rows = []
    for split in Split:
        part = [score for score in scores if score.with_triad and score.split is split]
        rows += _make_content_rows(str(split), part) if part else []
    if not rows:
        return None
    return Table(
        "tract-contents",
        "Whole portal tracts by what they hold (SYNTHETIC: of phantoms alone)",
        ("", "Holds", "Drawn", "Recall", "Found", "Precision", "F1", "Counted", "Count within 1"),
        tuple(rows),
        "Two of bile duct, artery and portal vein make a portal tract (Crawford et al. 1998; "
        "Cazzaniga et al. 2025). Less is portal area too: tails of a tract, septa, and remnants at "
        "the core's edge; tracts found there are neither right nor false in this table. "
        "Counted: tracts found that Glisson counts, by their width. Count within 1: slides whose "
        "number counted is the number of tracts with two of the triad or one off, of the slides "
        "whose tracts found can be counted.",
    )


def _make_content_rows(split: str, scores: Sequence[TractScore]) -> list[tuple[str, ...]]:
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for score in scores:
        paired = {drawn for drawn, _ in score.pairs}
        for index, holds in enumerate(score.with_triad):
            hits[holds].append(index in paired)
    whole, less = hits[True], hits[False]
    found = sum(score.found - len(score.aside) for score in scores)
    precision, f1 = _ratio(sum(whole), found), _ratio(2 * sum(whole), len(whole) + found)
    scored = (str(found), format_number(precision), format_number(f1))
    counts = [(score.counted, sum(score.with_triad)) for score in scores if score.countable]
    counted = (str(sum(score.counted for score in scores)), _count_within_one(counts))
    return [
        (split, "two of the triad", str(len(whole)), _format_share(whole), *scored, *counted),
        (split, "less", str(len(less)), _format_share(less), "", "", "", "", ""),
    ]


def _format_share(hits: Sequence[bool]) -> str:
    return format_number(_ratio(sum(hits), len(hits)))


def _count_hits(tracts: Iterable[tuple[float, bool]], least: float, most: float) -> tuple[str, str]:
    """Return the number of tracts of a size in µm², and the share of them with a partner."""
    chosen = [is_hit for area, is_hit in tracts if least <= area < most]
    return str(len(chosen)), _format_share(chosen)
