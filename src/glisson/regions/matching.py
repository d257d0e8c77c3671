"""Pair the tracts of two outlinings of a slide by overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from glisson.regions.tracts import Regions, Tract, explain_uncountable

SAME_TRACT_IOU = 0.25
"""Overlap over union from which two outlines are the same tract. An outline is in at most one pair,
and the best pairs come first. Half of a tract that was cut in two is that tract, corrected."""

UNCHANGED_IOU = 0.99
"""Overlap over union from which an outline is unchanged: files round to 0.01 px."""

_NEIGHBOURHOOD_L0 = 40.0

Pair = tuple[int, int, float]


def clip_outlines(regions: Regions) -> list[BaseGeometry]:
    """Clip the tracts' outlines to the tissue, as in the files for QuPath."""
    home = {fragment.number: fragment.outline_l0 for fragment in regions.fragments}
    return [
        shapely.intersection(tract.outline_l0, home[tract.fragment_number])
        for tract in regions.tracts
    ]


def match_tracts(before: Sequence[BaseGeometry], after: Sequence[BaseGeometry]) -> list[Pair]:
    """Return (index before, index after, IoU) for every pair that is the same tract."""
    if not before or not after:
        return []
    near = STRtree(before).query(after, "intersects")
    found = [(_iou(before[b], after[a]), int(b), int(a)) for a, b in near.T]
    pairs: list[Pair] = []
    used_before, used_after = set[int](), set[int]()
    for iou, b, a in sorted(found, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if iou >= SAME_TRACT_IOU and b not in used_before and a not in used_after:
            pairs.append((b, a, iou))
            used_before.add(b)
            used_after.add(a)
    return pairs


def restore_untouched(drawn: Regions, traced: Regions) -> Regions:
    """Give unchanged tracts of drawn regions their judgement as traced.

    The edge contact of a drawn and a traced outline differs by about 0.003: drawn outlines are
    clipped to the tissue, and files round. Without this a tract near the limit could turn partial
    because its file was measured again. A tract is unchanged if its outline and the tissue around
    it are.
    """
    tracts = list(drawn.tracts)
    pairs = match_tracts(clip_outlines(traced), [tract.outline_l0 for tract in tracts])
    for b, a, iou in pairs:
        if iou >= UNCHANGED_IOU and _has_same_surroundings(tracts[a], drawn, traced, b):
            old = traced.tracts[b]
            tracts[a] = replace(
                tracts[a],
                edge_contact_fraction=old.edge_contact_fraction,
                complete=old.complete,
                bridging=old.bridging,
            )
    reason = explain_uncountable(tracts)
    return replace(
        drawn, tracts=tuple(tracts), countable=reason is None, not_countable_reason=reason
    )


def _has_same_surroundings(tract: Tract, drawn: Regions, traced: Regions, index: int) -> bool:
    """Decide whether the tissue near a tract is unchanged."""
    left, top, right, bottom = tract.outline_l0.bounds
    margin = _NEIGHBOURHOOD_L0
    box = (left - margin, top - margin, right + margin, bottom + margin)
    before = _tissue_near(traced, traced.tracts[index], box)
    after = _tissue_near(drawn, tract, box)
    return bool(before.union(after).area > 0 and _iou(before, after) >= UNCHANGED_IOU)


def _tissue_near(
    regions: Regions, tract: Tract, box: tuple[float, float, float, float]
) -> BaseGeometry:
    outline = regions.fragments[tract.fragment_number - 1].outline_l0
    near = shapely.clip_by_rect(outline, *box)
    return near if near.is_valid else shapely.make_valid(near)


def _iou(one: BaseGeometry, other: BaseGeometry) -> float:
    return float(one.intersection(other).area / one.union(other).area)
