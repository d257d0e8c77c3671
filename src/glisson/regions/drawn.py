"""From outlines that somebody drew to fragments and tracts, by the rules of traced ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, STRtree
from shapely.geometry.base import BaseGeometry

from glisson.frames import Frame
from glisson.regions.bridging import are_bridging, core_widths
from glisson.regions.contact import edge_contact
from glisson.regions.settings import RegionSettings
from glisson.regions.tracts import (
    Candidate,
    Fragment,
    PortalArea,
    Regions,
    Tract,
    not_countable_reason,
)

Kind = TypeVar("Kind", bound=PortalArea)

_SAME_TRACT = 0.25
"""Share of the smaller of two outlines that overlaps the other, beyond which they are one tract."""

_CRUMB_UM2 = 50.0
"""Left-overs of cutting outlines, smaller than this, are nothing that anybody drew."""

_SMOOTHED = 0.9
"""Smoothing takes at most a tenth of an outline's area (`smooth_outline`): a fragment that was
just large enough when it was traced stays one."""
_HEALED_L0 = 0.001
"""Gaps this narrow are none: files round to ten times as much."""


@dataclass(frozen=True)
class DrawnTract:
    """A tract, or a candidate, as somebody outlined it.

    Attributes:
        name: its name, for messages.
        geometry_l0: valid polygon(s) in level-0 pixels.
        is_counted: whether it counts as a portal tract, as its class says.
    """

    name: str
    geometry_l0: Polygon | MultiPolygon
    is_counted: bool = True


def regions_from_drawn(
    frame: Frame,
    tissue_l0: Sequence[Polygon],
    drawn: Sequence[DrawnTract],
    settings: RegionSettings | None = None,
    candidates: Sequence[DrawnTract] = (),
) -> tuple[Regions, list[str]]:
    """Fragments and tracts of drawn outlines, and sentences on what was not taken as drawn.

    Tissue that overlaps is one fragment; pieces too small for a traced fragment are debris, as
    editing leaves it. Tracts are cut to the tissue. Two that overlap by more
    than a quarter of the smaller are one; where they overlap less, the overlap is the first's, and
    so is the smaller part of one that it cuts in two.
    Every part of an outline in several parts is a tract of its own, but parts below the least
    tract area beside a larger one are left out. An outline in one part is a tract however small
    it is, from 50 µm²: whoever drew it meant it. It counts if its class says so, whatever its
    width; of outlines that are one, if any does. A candidate stays one, in no number, unless a
    tract lies on it.

    Args:
        frame: a grid of square pixels, for lengths.
        tissue_l0: outlines of the tissue.
        drawn: outlines of tracts.
        settings: what counts as complete, as a tract and as a fragment.
        candidates: outlines of what nobody has accepted as a tract.
    """
    settings = settings or RegionSettings()
    notes: list[str] = []
    least_um2 = _SMOOTHED * settings.min_fragment_area_um2
    pieces = _pieces(tissue_l0, least_um2 / frame.pixel_size.area_um2, notes)
    fragments = tuple(Fragment(k, piece, piece) for k, piece in enumerate(pieces, 1))
    each = _one_each(drawn, _CRUMB_UM2 / frame.pixel_size.area_um2, notes)
    parts = _cut_to_tissue(each, pieces, frame, settings, notes)
    tracts = _tracts(parts, pieces, frame, settings)
    still_open = _still_open(candidates, each, notes)
    parts = _cut_to_tissue(still_open, pieces, frame, settings, notes)
    described = _described(Candidate, _in_order(parts, pieces), pieces, frame, settings)
    reason = not_countable_reason(tracts)
    return Regions(frame, fragments, tracts, reason is None, reason, described), notes


def _pieces(tissue_l0: Sequence[Polygon], least_l0: float, notes: list[str]) -> list[Polygon]:
    """Pieces of tissue from the top left, without debris."""
    joined = _polygons(shapely.union_all(list(tissue_l0)))
    pieces = [piece for piece in joined if piece.area >= least_l0]
    if len(pieces) < len(joined):
        notes.append(f"{len(joined) - len(pieces)} piece(s) of tissue are debris and left out.")
    return sorted(pieces, key=lambda piece: (piece.bounds[1], piece.bounds[0]))


def _one_each(drawn: Sequence[DrawnTract], crumb_l0: float, notes: list[str]) -> list[DrawnTract]:
    """Outlines of the same tract joined, and none over another."""
    kept: list[DrawnTract] = []
    for each in drawn:
        others = [k for k in kept if k.geometry_l0.intersects(each.geometry_l0)]
        shape: BaseGeometry = each.geometry_l0
        is_counted = each.is_counted
        for same in [k for k in others if _are_one(k.geometry_l0, each.geometry_l0)]:
            kept.remove(same)
            others.remove(same)
            shape = shape.union(same.geometry_l0)
            is_counted |= same.is_counted
            notes.append(f"{each.name} and {same.name} overlap and are one tract.")
        rest, beyond = _cut(shape, others)
        for part in beyond:
            receiver = _handed(part, kept)
            if part.area >= crumb_l0:
                notes.append(f"{receiver} cuts {each.name} in two and gets the smaller part.")
        kept.append(DrawnTract(each.name, _polygonal(MultiPolygon(rest)), is_counted))
    return kept


def _are_one(one: BaseGeometry, other: BaseGeometry) -> bool:
    return bool(one.intersection(other).area > _SAME_TRACT * min(one.area, other.area))


def _still_open(
    candidates: Sequence[DrawnTract], tracts: Sequence[DrawnTract], notes: list[str]
) -> list[DrawnTract]:
    """Drop the candidates that a tract lies on, and cut tracts out of the others.

    Whoever drew a tract over a candidate accepted it.
    """
    left = []
    for each in candidates:
        near = [t for t in tracts if t.geometry_l0.intersects(each.geometry_l0)]
        accepted = [t.name for t in near if _are_one(t.geometry_l0, each.geometry_l0)]
        notes += [
            f"{name} lies on {each.name}, which is no candidate any more." for name in accepted
        ]
        if not accepted:
            rest = each.geometry_l0.difference(shapely.union_all([t.geometry_l0 for t in near]))
            left.append(DrawnTract(each.name, _polygonal(rest)))
    return left


def _cut(shape: BaseGeometry, others: Sequence[DrawnTract]) -> tuple[list[Polygon], list[Polygon]]:
    """What others leave of a shape: of each of its parts the largest, and what lies beyond."""
    taken = shapely.union_all([other.geometry_l0 for other in others])
    left = [_polygons(part.difference(taken)) for part in _polygons(shape)]
    left = [sorted(parts, key=lambda part: part.area) for parts in left if parts]
    return [parts[-1] for parts in left], [part for parts in left for part in parts[:-1]]


def _handed(part: Polygon, kept: list[DrawnTract]) -> str:
    """Give a part that was cut off to the outline that it lies at; the name of that one.

    Left alone it would count as a tract that nobody drew, left out its area would be lost.
    """
    nearest = int(np.argmin(shapely.distance(part, [each.geometry_l0 for each in kept])))
    other = kept[nearest]
    # The cut is the other's edge but for the last digit, which would leave a gap.
    whole = shapely.union(other.geometry_l0, part, grid_size=_HEALED_L0)
    kept[nearest] = replace(other, geometry_l0=_polygonal(whole))
    return other.name


def _cut_to_tissue(
    drawn: Sequence[DrawnTract],
    pieces: Sequence[Polygon],
    frame: Frame,
    settings: RegionSettings,
    notes: list[str],
) -> list[DrawnTract]:
    """Cut outlines to the tissue; each part becomes an outline of its own."""
    tree, um2 = STRtree(list(pieces)), frame.pixel_size.area_um2
    outlines: list[DrawnTract] = []
    for each in drawn:
        near = [pieces[k] for k in tree.query(each.geometry_l0, "intersects")]
        parts = [p for piece in near for p in _polygons(each.geometry_l0.intersection(piece))]
        parts = [part for part in parts if part.area * um2 >= _CRUMB_UM2]
        kept = _own_tracts(parts, settings.min_tract_area_um2 / um2)
        notes += _notes(each, parts, kept, um2)
        outlines += [replace(each, geometry_l0=part) for part in kept]
    return outlines


def _own_tracts(parts: list[Polygon], least_l0: float) -> list[Polygon]:
    """Parts that are tracts: all of the least area and more, or else the largest."""
    if len(parts) < 2:
        return parts
    large = [part for part in parts if part.area >= least_l0]
    return large or [max(parts, key=lambda part: part.area)]


def _notes(each: DrawnTract, parts: list[Polygon], kept: list[Polygon], um2: float) -> list[str]:
    outside = (each.geometry_l0.area - sum(part.area for part in parts)) * um2
    if each.geometry_l0.area * um2 < _CRUMB_UM2:
        return [f"{each.name} is smaller than {_CRUMB_UM2:.0f} µm² and is left out."]
    if not parts:
        return [f"{each.name} lies outside the tissue and is left out."]
    notes = []
    if outside >= max(_CRUMB_UM2, 0.01 * each.geometry_l0.area * um2):
        notes.append(f"{each.name}: {outside:.0f} µm² outside the tissue are left out.")
    if len(kept) > 1:
        notes.append(f"{each.name} has {len(kept)} parts, which count as {len(kept)} tracts.")
    if len(kept) < len(parts):
        lost = sum(part.area for part in parts) - sum(part.area for part in kept)
        notes.append(f"{each.name}: crumbs of {lost * um2:.0f} µm² beside it are left out.")
    return notes


def _homes(outlines_l0: Sequence[BaseGeometry], pieces: Sequence[Polygon]) -> list[int]:
    """Index of the piece of tissue that each tract lies in."""
    inside = shapely.point_on_surface(np.array(outlines_l0, object))
    _, home = STRtree(pieces).query_nearest(inside, all_matches=False)
    return [int(k) for k in home]


Placed = tuple[int, DrawnTract]
"""Index of the piece of tissue, and an outline in one part that lies in it."""


def _in_order(parts: Sequence[DrawnTract], pieces: Sequence[Polygon]) -> list[Placed]:
    """Sort outlines piece by piece, from the top left."""
    homes = _homes([part.geometry_l0 for part in parts], pieces)
    bounds = [part.geometry_l0.bounds for part in parts]
    order = sorted(range(len(parts)), key=lambda k: (homes[k], bounds[k][1], bounds[k][0]))
    return [(homes[k], parts[k]) for k in order]


def _tracts(
    parts: Sequence[DrawnTract],
    pieces: Sequence[Polygon],
    frame: Frame,
    settings: RegionSettings,
) -> tuple[Tract, ...]:
    """Describe outlines as tracts, which count as drawn."""
    placed = _in_order(parts, pieces)
    tracts = _described(Tract, placed, pieces, frame, settings)
    return tuple(
        replace(tract, is_counted=part.is_counted)
        for tract, (_, part) in zip(tracts, placed, strict=True)
    )


def _described(
    kind: type[Kind],
    placed: Sequence[Placed],
    pieces: Sequence[Polygon],
    frame: Frame,
    settings: RegionSettings,
) -> tuple[Kind, ...]:
    """Describe outlines in order as tracts or candidates, from 1."""
    homes = np.array([home for home, _ in placed], int)
    outlines = [outline for _, part in placed for outline in _polygons(part.geometry_l0)]
    outlines_px, pieces_px = _in_px(outlines, frame), _in_px(pieces, frame)
    contact = edge_contact(outlines_px, pieces_px, homes, settings.edge_reach_um / frame.mpp)
    bridging = are_bridging(outlines_px, core_widths(pieces_px)[homes])
    return tuple(
        kind(
            number=k + 1,
            fragment_number=home + 1,
            polygon_l0=outline,
            outline_l0=outline,
            edge_contact_fraction=float(contact[k]),
            complete=bool(contact[k] <= settings.max_edge_contact),
            bridging=bool(bridging[k]),
            probability=None,
        )
        for k, (home, outline) in enumerate(zip(homes.tolist(), outlines, strict=True))
    )


def _in_px(polygons_l0: Sequence[Polygon], frame: Frame) -> NDArray[np.object_]:
    """In the grid's square pixels."""
    return np.asarray(shapely.transform(np.array(polygons_l0, object), frame.px_from_l0))


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    return [part for part in shapely.get_parts(_polygonal(shape)) if not part.is_empty]


def _polygonal(shape: BaseGeometry) -> Polygon | MultiPolygon:
    """The areas of a geometry, without the lines and points that cutting leaves."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    polygons = [part for part in parts if isinstance(part, Polygon)]
    if len(polygons) == 1:
        return polygons[0]
    return MultiPolygon(polygons)
