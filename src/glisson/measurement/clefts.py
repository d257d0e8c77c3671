"""The outlines of cores, from which their axes follow: clefts closed, strands cut, holes filled.

Tears, ragged edges and veins must not add to a core's length. But the cleft between two cores
that lie beside each other is no tear, and a core that hangs on a strand of tissue is no crumb.
"""

from __future__ import annotations

import math

import shapely
from shapely import LinearRing, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

_TOLERANCE_UM = 4.0
_CLEFT_OF_WIDTH = 0.3
_BROADEST_CORE_UM = 1300.0
"""A 16G needle is 1.2 mm wide inside; a core that is torn along takes the tear's width more."""
_SLIVER_UM = 2.0
_LEAST_OPEN_UM = 12.5
"""A cleft narrower than half of the 25 µm between the axis' sites would be taken for tissue."""


def outline_cores(piece_um: Polygon) -> list[list[Polygon]]:
    """Outline the cores of a piece of tissue; cores that touch broadly share an outline.

    - Clefts narrower than 0.3 times the core's width are closed.
    - Strands narrower than half of that are cut.
    - Parts smaller than a square of the core's width are left out.
    - Holes are filled, except holes longer than the core is wide: the slit between two cores.

    Where closed clefts may lie between two cores, a second answer leaves them open: they are
    longer than the core is wide or shut a slit, and the tissue across them is broader than a core.

    Args:
        piece_um: the piece's outline in µm.
    """
    simple = shapely.simplify(piece_um, _TOLERANCE_UM)
    width = _rough_width(shapely.buffer(simple, _TOLERANCE_UM, quad_segs=2))
    reach = _CLEFT_OF_WIDTH / 2 * width
    widened = shapely.buffer(simple, reach, quad_segs=4)
    between = _clefts_between_cores(shapely.buffer(widened, -reach, quad_segs=4), simple, width)
    narrowed = shapely.buffer(widened, -1.5 * reach, quad_segs=4)
    answers = [_cores(narrowed, reach / 2, piece_um)]
    if between:
        cut = shapely.buffer(shapely.union_all(between), reach / 2 + _LEAST_OPEN_UM, quad_segs=4)
        answers.append(_cores(narrowed.difference(cut), reach / 2, piece_um))
    return answers


def _clefts_between_cores(closed: BaseGeometry, simple: Polygon, width_um: float) -> list[Polygon]:
    """Find the closed clefts that may part two cores."""
    rings = [ring for part in _polygons(closed) for ring in part.interiors]
    slits = MultiPolygon([Polygon(ring) for ring in rings if _extent(ring) > width_um])
    linked = _pick_long(_polygons(closed.difference(simple)), slits, width_um)
    # Rounding fills slivers along the edge, which may link clefts that are short by themselves.
    bare = shapely.buffer(MultiPolygon(linked), -_SLIVER_UM, quad_segs=1)
    long = _pick_long(_polygons(bare), slits, width_um)
    if not long:
        return []
    half = _BROADEST_CORE_UM / 2
    inner = shapely.buffer(MultiPolygon(_without_holes(closed)), -half, quad_segs=4)
    broad = shapely.buffer(inner, half, quad_segs=4)  # where the piece is broader than a core
    return [cleft for cleft in long if cleft.intersection(broad).area > cleft.area / 2]


def _pick_long(clefts: list[Polygon], slits: MultiPolygon, width_um: float) -> list[Polygon]:
    """Pick the clefts that are longer than a core is wide or shut a slit."""
    shut = shapely.dwithin(clefts, slits, 2 * _SLIVER_UM)
    return [
        cleft
        for cleft, shuts in zip(clefts, shut, strict=True)
        if shuts or _extent(cleft.exterior) > width_um
    ]


def _cores(narrowed: BaseGeometry, reach_um: float, piece_um: Polygon) -> list[Polygon]:
    """Widen narrowed tissue again, without crumbs and holes; return the piece if little is left."""
    opened = shapely.buffer(narrowed, reach_um, quad_segs=4)
    least_um2 = _rough_width(opened) ** 2
    cores = [part for part in _polygons(opened) if part.area >= least_um2]
    if sum(core.area for core in cores) < piece_um.area / 2:
        return [piece_um]
    return [_fill_holes(core) for core in cores]


def _fill_holes(core: Polygon) -> Polygon:
    width = _rough_width(core)
    return Polygon(core.exterior, [hole for hole in core.interiors if _extent(hole) > width])


def _rough_width(shape: BaseGeometry) -> float:
    """Return twice the area over the outer perimeter: the width of a long core, in µm."""
    whole = _without_holes(shape)
    return float(2 * sum(p.area for p in whole) / max(sum(p.length for p in whole), 1e-9))


def _without_holes(shape: BaseGeometry) -> list[Polygon]:
    return [Polygon(part.exterior) for part in _polygons(shape)]


def _extent(ring: LinearRing) -> float:
    left, top, right, bottom = ring.bounds
    return math.hypot(right - left, bottom - top)


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]
    return [part for part in parts if not part.is_empty]
