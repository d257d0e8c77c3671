"""Two measurements of one biopsy: what a correction changed."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.measurement.measurements import BiopsyMeasurements, Measurements
from glisson.measurement.registry import measurements_of
from glisson.regions import UNCHANGED_IOU, Regions, clip_outlines, match_tracts


@dataclass(frozen=True)
class TractChange:
    """A tract before and after.

    Attributes:
        change: `added`, `removed`, `changed` or `unchanged`.
        number_before: the model's number, or None if it was added.
        number_after: its new number, or None if it was removed.
        iou: overlap over union of the outlines, 0 to 1; 0 for one of them alone.
        area_before_um2: or None.
        area_after_um2: or None.
    """

    change: str
    number_before: int | None
    number_after: int | None
    iou: float
    area_before_um2: float | None
    area_after_um2: float | None


@dataclass(frozen=True)
class NumberChange:
    """A number of the biopsy before and after.

    Attributes:
        before: the model's; None where it could not be given.
        after: of the corrected outlines; None likewise.
        change: after less before; None where either is.
    """

    before: float | None
    after: float | None
    change: float | None


@dataclass(frozen=True)
class Comparison:
    """What a correction changed.

    Attributes:
        tracts_added: number of tracts.
        tracts_removed: number of tracts.
        tracts_changed: number of tracts whose outline was changed.
        tracts_unchanged: number of tracts.
        tracts: each of them.
        biopsy: each number of the biopsy, by its key.
    """

    tracts_added: int
    tracts_removed: int
    tracts_changed: int
    tracts_unchanged: int
    tracts: tuple[TractChange, ...]
    biopsy: dict[str, NumberChange]

    @property
    def in_words(self) -> str:
        """How many tracts were added, removed, changed and left unchanged."""
        return (
            f"{self.tracts_added} added, {self.tracts_removed} removed, "
            f"{self.tracts_changed} changed, {self.tracts_unchanged} unchanged"
        )


def compare(
    before: Regions, measured_before: Measurements, after: Regions, measured_after: Measurements
) -> Comparison:
    """Pair tracts by overlap, and subtract numbers."""
    pairs = match_tracts(clip_outlines(before), [tract.outline_l0 for tract in after.tracts])
    tracts = _changes(pairs, measured_before, measured_after)
    kinds = [each.change for each in tracts]
    rows = [row for row in measurements_of(BiopsyMeasurements) if row.is_compared]
    return Comparison(
        kinds.count("added"),
        kinds.count("removed"),
        kinds.count("changed"),
        kinds.count("unchanged"),
        tracts,
        {
            row.key: _difference(
                row.value_of(measured_before.biopsy), row.value_of(measured_after.biopsy)
            )
            for row in rows
        },
    )


def _changes(
    pairs: list[tuple[int, int, float]], before: Measurements, after: Measurements
) -> tuple[TractChange, ...]:
    of_before = {b: (a, iou) for b, a, iou in pairs}
    paired = {a for _, a, _ in pairs}
    changes = []
    for index, tract in enumerate(before.tracts):
        if index not in of_before:
            changes.append(TractChange("removed", tract.number, None, 0.0, tract.area_um2, None))
            continue
        place, iou = of_before[index]
        new = after.tracts[place]
        kind = "unchanged" if iou >= UNCHANGED_IOU else "changed"
        changes.append(
            TractChange(kind, tract.number, new.number, iou, tract.area_um2, new.area_um2)
        )
    added = [tract for index, tract in enumerate(after.tracts) if index not in paired]
    changes += [TractChange("added", None, t.number, 0.0, None, t.area_um2) for t in added]
    return tuple(changes)


def _difference(before: float | None, after: float | None) -> NumberChange:
    if before is None or after is None:
        return NumberChange(before, after, None)
    return NumberChange(before, after, after - before)
