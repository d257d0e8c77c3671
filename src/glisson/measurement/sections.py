"""Sections of the same cores on one slide: a biopsy cut three times is not three biopsies.

Serial sections lie beside each other on a slide, each a copy of the one before. Two fragments
are copies when their outlines cover each other once the one is laid on the other, and their
portal tracts lie at the same places: tracts are longer than a section is thick. Two needle
passes that happen to look alike have their tracts elsewhere.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely import MultiPoint, Polygon
from shapely.affinity import rotate, translate
from shapely.geometry.base import BaseGeometry

Points = NDArray[np.float64]

_COARSE_UM = 20.0
_LEAST_AREA_RATIO = 0.75
_LEAST_IOU = 0.8
_LEAST_IOU_ALONE = 0.92
_LEAST_TRACTS = 3
_LEAST_SHARED_TRACTS = 0.6
_TRACT_REACH_UM = 150.0
_LEAST_COVERED = 0.7
_MOST_TURNED = math.radians(20)


@dataclass(frozen=True)
class Piece:
    """A fragment, as far as it shows whether another is a section of the same core.

    Attributes:
        outline_um: outline in µm.
        tracts_um: (N, 2) centres of its tracts.
        is_core: whether it counts in the biopsy's length; debris makes no section.
    """

    outline_um: Polygon
    tracts_um: Points
    is_core: bool


@dataclass(frozen=True)
class Sections:
    """How many sections of the same cores a slide shows.

    Attributes:
        count: number of sections, at least 1.
        numbers: section of each fragment, from 1.
        given: whether the count was given rather than found.
    """

    count: int
    numbers: tuple[int, ...]
    given: bool


def find_sections(pieces: Sequence[Piece], count: int | None = None) -> Sections:
    """Group fragments into sections.

    Fragments are copies when both conditions hold:

    - Their outlines overlap by an IoU of 0.8 when one is laid on the other; of 0.92 where there
      are fewer than three tracts to compare.
    - At least 60 % of the fewer tracts lie within 150 µm of a tract of the other fragment. Where
      neither fragment has a tract, the outlines decide alone.

    Groups of copies must hold 70 % of the tissue; else there is a single section.

    Args:
        pieces: fragments.
        count: number of sections, where it is known; None to find it.
    """
    found = _find(pieces)
    if count is None or count == found.count:
        return Sections(found.count, found.numbers, count is not None)
    return Sections(count, _deal(pieces, count), True)


def _find(pieces: Sequence[Piece]) -> Sections:
    single = Sections(1, (1,) * len(pieces), False)
    groups = _groups(pieces)
    area: dict[int, float] = defaultdict(float)
    for group in groups:
        area[len(group)] += sum(pieces[k].outline_um.area for k in group)
    copied = {size: value for size, value in area.items() if size > 1}
    if not copied or sum(copied.values()) < _LEAST_COVERED * sum(area.values()):
        return single
    count = max(copied, key=lambda size: copied[size])
    whole = [group for group in groups if len(group) == count]
    return Sections(count, _rank(pieces, whole), False)


def _groups(pieces: Sequence[Piece]) -> list[list[int]]:
    """Group cores with their copies."""
    group_of = {k: [k] for k, piece in enumerate(pieces) if piece.is_core}
    coarse = {k: shapely.simplify(pieces[k].outline_um, _COARSE_UM) for k in group_of}
    for one, other in combinations(group_of, 2):
        if group_of[one] is group_of[other]:
            continue
        if _are_copies(pieces[one], pieces[other], coarse[one], coarse[other]):
            group_of[one].extend(group_of[other])
            for member in group_of[other]:
                group_of[member] = group_of[one]
    return list({id(group): group for group in group_of.values()}.values())


def _are_copies(one: Piece, other: Piece, outline: Polygon, other_outline: Polygon) -> bool:
    areas = sorted((outline.area, other_outline.area))
    if areas[0] < _LEAST_AREA_RATIO * areas[1]:
        return False
    turned = _turn(outline, other_outline)
    laid = _lay(outline, outline, other_outline, turned)
    iou = laid.intersection(other_outline).area / laid.union(other_outline).area
    enough = min(len(one.tracts_um), len(other.tracts_um)) >= _LEAST_TRACTS
    if iou < (_LEAST_IOU if enough else _LEAST_IOU_ALONE):
        return False
    moved = _lay(MultiPoint(one.tracts_um), outline, other_outline, turned)
    return _share(shapely.get_coordinates(moved), other.tracts_um) >= _LEAST_SHARED_TRACTS


def _turn(one: Polygon, other: Polygon) -> float:
    """Return the angle between the long sides, in radians; 0 where it exceeds 20°."""
    angle = _direction(other) - _direction(one)
    angle = (angle + math.pi / 2) % math.pi - math.pi / 2
    return angle if abs(angle) <= _MOST_TURNED else 0.0


def _direction(outline: Polygon) -> float:
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outline))
    sides = np.diff(corners[:3], axis=0)
    x, y = sides[np.argmax(np.hypot(*sides.T))]
    return math.atan2(y, x)


def _lay(shape: BaseGeometry, outline: Polygon, onto: Polygon, angle: float) -> BaseGeometry:
    """Move a shape as `outline` must be moved to lie on `onto`, centre on centre."""
    here, there = outline.centroid, onto.centroid
    return translate(
        rotate(shape, angle, origin=here, use_radians=True), there.x - here.x, there.y - here.y
    )


def _share(tracts: Points, others: Points) -> float:
    """Return the share of the fewer tracts that have a tract of the other fragment near them.

    1 where neither fragment has tracts, so that the outlines decide; 0 where only one has.
    """
    few, many = sorted((tracts, others), key=len)
    if not len(few):
        return float(not len(many))
    distance, _ = cKDTree(many).query(few)
    return float(np.mean(distance <= _TRACT_REACH_UM))


def _centres(pieces: Sequence[Piece]) -> Points:
    return np.array([[p.outline_um.centroid.x, p.outline_um.centroid.y] for p in pieces])


def _rank(pieces: Sequence[Piece], groups: list[list[int]]) -> tuple[int, ...]:
    """Rank copies in their group, along the way from copy to copy; others as their neighbour."""
    centres = _centres(pieces)
    step = np.linalg.svd(
        np.concatenate([centres[g] - centres[g].mean(axis=0) for g in groups]),
        full_matrices=False,
    )[2][0]
    step = step if step[np.argmax(np.abs(step))] > 0 else -step
    numbers = np.zeros(len(pieces), int)
    for group in groups:
        for rank, member in enumerate(sorted(group, key=lambda k: float(centres[k] @ step)), 1):
            numbers[member] = rank
    known = numbers > 0
    numbers[~known] = numbers[known][cKDTree(centres[known]).query(centres[~known])[1]]
    return tuple(int(number) for number in numbers)


def _deal(pieces: Sequence[Piece], count: int) -> tuple[int, ...]:
    """Deal fragments into `count` rows or columns of tissue as equal as possible."""
    if not pieces:
        return ()
    areas = np.array([piece.outline_um.area for piece in pieces])
    deals = [_cut(along, areas, count) for along in _centres(pieces).T]
    numbers = min(deals, key=lambda each: float(np.bincount(each, areas, count + 1).std()))
    return tuple(int(number) for number in numbers)


def _cut(along: Points, areas: Points, count: int) -> NDArray[np.int64]:
    """Return the section of each fragment when their places along an axis are cut by area."""
    order = np.argsort(along, kind="stable")
    middle = np.cumsum(areas[order]) - areas[order] / 2
    numbers = np.empty(len(areas), np.int64)
    numbers[order] = np.minimum(middle / areas.sum() * count, count - 1).astype(np.int64) + 1
    return numbers
