"""Tracts of two outlinings of one slide, paired by overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import shapely
from shapely import Polygon, STRtree
from shapely.geometry.base import BaseGeometry

from glisson.regions.tracts import Regions, Tract, not_countable_reason

SAME_TRACT_IOU = 0.25
"""Overlap over union from which two outlines are the same tract; each is paired at most once,
best pairs first. Half of a tract that was cut in two is still that tract, corrected."""

UNCHANGED_IOU = 0.99
"""From here on an outline was not touched: files round to 0.01 px."""

_NEIGHBOURHOOD_L0 = 40.0

Pair = tuple[int, int, float]


def shown_outlines(regions: Regions) -> list[BaseGeometry]:
    """Outlines of the tracts as they are given to QuPath: cut to the tissue."""
    home = {fragment.number: fragment.outline_l0 for fragment in regions.fragments}
    return [
        shapely.intersection(tract.outline_l0, home[tract.fragment_number])
        for tract in regions.tracts
    ]


def matched(before: Sequence[BaseGeometry], after: Sequence[BaseGeometry]) -> list[Pair]:
    """(index before, index after, IoU) of the pairs that are the same tract."""
    if not before or not after:
        return []
    near = STRtree(before).query(after, "intersects")
    found = [(_iou(before[b], after[a]), int(b), int(a)) for a, b in near.T]
    pairs: list[Pair] = []
    taken_before, taken_after = set[int](), set[int]()
    for iou, b, a in sorted(found, key=lambda each: (-each[0], each[1], each[2])):
        if iou >= SAME_TRACT_IOU and b not in taken_before and a not in taken_after:
            pairs.append((b, a, iou))
            taken_before.add(b)
            taken_after.add(a)
    return pairs


def untouched_as_traced(drawn: Regions, traced: Regions) -> Regions:
    """Drawn regions in which tracts that nobody touched are judged as when they were traced.

    Outlines as drawn and as traced give the same contact with the edge to about 0.003: they are
    cut to the tissue, and files round. A tract that lies that close to the limit would else turn
    partial because its file was measured again. Applies where neither the outline nor the tissue
    round it was changed.
    """
    tracts = list(drawn.tracts)
    pairs = matched(shown_outlines(traced), [tract.outline_l0 for tract in tracts])
    for b, a, iou in pairs:
        if iou >= UNCHANGED_IOU and _same_surroundings(tracts[a], drawn, traced, b):
            old = traced.tracts[b]
            tracts[a] = replace(
                tracts[a],
                edge_contact_fraction=old.edge_contact_fraction,
                complete=old.complete,
                bridging=old.bridging,
            )
    reason = not_countable_reason(tracts)
    return replace(
        drawn, tracts=tuple(tracts), countable=reason is None, not_countable_reason=reason
    )


def _same_surroundings(tract: Tract, drawn: Regions, traced: Regions, index: int) -> bool:
    """Whether the tissue near a tract is as it was."""
    left, top, right, bottom = tract.outline_l0.bounds
    margin = _NEIGHBOURHOOD_L0
    box = (left - margin, top - margin, right + margin, bottom + margin)
    before = _near(traced, traced.tracts[index], box)
    after = _near(drawn, tract, box)
    return bool(before.union(after).area > 0 and _iou(before, after) >= UNCHANGED_IOU)


def _near(regions: Regions, tract: Tract, box: tuple[float, float, float, float]) -> BaseGeometry:
    outline: Polygon = regions.fragments[tract.fragment_number - 1].outline_l0
    near = shapely.clip_by_rect(outline, *box)
    return near if near.is_valid else shapely.make_valid(near)


def _iou(one: BaseGeometry, other: BaseGeometry) -> float:
    return float(one.intersection(other).area / one.union(other).area)
