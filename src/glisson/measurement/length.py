"""The length of cores: medial axes, extended to the tips.

A core is as long as the line along its middle. The middle is the medial axis, the centres of
the largest discs that fit inside the outline, taken from the Voronoi diagram of points on the
outline (Ogniewicz & Kübler, Pattern Recognition 1995;28:343). Branches to corners and ragged
edges differ from the axis by their residual: how much longer the way along the outline
between a disc's two points of contact is than the way straight across. Where cores touch or
cross, one axis branches. It is split into paths, the longest first; each path ends at the border
of the paths before it, so that no tissue counts twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import Voronoi, cKDTree
from shapely import LineString, Polygon

from glisson.measurement.clefts import outline_cores
from glisson.measurement.edges import distances

Points = NDArray[np.float64]

LEAST_LENGTH_UM = 1000.0
"""Pieces and branches shorter than this are no cores (docs/measure.md, Length)."""
LENGTH_RAMP_UM = 200.0
"""Below that limit a share of the length counts, so that a pixel's shift moves no whole piece."""
_SHORTEST_UM = LEAST_LENGTH_UM - LENGTH_RAMP_UM

_LEAST_GAIN_UM = 500.0
"""Where a cleft left open shows no other core, it made up to 360 µm: cores that touch, bent."""
_SPACING_UM = 25.0
_LEAST_RESIDUAL = 1.4
_LEAST_RELATIVE_WIDTH = 0.6
_SMOOTHING_UM = 100.0
_STEP_UM = 25.0
_MOST_PATHS = 40
_SQUAT = 2.5
_SAME_UM = 50.0
"""A quarter of the narrowest core: a way across lies half within this, at most."""
_STRAIGHT_ON = math.cos(math.radians(50))


@dataclass(frozen=True)
class CorePath:
    """The middle of one core.

    Attributes:
        line_um: (N, 2) from tip to tip, about every 25 µm.
        width_um: (N,) of the largest disc in the outline round each point; 0 at a tip.
        length_um: along the line.
        share: share of the length that counts, 0 to 1; below 1 for a short branch.
    """

    line_um: Points
    width_um: NDArray[np.float64]
    length_um: float
    share: float = 1.0

    @property
    def counted_um(self) -> float:
        """Return the length that counts."""
        return self.share * self.length_um


def share_of_core(length_um: float) -> float:
    """Return how far a piece is a core: 0 up to 0.8 mm, one half at 0.9 mm, 1 from 1 mm."""
    return min(1.0, max(0.0, (length_um - _SHORTEST_UM) / LENGTH_RAMP_UM))


def core_paths(piece_um: Polygon) -> tuple[CorePath, ...]:
    """Find the middles of the cores in a piece of tissue, longest first; usually a single core.

    `outline_cores` closes clefts, cuts strands and fills holes first. Clefts that may lie between
    two cores stay open where this lengthens the cores by half a millimetre. A second path must be
    at least 1 mm long and, where tissue links it broadly to the first, 0.6 times as wide: a tongue
    beside a tear is no core of its own.

    The axis of a piece hardly longer than broad may run to corners, or end far from the tips. The
    middle line of the smallest rectangle round the piece replaces it: if that line is shorter, or
    if the axis is shorter than the side of a square of the same area.

    Args:
        piece_um: the piece's outline in µm.
    """
    closed, *opened = [_find_paths(outlines) for outlines in outline_cores(piece_um)]
    longer = [paths for paths in opened if _sum(paths) > _sum(closed) + _LEAST_GAIN_UM]
    return longer[0] if longer else closed


def _sum(paths: tuple[CorePath, ...]) -> float:
    return math.fsum(path.counted_um for path in paths)


def _find_paths(outlines: list[Polygon]) -> tuple[CorePath, ...]:
    found: list[CorePath] = []
    for outline in outlines:
        axis = _medial_axis(outline)
        lines = [] if axis is None else _split_axis(axis, outline)
        if not lines or _length(lines[0]) ** 2 < _SQUAT * outline.area:
            lines = [_middle_of_squat(lines, outline)]
        found += [_core_path(line, outline) for line in lines]
    found.sort(key=lambda path: path.length_um, reverse=True)
    branches = (replace(path, share=share_of_core(path.length_um)) for path in found[1:])
    return (*found[:1], *(path for path in branches if path.share))


def _core_path(line: Points, outline: Polygon) -> CorePath:
    width = 2 * distances(np.asarray(shapely.points(line)), outline.boundary)
    return CorePath(line, width, _length(line))


@dataclass(frozen=True)
class _Axis:
    """A medial axis as a graph.

    Attributes:
        nodes_um: (N, 2).
        radius_um: (N,) of the largest disc round each node.
        between_um: (N, 2) the point of the outline half-way between the places where that disc
            touches it, on the shorter side; NaN where it touches two rings.
        edges: (N, N) lengths in µm.
    """

    nodes_um: Points
    radius_um: NDArray[np.float64]
    between_um: Points
    edges: csr_array


def _medial_axis(outline: Polygon) -> _Axis | None:
    """Build the graph of the Voronoi ridges inside the outline, without branches to its corners."""
    sites, ring, along, around = _sample_outline(outline)
    diagram = Voronoi(sites)
    ends = np.asarray(diagram.ridge_vertices)
    inside = shapely.contains_xy(outline, diagram.vertices)
    bounded = (ends >= 0).all(axis=1)  # -1 is the vertex at infinity
    bounded = bounded & inside[ends].all(axis=1)
    first, second = diagram.ridge_points.T
    across = np.hypot(*(sites[first] - sites[second]).T)
    apart = np.abs(along[first] - along[second])
    residual = np.minimum(apart, around[first] - apart) - across
    chosen = bounded & ((ring[first] != ring[second]) | (residual > _LEAST_RESIDUAL * across / 2))
    if not chosen.any():
        return None
    radius = np.asarray(cKDTree(sites).query(diagram.vertices[ends[chosen].ravel()])[0])
    between = _halfway_sites(first[chosen], second[chosen], ring, sites)
    return _build_graph(diagram.vertices, ends[chosen], radius, between)


def _halfway_sites(
    first: NDArray[np.int64], second: NDArray[np.int64], ring: NDArray[np.int64], sites: Points
) -> Points:
    """Find the site half-way along the outline between two sites; NaN between rings.

    Of the two ways round a ring, the shorter counts.
    """
    start, count = np.searchsorted(ring, ring), np.bincount(ring)[ring]
    apart = (second - first) % count[first]
    apart = np.where(2 * apart > count[first], apart - count[first], apart)
    middle = start[first] + (first - start[first] + apart // 2) % count[first]
    return np.where((ring[first] == ring[second])[:, None], sites[middle], np.nan)


def _sample_outline(outline: Polygon) -> tuple[Points, NDArray[np.int64], Points, Points]:
    """Return points on the outline; for each its ring, its place along it and the ring's length."""
    points, rings, along, around = [], [], [], []
    for number, ring in enumerate([outline.exterior, *outline.interiors]):
        count = max(8, math.ceil(ring.length / _SPACING_UM))
        places = np.arange(count) * (ring.length / count)
        points.append(_points_along(shapely.get_coordinates(ring), places))
        rings.append(np.full(count, number))
        along.append(places)
        around.append(np.full(count, ring.length))
    return (
        np.concatenate(points),
        np.concatenate(rings),
        np.concatenate(along),
        np.concatenate(around),
    )


def _points_along(line: Points, places: NDArray[np.float64]) -> Points:
    """Return the points of a line at distances from its start; none may reach its end."""
    steps = np.diff(line, axis=0)
    lengths = np.sqrt((steps**2).sum(axis=1))
    passed = np.cumsum(lengths)
    index = np.searchsorted(passed, places, side="right")
    share = (places - np.concatenate([[0.0], passed])[index]) / lengths[index]
    return np.asarray(line[index] + steps[index] * share[:, None])


def _build_graph(
    vertices: Points, ends: NDArray[np.int64], radius: NDArray[np.float64], between: Points
) -> _Axis:
    """Build a graph of ridges and their vertices."""
    used, index = np.unique(ends.ravel(), return_inverse=True)
    nodes = vertices[used]
    radius_um = np.zeros(len(used))
    radius_um[index] = radius
    between_um = np.zeros((len(used), 2))
    between_um[index] = between.repeat(2, axis=0)
    one, other = index.reshape(-1, 2).T
    length = np.maximum(np.hypot(*(nodes[one] - nodes[other]).T), 1e-9)
    both = (np.concatenate([one, other]), np.concatenate([other, one]))
    shape = (len(used), len(used))
    edges = coo_array((np.concatenate([length, length]), both), shape=shape).tocsr()
    return _Axis(nodes, radius_um, between_um, edges)


def _middle_of_squat(lines: list[Points], outline: Polygon) -> Points:
    """Return the middle of a piece hardly longer than broad: never shorter than its mean width."""
    axis = [line for line in lines[:1] if _length(line) >= math.sqrt(outline.area)]
    return min([*axis, _middle_of_rectangle(outline)], key=_length)


def _middle_of_rectangle(outline: Polygon) -> Points:
    """Return the middle line of the smallest rectangle round a piece."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outline))[:4]
    sides = np.array([corners[1] - corners[0], corners[2] - corners[1]])
    half = sides[np.argmax(np.hypot(*sides.T))] / 2
    middle = corners.mean(axis=0)
    return np.linspace(middle - half, middle + half, 21)


@dataclass(frozen=True)
class _Way:
    """A path through the axis.

    Attributes:
        line_um: (N, 2).
        attached: whether its first and its last point lie at the border of an earlier path.
    """

    line_um: Points
    attached: tuple[bool, bool]


def _split_axis(axis: _Axis, outline: Polygon) -> list[Points]:
    """Split the axis into paths, longest first, extended to the tips."""
    free, covered = np.ones(len(axis.nodes_um), bool), np.zeros(len(axis.nodes_um), bool)
    found: list[_Way] = []
    least_radius = 0.0
    while len(found) < _MOST_PATHS:
        nodes = _longest_way(axis, free)
        radius = float(np.median(axis.radius_um[nodes])) if len(nodes) else 0.0
        if len(nodes) < 2 or (found and _length(axis.nodes_um[nodes]) + 2 * radius < _SHORTEST_UM):
            break
        way = _extend(axis, nodes, covered)
        reach = _nodes_within(axis, nodes)
        free &= ~reach
        if found and radius < least_radius:
            continue
        least_radius = least_radius or _LEAST_RELATIVE_WIDTH * radius
        covered |= reach
        found.append(way)
    lines = [way.line_um for way in _join_crossing(found, outline)]
    return [line for k, line in enumerate(lines) if k == 0 or _length(line) >= _SHORTEST_UM]


def _longest_way(axis: _Axis, free: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find the nodes of the longest of all shortest ways through the free part of the axis.

    Two sweeps find it; they are exact where the axis has no loops.
    """
    nodes = np.flatnonzero(free)
    if len(nodes) < 2:
        return nodes[:0]
    edges = axis.edges[nodes][:, nodes]
    _, component = connected_components(edges, directed=False)
    extent = np.bincount(component, weights=np.asarray(edges.sum(axis=1)).ravel())
    best: tuple[float, NDArray[np.int64]] = (0.0, nodes[:0])
    for number in np.argsort(extent)[::-1]:
        if extent[number] / 2 <= best[0]:
            break
        length, way = _two_sweeps(edges, int(np.flatnonzero(component == number)[0]))
        best = max(best, (length, nodes[way]), key=lambda each: each[0])
    return best[1]


def _two_sweeps(edges: csr_array, start: int) -> tuple[float, NDArray[np.int64]]:
    first = _farthest(dijkstra(edges, directed=False, indices=[start])[0])
    found = dijkstra(edges, directed=False, indices=[first], return_predecessors=True)
    distance, before = found[0][0], found[1][0]
    last = _farthest(distance)
    way = [last]
    while way[-1] != first:
        way.append(int(before[way[-1]]))
    return float(distance[last]), np.array(way)


def _farthest(distance: Points) -> int:
    return int(np.argmax(np.where(np.isfinite(distance), distance, -1)))


def _nodes_within(axis: _Axis, nodes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the nodes that lie in the largest discs round a way: its own core."""
    near = min(8, len(nodes))
    distance, index = cKDTree(axis.nodes_um[nodes]).query(axis.nodes_um, k=near)
    radius = axis.radius_um[nodes][index]
    return np.asarray((distance <= radius).reshape(len(axis.nodes_um), near).any(axis=1))


def _extend(axis: _Axis, nodes: NDArray[np.int64], covered: NDArray[np.bool_]) -> _Way:
    """Extend the free ends of a way to the middle of the tip, and smooth it.

    The axis ends where the largest disc touches both sides of a tip; the tip's middle is
    half-way along the outline between the two.
    """
    line = axis.nodes_um[nodes]
    attached = [bool(covered[axis.edges[[node]].indices].any()) for node in nodes[[0, -1]]]
    tips = axis.between_um[nodes[[0, -1]]]
    free = ~np.array(attached) & np.isfinite(tips).all(axis=1)
    line = np.concatenate([tips[:1][free[:1]], line, tips[1:][free[1:]]])
    return _Way(_smooth(line), (attached[0], attached[1]))


def _heading(line: Points, back_um: float) -> Points:
    """Return the unit vector out of a line at its first point, from `back_um` along it."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    back = np.array([np.interp(min(back_um, along[-1]), along, line[:, k]) for k in (0, 1)])
    step = line[0] - back
    return np.asarray(step / max(float(np.hypot(*step)), 1e-9))


def _smooth(line: Points) -> Points:
    """Resample a line in even steps and average it over 100 µm; its ends stay."""
    length = _length(line)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    count = max(3, round(length / _STEP_UM) + 1)
    even = np.linspace(0, length, count)
    points = np.stack([np.interp(even, along, line[:, k]) for k in (0, 1)], axis=1)
    sigma = min(_SMOOTHING_UM, length / 10) / (length / (count - 1))
    chord = points[0] + np.linspace(0, 1, count)[:, None] * (points[-1] - points[0])
    # Mirrored and negated beyond the ends, the departure from the chord stays 0 at them.
    bow = points - chord
    mirrored = np.concatenate([-bow[::-1][:-1], bow, -bow[::-1][1:]])
    smooth = gaussian_filter1d(mirrored, sigma, axis=0)[count - 1 : 2 * count - 1]
    return np.asarray(chord + smooth)


def _join_crossing(ways: list[_Way], outline: Polygon) -> list[_Way]:
    """Join the two parts of a way that an earlier way cut in two, as where cores cross."""
    ways = list(ways)
    has_joined = True
    while has_joined:
        has_joined = False
        for one, other in combinations(range(1, len(ways)), 2):
            others = [way.line_um for k, way in enumerate(ways) if k not in (one, other)]
            whole = _join(ways[one], ways[other], others, outline)
            if whole is not None:
                ways[one] = whole
                del ways[other]
                has_joined = True
                break
    return ways


def _join(one: _Way, other: _Way, others: list[Points], outline: Polygon) -> _Way | None:
    """Join two ways if an attached end of each points at the other across tissue of no way."""
    for first in (one, _reverse(one)):
        for second in (other, _reverse(other)):
            if not (first.attached[1] and second.attached[0]):
                continue
            gap = np.linspace(first.line_um[-1], second.line_um[0], 21)
            if _are_in_line(first, second, outline) and not _runs_along(gap, others):
                line = np.concatenate([first.line_um, second.line_um])
                return _Way(line, (first.attached[0], second.attached[1]))
    return None


def _runs_along(gap: Points, others: list[Points]) -> bool:
    """Return whether a gap mostly runs along another way, whose length counts already."""
    return any(np.mean(cKDTree(line).query(gap)[0] < _SAME_UM) > 0.5 for line in others)


def _reverse(way: _Way) -> _Way:
    return _Way(way.line_um[::-1], way.attached[::-1])


def _are_in_line(first: _Way, second: _Way, outline: Polygon) -> bool:
    gap = second.line_um[0] - first.line_um[-1]
    distance = float(np.hypot(*gap))
    if distance < 1e-6:
        return True
    out, onward = _heading(first.line_um[::-1], 300.0), -_heading(second.line_um, 300.0)
    straight = min(out @ gap, onward @ gap) / distance >= _STRAIGHT_ON
    return bool(straight and outline.covers(LineString([first.line_um[-1], second.line_um[0]])))


def _length(line: Points) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())
