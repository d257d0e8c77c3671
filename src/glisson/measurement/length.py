"""The length of cores: medial axes, extended to the tips.

A core is as long as the line along its middle. The middle is the medial axis, the centres of
the largest discs that fit inside the outline, taken from the Voronoi diagram of points on the
outline (Ogniewicz & Kübler, Pattern Recognition 1995;28:343). Branches to corners and ragged
edges are told from the axis by their residual: how much longer the way along the outline
between a disc's two points of contact is than the way straight across. Where cores touch or
cross, one axis branches; it is taken apart into paths, the longest first, each of which ends
at the border of the ones before it, so that no tissue counts twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import Voronoi, cKDTree
from shapely import LineString, Polygon

from glisson.measurement.clefts import outlines_of_cores
from glisson.measurement.edges import distances

Points = NDArray[np.float64]

LEAST_LENGTH_UM = 1000.0
"""Pieces and branches shorter than this are no cores (docs/measure.md, Length)."""

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
    """

    line_um: Points
    width_um: NDArray[np.float64]
    length_um: float


def core_paths(piece_um: Polygon) -> tuple[CorePath, ...]:
    """The middles of the cores in a piece of tissue, longest first; usually one.

    Clefts, strands and holes are seen to first (`outlines_of_cores`). Clefts that may lie between
    two cores are left open where the cores are longer by half a millimetre for it. A second path
    must be at least 1 mm long and, where tissue links it broadly to the first, 0.6 times as wide:
    a tongue beside a tear is no core of its own.

    The axis of a piece hardly longer than broad may run to corners, or be cut off far from the
    tips: there, the middle line of the smallest rectangle round it is taken if that is shorter,
    or if the axis is shorter than the side of a square of the same area.

    Args:
        piece_um: the piece's outline in µm.
    """
    closed, *apart = [_paths(outlines) for outlines in outlines_of_cores(piece_um)]
    longer = [paths for paths in apart if _sum(paths) > _sum(closed) + _LEAST_GAIN_UM]
    return longer[0] if longer else closed


def _sum(paths: tuple[CorePath, ...]) -> float:
    return math.fsum(path.length_um for path in paths)


def _paths(outlines: list[Polygon]) -> tuple[CorePath, ...]:
    found = [path for outline in outlines for path in _paths_of(outline)]
    found.sort(key=lambda path: path.length_um, reverse=True)
    return tuple(p for k, p in enumerate(found) if k == 0 or p.length_um >= LEAST_LENGTH_UM)


def _paths_of(outline: Polygon) -> list[CorePath]:
    axis = _medial_axis(outline)
    lines = [] if axis is None else _taken_apart(axis, outline)
    if not lines or _length(lines[0]) ** 2 < _SQUAT * outline.area:
        lines = [_of_squat(lines, outline)]
    return [_measured(line, outline) for line in lines]


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
    """The Voronoi ridges inside the outline that are no branches to its corners."""
    sites, ring, along, around = _sites(outline)
    diagram = Voronoi(sites)
    ends = np.asarray(diagram.ridge_vertices)
    inside = shapely.contains_xy(outline, diagram.vertices)
    bounded = (ends >= 0).all(axis=1)  # -1 is the vertex at infinity
    bounded = bounded & inside[ends].all(axis=1)
    first, second = diagram.ridge_points.T
    across = np.hypot(*(sites[first] - sites[second]).T)
    apart = np.abs(along[first] - along[second])
    residual = np.minimum(apart, around[first] - apart) - across
    kept = bounded & ((ring[first] != ring[second]) | (residual > _LEAST_RESIDUAL * across / 2))
    if not kept.any():
        return None
    radius = np.asarray(cKDTree(sites).query(diagram.vertices[ends[kept].ravel()])[0])
    between = _half_way(first[kept], second[kept], ring, sites)
    return _graph(diagram.vertices, ends[kept], radius, between)


def _half_way(
    first: NDArray[np.int64], second: NDArray[np.int64], ring: NDArray[np.int64], sites: Points
) -> Points:
    """The site half-way along the outline between two, on the shorter side; NaN between rings."""
    start, count = np.searchsorted(ring, ring), np.bincount(ring)[ring]
    apart = (second - first) % count[first]
    apart = np.where(2 * apart > count[first], apart - count[first], apart)
    middle = start[first] + (first - start[first] + apart // 2) % count[first]
    return np.where((ring[first] == ring[second])[:, None], sites[middle], np.nan)


def _sites(outline: Polygon) -> tuple[Points, NDArray[np.int64], Points, Points]:
    """Points on the outline; for each its ring, its place along it and the ring's length."""
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
    """Points of a line at distances from its start, which do not reach its end."""
    steps = np.diff(line, axis=0)
    lengths = np.sqrt((steps**2).sum(axis=1))
    passed = np.cumsum(lengths)
    index = np.searchsorted(passed, places, side="right")
    share = (places - np.concatenate([[0.0], passed])[index]) / lengths[index]
    return np.asarray(line[index] + steps[index] * share[:, None])


def _graph(
    vertices: Points, ends: NDArray[np.int64], radius: NDArray[np.float64], between: Points
) -> _Axis:
    """The kept ridges as a graph of their own vertices."""
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


def _of_squat(lines: list[Points], outline: Polygon) -> Points:
    """The middle of a piece hardly longer than broad; never shorter than its mean width."""
    axis = [line for line in lines[:1] if _length(line) >= math.sqrt(outline.area)]
    return min([*axis, _straight(outline)], key=_length)


def _straight(outline: Polygon) -> Points:
    """The middle line of the smallest rectangle round a piece."""
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


def _taken_apart(axis: _Axis, outline: Polygon) -> list[Points]:
    """Paths through the axis, longest first, extended to the tips."""
    free, covered = np.ones(len(axis.nodes_um), bool), np.zeros(len(axis.nodes_um), bool)
    found: list[_Way] = []
    least_radius = 0.0
    while len(found) < _MOST_PATHS:
        nodes = _longest_way(axis, free)
        radius = float(np.median(axis.radius_um[nodes])) if len(nodes) else 0.0
        if len(nodes) < 2 or (
            found and _length(axis.nodes_um[nodes]) + 2 * radius < LEAST_LENGTH_UM
        ):
            break
        way = _extended(axis, nodes, covered)
        reach = _reached(axis, nodes)
        free &= ~reach
        if found and radius < least_radius:
            continue
        least_radius = least_radius or _LEAST_RELATIVE_WIDTH * radius
        covered |= reach
        found.append(way)
    lines = [way.line_um for way in _joined(found, outline)]
    return [line for k, line in enumerate(lines) if k == 0 or _length(line) >= LEAST_LENGTH_UM]


def _longest_way(axis: _Axis, free: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Nodes of the longest of all shortest ways through the free part of the axis.

    Found by two sweeps, which is exact where the axis has no loops.
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


def _reached(axis: _Axis, nodes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which nodes lie in the largest discs round a way: its own core."""
    near = min(8, len(nodes))
    distance, index = cKDTree(axis.nodes_um[nodes]).query(axis.nodes_um, k=near)
    radius = axis.radius_um[nodes][index]
    return np.asarray((distance <= radius).reshape(len(axis.nodes_um), near).any(axis=1))


def _extended(axis: _Axis, nodes: NDArray[np.int64], covered: NDArray[np.bool_]) -> _Way:
    """A way with its free ends carried on to the middle of the tip, and smoothed.

    The axis ends where the largest disc touches both sides of a tip; the tip's middle is
    half-way along the outline between the two.
    """
    line = axis.nodes_um[nodes]
    attached = [bool(covered[axis.edges[[node]].indices].any()) for node in nodes[[0, -1]]]
    tips = axis.between_um[nodes[[0, -1]]]
    free = ~np.array(attached) & np.isfinite(tips).all(axis=1)
    line = np.concatenate([tips[:1][free[:1]], line, tips[1:][free[1:]]])
    return _Way(_smoothed(line), (attached[0], attached[1]))


def _heading(line: Points, back_um: float) -> Points:
    """Unit vector out of a line at its first point, from `back_um` along it."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    back = np.array([np.interp(min(back_um, along[-1]), along, line[:, k]) for k in (0, 1)])
    step = line[0] - back
    return np.asarray(step / max(float(np.hypot(*step)), 1e-9))


def _smoothed(line: Points) -> Points:
    """The line in even steps, its wiggles averaged out over 100 µm, its ends where they were."""
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


def _joined(ways: list[_Way], outline: Polygon) -> list[_Way]:
    """Ways that an earlier one cut in two, as where cores cross, made one again."""
    ways = list(ways)
    found = True
    while found:
        found = False
        for one, other in combinations(range(1, len(ways)), 2):
            taken = [way.line_um for k, way in enumerate(ways) if k not in (one, other)]
            whole = _one_way(ways[one], ways[other], taken, outline)
            if whole is not None:
                ways[one] = whole
                del ways[other]
                found = True
                break
    return ways


def _one_way(one: _Way, other: _Way, taken: list[Points], outline: Polygon) -> _Way | None:
    """Both as one, if an attached end of each points at the other across tissue not yet taken."""
    for first in (one, _turned(one)):
        for second in (other, _turned(other)):
            if not (first.attached[1] and second.attached[0]):
                continue
            gap = np.linspace(first.line_um[-1], second.line_um[0], 21)
            if _in_line(first, second, outline) and not _along(gap, taken):
                line = np.concatenate([first.line_um, second.line_um])
                return _Way(line, (first.attached[0], second.attached[1]))
    return None


def _along(gap: Points, taken: list[Points]) -> bool:
    """Whether a gap mostly runs along a way, and not across: its length counts already."""
    return any(np.mean(cKDTree(line).query(gap)[0] < _SAME_UM) > 0.5 for line in taken)


def _turned(way: _Way) -> _Way:
    return _Way(way.line_um[::-1], way.attached[::-1])


def _in_line(first: _Way, second: _Way, outline: Polygon) -> bool:
    gap = second.line_um[0] - first.line_um[-1]
    distance = float(np.hypot(*gap))
    if distance < 1e-6:
        return True
    out, onward = _heading(first.line_um[::-1], 300.0), -_heading(second.line_um, 300.0)
    straight = min(out @ gap, onward @ gap) / distance >= _STRAIGHT_ON
    return bool(straight and outline.covers(LineString([first.line_um[-1], second.line_um[0]])))


def _measured(line: Points, outline: Polygon) -> CorePath:
    width = 2 * distances(np.asarray(shapely.points(line)), outline.boundary)
    return CorePath(line, width, _length(line))


def _length(line: Points) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())
