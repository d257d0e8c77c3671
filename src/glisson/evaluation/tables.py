"""The paper's tables 1 and 2, the pooled table beside them, borders, and drift."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from glisson.classes import CLASSES, PORTAL
from glisson.dataset import UNKNOWN_PATIENT, Split
from glisson.evaluation.numbers import format_interval, format_number
from glisson.evaluation.tiles import TileScore
from glisson.pages import Table
from glisson.scores import (
    ABSENT_CLASS_RULE,
    LEAST_PATIENTS,
    PooledScores,
    Scores,
    mean_of_scores,
    pool_scores,
    scores_of,
    sum_by_key,
)

T = TypeVar("T")

PATCH_MEAN = "Mean over tiles, each tile counting the same (the paper's convention)"
POOLED = "Pixels pooled over slides; 95 % bootstrap intervals over patients"
FEW_PATIENTS = (
    f"No interval for fewer than {LEAST_PATIENTS} patients, for which the bootstrap is too narrow, "
    "nor for tiles without patient."
)


@dataclass(frozen=True)
class Scored:
    """Scored tiles of one model.

    Attributes:
        name: of the column, such as `2 µm/px`.
        tiles: scores of all tiles.
    """

    name: str
    tiles: Sequence[TileScore]

    def of(self, split: Split) -> list[TileScore]:
        """Return the tiles of one split."""
        return [tile for tile in self.tiles if tile.row.split is split]


def patch_mean(tiles: Sequence[TileScore]) -> Scores:
    """Average the scores over tiles."""
    return mean_of_scores([tile.scores for tile in tiles])


def pool_patients(tiles: Sequence[TileScore]) -> PooledScores:
    """Score the pooled counts, with intervals over patients if all tiles name their patient."""
    is_named = _have_patients(tiles)
    keys = [tile.row.patient if is_named else UNKNOWN_PATIENT for tile in tiles]
    return pool_scores(list(sum_by_key(keys, [tile.counts for tile in tiles]).values()))


def _have_patients(tiles: Sequence[TileScore]) -> bool:
    return all(tile.row.patient != UNKNOWN_PATIENT for tile in tiles)


def table_one(results: Sequence[Scored]) -> list[Table]:
    """Make the tables of Dice and IoU of every split, by both conventions."""
    columns = [
        (f"{split} ({result.name})", tiles)
        for result in results
        for split in Split
        if (tiles := result.of(split))
    ]
    header = ("", *(name for name, _ in columns))
    means = [patch_mean(tiles) for _, tiles in columns]
    pools = [pool_patients(tiles) for _, tiles in columns]
    patch = _make_score_rows(
        [[(m.mean_dice, m.mean_iou), *zip(m.dice, m.iou, strict=True)] for m in means],
        format_number,
    )
    whole = _make_score_rows(
        [[(p.mean_dice, p.mean_iou), *zip(p.dice, p.iou, strict=True)] for p in pools],
        format_interval,
    )
    rule = ABSENT_CLASS_RULE
    patients = (
        "Patients",
        *(
            str(len({tile.row.patient for tile in tiles})) if _have_patients(tiles) else "–"
            for _, tiles in columns
        ),
    )
    return [
        Table("table-1-patch-mean", f"Table 1. {PATCH_MEAN}", header, patch, rule),
        Table(
            "table-1-pooled",
            f"Table 1. {POOLED}",
            header,
            (*whole, patients),
            f"{rule} {FEW_PATIENTS}",
        ),
    ]


def _make_score_rows(
    columns: Sequence[Sequence[tuple[T, T]]], format_score: Callable[[T], str]
) -> tuple[tuple[str, ...], ...]:
    """Make a row of Dice and a row of IoU for the mean and each class.

    Each column holds a (Dice, IoU) pair for the mean and each class, in this order.
    """
    names = ("Mean", *(c.name.capitalize() for c in CLASSES))
    return tuple(
        (f"{name}, {kind}", *(format_score(column[place][which]) for column in columns))
        for place, name in enumerate(names)
        for which, kind in enumerate(("Dice", "IoU"))
    )


def table_two(result: Scored, split: Split = Split.TEST) -> Table:
    """Make the table of a split's institutions: tiles, diagnoses, time, Dice and IoU; and total."""
    tiles = result.of(split)
    names = sorted({tile.row.institution for tile in tiles})
    parts = [(name, [t for t in tiles if t.row.institution == name]) for name in names]
    rows = [_make_institution_row(name, part) for name, part in [*parts, ("All", tiles)] if part]
    return Table(
        "table-2",
        f"Table 2. Institutions of the {split} set ({result.name})",
        (
            "",
            "Tiles",
            "Cases",
            "Inference, s",
            "Dice, tiles",
            "IoU, tiles",
            "Dice, pooled",
            "IoU, pooled",
            "Portal Dice, pooled",
        ),
        tuple(rows),
        f"Tiles: {PATCH_MEAN.lower()}. Pooled: {POOLED.lower()}. Time is the model's alone. "
        f"Cases are patients. {FEW_PATIENTS}",
    )


def _make_institution_row(name: str, tiles: Sequence[TileScore]) -> tuple[str, ...]:
    mean, whole, cases = patch_mean(tiles), pool_patients(tiles), "–"
    if _have_patients(tiles):
        patients = {(tile.row.diagnosis, tile.row.patient) for tile in tiles}
        counts = Counter(diagnosis for diagnosis, _ in patients)
        cases = ", ".join(f"{diagnosis} ({n})" for diagnosis, n in sorted(counts.items()))
    return (
        name,
        str(len(tiles)),
        cases,
        format_number(sum(tile.seconds for tile in tiles), 1),
        format_number(mean.mean_dice),
        format_number(mean.mean_iou),
        format_interval(whole.mean_dice),
        format_interval(whole.mean_iou),
        format_interval(whole.dice[PORTAL.index]),
    )


def border_table(results: Sequence[Scored]) -> Table:
    """Make the table of portal borders: surface Dice at 10 µm and 95th percentile distance."""
    rows = []
    for result in results:
        for split in Split:
            tiles = result.of(split)
            borders = [t.boundary for t in tiles if t.boundary is not None]
            if borders:
                hd95_um = np.array([each.hd95_um for each in borders])
                finite_um = hd95_um[np.isfinite(hd95_um)]
                median_um = float(np.median(finite_um)) if len(finite_um) else math.nan
                surface = float(np.mean([each.surface_dice for each in borders]))
                rows.append(
                    (
                        f"{split} ({result.name})",
                        str(len(borders)),
                        format_number(surface),
                        format_number(median_um, 1),
                        str(sum(each.one_sided for each in borders)),
                    )
                )
    return Table(
        "borders",
        "Borders of portal areas",
        ("", "Tiles", "Surface Dice at 10 µm", "Median HD95, µm", "Portal on one side only"),
        tuple(rows),
        "Tiles in which truth or model has portal area, without tiles that portal area fills in "
        "both. If only one has a portal border, surface Dice is 0 and HD95 has no value. The "
        "edges of the tile and of ignored areas are no border.",
    )


def drift_table(result: Scored) -> Table:
    """Make the table of each institution's distance in tissue colour and Dice.

    References are the training tiles for colour and the validation tiles for Dice; without such
    tiles (an external test set alone), all tiles.
    """
    training, validation = result.of(Split.TRAIN), result.of(Split.VALIDATION)
    colours = np.array([tile.colour for tile in training or result.tiles])
    centre, spread = np.nanmean(colours, axis=0), np.nanstd(colours, axis=0)
    reference = _mean_dice(validation or result.tiles)
    rows = []
    for key, tiles in _group_by_institution(result):
        distance = np.nanmean([tile.colour for tile in tiles], axis=0) - centre
        shift = distance / np.maximum(spread, 1e-6)
        channels = [f"{channel:+.1f}" for channel in shift[:3]]
        shift_rms = format_number(float(np.sqrt(np.mean(shift**2))), 2)
        dice = f"{_mean_dice(tiles) - reference:+.3f}"
        rows.append((*key, str(len(tiles)), *channels, shift_rms, dice))
    known = "validation" if validation else "all tiles"
    return Table(
        "drift",
        f"Drift between institutions ({result.name})",
        ("", "Split", "Tiles", "Red", "Green", "Blue", "Colour shift", f"Dice against {known}"),
        tuple(rows),
        f"Reference of colour: {'the training' if training else 'all'} tiles; of Dice: "
        f"{'the validation' if validation else 'all'} tiles. Colour of tissue in deviations of "
        "the reference; the shift is the root mean square over mean and deviation of red, green "
        "and blue.",
    )


def has_drift(result: Scored) -> bool:
    """Return whether there is a reference: training tiles or another institution."""
    return bool(result.of(Split.TRAIN)) or len(_group_by_institution(result)) > 1


def _group_by_institution(result: Scored) -> list[tuple[tuple[str, str], list[TileScore]]]:
    """Group the tiles by institution and split, in this order."""
    names = sorted({tile.row.institution for tile in result.tiles})
    parts = [
        ((name, str(split)), [t for t in result.of(split) if t.row.institution == name])
        for name in names
        for split in Split
    ]
    return [(key, tiles) for key, tiles in parts if tiles]


def _mean_dice(tiles: Sequence[TileScore]) -> float:
    return scores_of(np.sum([tile.counts for tile in tiles], axis=0)).mean_dice
