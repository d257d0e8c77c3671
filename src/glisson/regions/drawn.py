"""Fragments and tracts from outlines drawn by a person, by the rules of traced ones."""

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
from glisson.regions.judge import judge_areas
from glisson.regions.outline import polygons_of
from glisson.regions.settings import RegionSettings
from glisson.regions.tracts import (
    Candidate,
    Fragment,
    PortalArea,
    Regions,
    Tract,
    explain_uncountable,
)

Kind = TypeVar("Kind", bound=PortalArea)

_SAME_TRACT = 0.25
"""Overlap, as a share of the smaller of two outlines, beyond which both are the same tract."""

_CRUMB_UM2 = 50.0
"""Areas below this are remnants of cutting outlines, which nobody drew."""

_SMOOTHED = 0.9
"""Smoothing removes at most a tenth of an outline's area (`smooth_outline`): a fragment just large
enough when it was traced stays a fragment."""
_HEALED_L0 = 0.001
"""Width of the gaps that are closed: files round to ten times as much."""


@dataclass(frozen=True)
class DrawnTract:
    """A person's outline of a tract or a candidate.

    Attributes:
        name: its name, for messages.
        geometry_l0: valid polygon(s) in level-0 pixels.
        is_counted: whether its class makes it a counted portal tract.
        qupath_name: its name in QuPath, or empty.
        qupath_id: QuPath's id, or empty.
    """

    name: str
    geometry_l0: Polygon | MultiPolygon
    is_counted: bool = True
    qupath_name: str = ""
    qupath_id: str = ""

    def join(self, other: DrawnTract, geometry_l0: Polygon | MultiPolygon) -> DrawnTract:
        """Return the tract that this and another outline are together."""
        return DrawnTract(
            self.name,
            geometry_l0,
            self.is_counted or other.is_counted,
            " + ".join(filter(None, (other.qupath_name, self.qupath_name))),
            " + ".join(filter(None, (other.qupath_id, self.qupath_id))),
        )


def regions_from_drawn(
    frame: Frame,
    tissue_l0: Sequence[Polygon],
    drawn: Sequence[DrawnTract],
    settings: RegionSettings | None = None,
    candidates: Sequence[DrawnTract] = (),
) -> tuple[Regions, list[str]]:
    """Build fragments and tracts from drawn outlines; return them and notes on what changed.

    - Tissue outlines that overlap are one fragment. Pieces too small for a traced fragment are
      debris and are dropped.
    - Tracts are clipped to the tissue.
    - Two tracts that overlap by more than a quarter of the smaller are merged. A smaller overlap
      belongs to the first tract, as does the smaller part of a tract that it cuts in two.
    - Every part of an outline is a tract, but parts below the least tract area are dropped beside
      a larger part. A single part is a tract from 50 µm² on, as a person meant it.
    - A tract counts if its class says so, whatever its width; a merged tract counts if any of its
      outlines does.
    - A candidate stays a candidate, in no number, unless a tract lies on it.

    Args:
        frame: a grid of square pixels, for lengths.
        tissue_l0: outlines of the tissue.
        drawn: outlines of tracts.
        settings: limits of a complete tract, of a tract and of a fragment.
        candidates: outlines of candidates that nobody has accepted.
    """
    settings = settings or RegionSettings()
    notes: list[str] = []
    least_um2 = _SMOOTHED * settings.min_fragment_area_um2
    pieces = _find_pieces(tissue_l0, least_um2 / frame.pixel_size.area_um2, notes)
    outlines = _merge_same_tracts(drawn, _CRUMB_UM2 / frame.pixel_size.area_um2, notes)
    parts = _clip_to_tissue(outlines, pieces, frame, settings, notes)
    tracts = tuple(
        replace(
            tract,
            is_counted=part.drawn.is_counted,
            qupath_name=part.drawn.qupath_name,
            qupath_id=part.drawn.qupath_id,
        )
        for tract, part in zip(_describe(Tract, parts, pieces, frame, settings), parts, strict=True)
    )
    rest = _drop_accepted(candidates, outlines, notes)
    parts = _clip_to_tissue(rest, pieces, frame, settings, notes)
    reason = explain_uncountable(tracts)
    regions = Regions(
        frame,
        tuple(Fragment(k, piece, piece) for k, piece in enumerate(pieces, 1)),
        tracts,
        reason is None,
        reason,
        _describe(Candidate, parts, pieces, frame, settings),
    )
    return regions, notes


def _find_pieces(tissue_l0: Sequence[Polygon], least_l0: float, notes: list[str]) -> list[Polygon]:
    """Merge the tissue's outlines into pieces from the top left, without debris."""
    merged = polygons_of(shapely.union_all(list(tissue_l0)))
    pieces = [piece for piece in merged if piece.area >= least_l0]
    if len(pieces) < len(merged):
        notes.append(f"{len(merged) - len(pieces)} piece(s) of tissue are debris and left out.")
    return sorted(pieces, key=lambda piece: (piece.bounds[1], piece.bounds[0]))


def _merge_same_tracts(
    drawn: Sequence[DrawnTract], crumb_l0: float, notes: list[str]
) -> list[DrawnTract]:
    """Merge the outlines of the same tract, and cut overlaps out of the later outline."""
    merged: list[DrawnTract] = []
    for tract in drawn:
        others = [other for other in merged if other.geometry_l0.intersects(tract.geometry_l0)]
        whole = tract
        for same in [k for k in others if _is_same_tract(k.geometry_l0, tract.geometry_l0)]:
            merged.remove(same)
            others.remove(same)
            whole = whole.join(same, _polygonal(whole.geometry_l0.union(same.geometry_l0)))
            notes.append(f"{tract.name} and {same.name} overlap and are one tract.")
        rest, cut_off = _subtract(whole.geometry_l0, others)
        for part in cut_off:
            receiver = _give_to_nearest(part, merged)
            if part.area >= crumb_l0:
                notes.append(f"{receiver} cuts {tract.name} in two and gets the smaller part.")
        merged.append(replace(whole, geometry_l0=_polygonal(MultiPolygon(rest))))
    return merged


def _is_same_tract(one: BaseGeometry, other: BaseGeometry) -> bool:
    return bool(one.intersection(other).area > _SAME_TRACT * min(one.area, other.area))


def _drop_accepted(
    candidates: Sequence[DrawnTract], tracts: Sequence[DrawnTract], notes: list[str]
) -> list[DrawnTract]:
    """Drop the candidates that a tract lies on, and cut tracts out of the others.

    A person who drew a tract over a candidate accepted it.
    """
    rest = []
    for candidate in candidates:
        shape = candidate.geometry_l0
        near = [tract for tract in tracts if tract.geometry_l0.intersects(shape)]
        accepted = [tract.name for tract in near if _is_same_tract(tract.geometry_l0, shape)]
        notes += [
            f"{name} lies on {candidate.name}, which is no candidate any more." for name in accepted
        ]
        if not accepted:
            left = shape.difference(shapely.union_all([tract.geometry_l0 for tract in near]))
            rest.append(DrawnTract(candidate.name, _polygonal(left)))
    return rest


def _subtract(
    shape: BaseGeometry, others: Sequence[DrawnTract]
) -> tuple[list[Polygon], list[Polygon]]:
    """Subtract other outlines: return the largest remnant of every part, and the other remnants."""
    taken = shapely.union_all([other.geometry_l0 for other in others])
    remnants = [polygons_of(part.difference(taken)) for part in polygons_of(shape)]
    remnants = [sorted(parts, key=lambda part: part.area) for parts in remnants if parts]
    return [parts[-1] for parts in remnants], [part for parts in remnants for part in parts[:-1]]


def _give_to_nearest(part: Polygon, outlines: list[DrawnTract]) -> str:
    """Add a cut-off part to the nearest outline, and return that outline's name.

    Alone it would count as a tract that nobody drew; dropped, its area would be lost.
    """
    nearest = int(np.argmin(shapely.distance(part, [outline.geometry_l0 for outline in outlines])))
    other = outlines[nearest]
    # The cut is the other's edge but for the last digit, which would leave a gap.
    whole = shapely.union(other.geometry_l0, part, grid_size=_HEALED_L0)
    outlines[nearest] = replace(other, geometry_l0=_polygonal(whole))
    return other.name


@dataclass(frozen=True)
class _Part:
    """A part of a drawn outline in the piece of tissue with index `home`."""

    outline_l0: Polygon
    home: int
    drawn: DrawnTract


def _clip_to_tissue(
    drawn: Sequence[DrawnTract],
    pieces: Sequence[Polygon],
    frame: Frame,
    settings: RegionSettings,
    notes: list[str],
) -> list[_Part]:
    """Clip outlines to the tissue, and sort their parts piece by piece, from the top left."""
    tree, um2 = STRtree(list(pieces)), frame.pixel_size.area_um2
    found: list[_Part] = []
    for tract in drawn:
        parts = [
            _Part(outline, home, tract)
            for home in tree.query(tract.geometry_l0, "intersects").tolist()
            for outline in polygons_of(tract.geometry_l0.intersection(pieces[home]))
            if outline.area * um2 >= _CRUMB_UM2
        ]
        tracts = parts
        if len(parts) > 1:
            least_l0 = settings.min_tract_area_um2 / um2
            tracts = [part for part in parts if part.outline_l0.area >= least_l0]
            tracts = tracts or [max(parts, key=lambda part: part.outline_l0.area)]
        notes += _explain_losses(tract, parts, tracts, um2)
        found += tracts
    return sorted(
        found, key=lambda part: (part.home, part.outline_l0.bounds[1], part.outline_l0.bounds[0])
    )


def _explain_losses(
    tract: DrawnTract, parts: list[_Part], tracts: list[_Part], um2: float
) -> list[str]:
    drawn_l0 = tract.geometry_l0.area
    inside_l0 = sum(part.outline_l0.area for part in parts)
    outside_um2 = (drawn_l0 - inside_l0) * um2
    if drawn_l0 * um2 < _CRUMB_UM2:
        return [f"{tract.name} is smaller than {_CRUMB_UM2:.0f} µm² and is left out."]
    if not parts:
        return [f"{tract.name} lies outside the tissue and is left out."]
    notes = []
    if outside_um2 >= max(_CRUMB_UM2, 0.01 * drawn_l0 * um2):
        notes.append(f"{tract.name}: {outside_um2:.0f} µm² outside the tissue are left out.")
    if len(tracts) > 1:
        notes.append(f"{tract.name} has {len(tracts)} parts, which count as {len(tracts)} tracts.")
    if len(tracts) < len(parts):
        lost_um2 = (inside_l0 - sum(part.outline_l0.area for part in tracts)) * um2
        notes.append(f"{tract.name}: crumbs of {lost_um2:.0f} µm² beside it are left out.")
    return notes


def _describe(
    kind: type[Kind],
    parts: Sequence[_Part],
    pieces: Sequence[Polygon],
    frame: Frame,
    settings: RegionSettings,
) -> tuple[Kind, ...]:
    """Describe parts in order as tracts or candidates, numbered from 1."""
    judgements = judge_areas(
        _to_px([part.outline_l0 for part in parts], frame),
        _to_px(pieces, frame),
        np.array([part.home for part in parts], int),
        frame.mpp,
        settings,
    )
    return tuple(
        kind(
            number=number,
            fragment_number=part.home + 1,
            polygon_l0=part.outline_l0,
            outline_l0=part.outline_l0,
            edge_contact_fraction=judgement.edge_contact_fraction,
            complete=judgement.complete,
            bridging=judgement.bridging,
            probability=None,
        )
        for number, (part, judgement) in enumerate(zip(parts, judgements, strict=True), 1)
    )


def _to_px(polygons_l0: Sequence[Polygon], frame: Frame) -> NDArray[np.object_]:
    """Convert polygons to the grid's square pixels."""
    return shapely.transform(np.array(polygons_l0, object), frame.px_from_l0)


def _polygonal(shape: BaseGeometry) -> Polygon | MultiPolygon:
    """Drop the lines and points that cutting leaves in a geometry."""
    polygons = polygons_of(shape)
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
