"""Geometry in, numbers out; every number's unit is in its name (docs/measure.md)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon, STRtree

from glisson.frames import PixelSize
from glisson.measure.adequacy import Adequacy, SectionSize, judge
from glisson.measure.compartments import INTERFACE_WIDTH_UM, interface_area_um2
from glisson.measure.edges import distances
from glisson.measure.length import LEAST_LENGTH_UM, CorePath, core_paths
from glisson.measure.sections import Piece, Sections, find_sections
from glisson.measure.shape import in_um, shape_of
from glisson.regions import COMPLETE_DEFINITION, Fragment, Regions, Tract

Polygons = NDArray[np.object_]

_ROUNDED = 1 - 1e-6
"""A square piece that lies alone is as large as its own square, whatever the last digit says."""


@dataclass(frozen=True)
class TractMeasurements:
    """One portal tract.

    Attributes:
        number: as in the outlines.
        fragment_number: the piece of tissue it lies in.
        area_um2: exact, without holes.
        perimeter_um: of the smoothed outline, holes left out.
        equivalent_diameter_um: of the disc of the same area.
        circularity: 4π·area/perimeter² of the smoothed outline; 1 for a disc.
        solidity: area over the area of the convex hull, of the smoothed outline, 0 to 1.
        major_axis_um: of the ellipse of equal second moments, as `regionprops` defines it.
        minor_axis_um: the same ellipse's other axis.
        distance_to_edge_um: shortest way to the tissue's edge, open holes included; 0 where
            the tract touches it.
        nearest_tract_um: shortest way, edge to edge, to another tract of the same fragment;
            None if it is alone there.
        probability: mean portal probability inside, 0 to 1; None for an outline drawn by hand.
        edge_contact_fraction: share of the contour at the tissue's edge, 0 to 1.
        complete: see `BiopsyMeasurements.complete_definition`.
        bridging: whether tracts have grown together in it.
        centroid_x_l0: level-0 pixels of the whole file.
        centroid_y_l0: level-0 pixels of the whole file.
    """

    number: int
    fragment_number: int
    area_um2: float
    perimeter_um: float
    equivalent_diameter_um: float
    circularity: float
    solidity: float
    major_axis_um: float
    minor_axis_um: float
    distance_to_edge_um: float
    nearest_tract_um: float | None
    probability: float | None
    edge_contact_fraction: float
    complete: bool
    bridging: bool
    centroid_x_l0: float
    centroid_y_l0: float


@dataclass(frozen=True)
class FragmentMeasurements:
    """One piece of tissue.

    Attributes:
        number: as in the outlines.
        section_number: the section it belongs to, from 1.
        tissue_area_mm2: lobule and portal.
        portal_area_mm2: portal tracts.
        tract_count: tracts in it, complete and partial; None where the biopsy's cannot be
            counted.
        length_mm: medial axis, extended to the tips; of cores that touch, the sum.
        length_counted: whether it is part of the biopsy's length: at least 1 mm long, and at
            least as large as a square of the cores' width. Less is debris.
        core_count: cores in it: more than one where cores touch.
        mean_width_um: area over length.
        minimum_width_um: of the largest disc round any point of the axis that is at least the
            mean width, or a third of the length if that is less, away from both tips.
    """

    number: int
    section_number: int
    tissue_area_mm2: float
    portal_area_mm2: float
    tract_count: int | None
    length_mm: float
    length_counted: bool
    core_count: int
    mean_width_um: float
    minimum_width_um: float


@dataclass(frozen=True)
class BiopsyMeasurements:
    """The whole slide.

    Attributes:
        tissue_area_mm2: lobule and portal, enclosed fat, sinusoids and veins included.
        portal_area_mm2: portal tracts and septa.
        lobule_area_mm2: tissue less portal.
        portal_fraction: portal over tissue, 0 to 1; None without tissue.
        portal_percent: the same, 0 to 100.
        interface_area_mm2: lobule within `interface_width_um` of a tract.
        interface_width_um: width of that band.
        lobule_beyond_interface_area_mm2: the other lobule.
        unreadable_area_mm2: tissue that could not be read; in no other number.
        fragment_count: pieces of tissue.
        length_mm: sum over the fragments that count (`FragmentMeasurements.length_counted`).
        longest_fragment_length_mm: the longest core; cores that touch are taken apart.
        mean_width_um: area over length of the fragments that count; None without any.
        minimum_width_um: the narrowest place of these; None without any.
        section_count: sections of the same cores on the slide.
        section_count_given: whether that was said rather than found.
        length_per_section_mm: length over the number of sections.
        tissue_area_per_section_mm2: likewise.
        tract_count_per_section: likewise; None where tracts cannot be counted.
        tract_count_complete_per_section: likewise.
        tract_count_total: complete and partial tracts; None where they cannot be counted.
        tract_count_complete: tracts whose contour is free of the edge; None likewise.
        tract_count_partial: the others; None likewise.
        tract_count_reason: why tracts cannot be counted, or None.
        complete_definition: what complete means here.
    """

    tissue_area_mm2: float
    portal_area_mm2: float
    lobule_area_mm2: float
    portal_fraction: float | None
    portal_percent: float | None
    interface_area_mm2: float
    interface_width_um: float
    lobule_beyond_interface_area_mm2: float
    unreadable_area_mm2: float
    fragment_count: int
    length_mm: float
    longest_fragment_length_mm: float
    mean_width_um: float | None
    minimum_width_um: float | None
    section_count: int
    section_count_given: bool
    length_per_section_mm: float
    tissue_area_per_section_mm2: float
    tract_count_per_section: float | None
    tract_count_complete_per_section: float | None
    tract_count_total: int | None
    tract_count_complete: int | None
    tract_count_partial: int | None
    tract_count_reason: str | None
    complete_definition: str


@dataclass(frozen=True)
class Measurements:
    """All numbers of a slide, and what published standards say to them."""

    biopsy: BiopsyMeasurements
    fragments: tuple[FragmentMeasurements, ...]
    tracts: tuple[TractMeasurements, ...]
    adequacy: tuple[Adequacy, ...]


def measure_biopsy(
    regions: Regions,
    pixel_size: PixelSize,
    unreadable_um2: float = 0.0,
    interface_width_um: float = INTERFACE_WIDTH_UM,
    sections: int | None = None,
) -> Measurements:
    """Measure traced regions.

    Args:
        regions: in level-0 pixels.
        pixel_size: µm per level-0 pixel.
        unreadable_um2: tissue area that could not be read.
        interface_width_um: of the band round tracts.
        sections: sections of the same cores on the slide; None to find out.
    """
    plane = _Plane.of(regions, pixel_size)
    tracts = _tracts(regions, plane)
    sizes = _sizes(plane)
    found = find_sections(plane.pieces(sizes), sections)
    fragments = tuple(
        _fragment(piece, [tracts[k] for k in own], size, number, pixel_size, regions.countable)
        for piece, own, size, number in zip(
            regions.fragments, plane.own_tracts(), sizes, found.numbers, strict=True
        )
    )
    interface_mm2 = 1e-6 * interface_area_um2(
        plane.tracts.tolist(), plane.fragments.tolist(), interface_width_um
    )
    biopsy = _biopsy(
        regions, fragments, tracts, sizes, found, unreadable_um2, interface_width_um, interface_mm2
    )
    adequacy = judge(
        SectionSize(
            biopsy.length_per_section_mm,
            biopsy.tract_count_per_section,
            biopsy.tract_count_complete_per_section,
            biopsy.tract_count_reason,
        )
    )
    return Measurements(biopsy, fragments, tracts, adequacy)


@dataclass(frozen=True)
class _Plane:
    """Regions in µm from a corner of the tissue.

    Attributes:
        fragments: smoothed outlines.
        edges: exact boundaries of the fragments.
        tracts: smoothed outlines.
        exact_tracts: exact polygons.
        home: index of each tract's fragment.
    """

    fragments: Polygons
    edges: NDArray[np.object_]
    tracts: Polygons
    exact_tracts: Polygons
    home: NDArray[np.int64]

    def own_tracts(self) -> list[NDArray[np.int64]]:
        """Indices of the tracts of each fragment."""
        order = np.argsort(self.home, kind="stable")
        each = np.bincount(self.home, minlength=len(self.fragments))
        return np.split(order, np.cumsum(each)[:-1]) if len(self.fragments) else []

    @classmethod
    def of(cls, regions: Regions, pixel_size: PixelSize) -> _Plane:
        exact = [piece.polygon_l0 for piece in regions.fragments]
        left, top = shapely.total_bounds(exact)[:2] if exact else (0.0, 0.0)

        def placed(polygons_l0: Iterable[Polygon]) -> Polygons:
            return in_um(list(polygons_l0), pixel_size, (float(left), float(top)))

        index = {piece.number: k for k, piece in enumerate(regions.fragments)}
        return cls(
            placed(piece.outline_l0 for piece in regions.fragments),
            shapely.boundary(placed(exact)),
            placed(tract.outline_l0 for tract in regions.tracts),
            placed(tract.polygon_l0 for tract in regions.tracts),
            np.array([index[tract.fragment_number] for tract in regions.tracts], int),
        )

    def pieces(self, sizes: Sequence[_Size]) -> list[Piece]:
        """What sections are found by."""
        centres = shapely.get_coordinates(shapely.centroid(self.tracts))
        each = zip(self.fragments, self.own_tracts(), sizes, strict=True)
        return [Piece(outline, centres[own], size.counted) for outline, own, size in each]


@dataclass(frozen=True)
class _Size:
    """Length and width of a fragment."""

    paths: tuple[CorePath, ...]
    area_um2: float
    counted: bool

    @property
    def length_um(self) -> float:
        return math.fsum(path.length_um for path in self.paths)

    @property
    def mean_width_um(self) -> float:
        return self.area_um2 / self.length_um

    @property
    def minimum_width_um(self) -> float:
        return min(self._narrowest(path) for path in self.paths)

    def _narrowest(self, path: CorePath) -> float:
        along = np.linspace(0, path.length_um, len(path.width_um))
        tip_um = min(self.mean_width_um, path.length_um / 3)
        inner = (along >= tip_um) & (along <= path.length_um - tip_um)
        return float(path.width_um[inner].min())


def _sizes(plane: _Plane) -> list[_Size]:
    """Lengths, and which count: 1 mm and more, and more than a square of the cores' width."""
    paths = [core_paths(outline) for outline in plane.fragments]
    areas = [float(outline.area) for outline in plane.fragments]
    sizes = [_Size(p, area, True) for p, area in zip(paths, areas, strict=True)]
    long = [size for size in sizes if size.length_um >= LEAST_LENGTH_UM]
    least_um2 = _ROUNDED * _typical_width(long) ** 2
    return [
        _Size(s.paths, s.area_um2, s.length_um >= LEAST_LENGTH_UM and s.area_um2 >= least_um2)
        for s in sizes
    ]


def _path_lengths_um(sizes: Sequence[_Size]) -> list[float]:
    return [path.length_um for size in sizes for path in size.paths]


def _typical_width(sizes: Sequence[_Size]) -> float:
    """The mean width that half of the length lies below; 0 without any."""
    if not sizes:
        return 0.0
    ordered = sorted(sizes, key=lambda size: size.mean_width_um)
    passed = np.cumsum([size.length_um for size in ordered])
    return ordered[int(np.searchsorted(passed, passed[-1] / 2))].mean_width_um


def _tracts(regions: Regions, plane: _Plane) -> tuple[TractMeasurements, ...]:
    to_edge, nearest = _to_edge(plane), _nearest(plane)
    return tuple(
        _tract(tract, plane, k, to_edge[k], nearest[k]) for k, tract in enumerate(regions.tracts)
    )


def _to_edge(plane: _Plane) -> list[float]:
    """Shortest way to the edge of the own fragment."""
    found = np.zeros(len(plane.tracts))
    for own, edge in zip(plane.own_tracts(), plane.edges, strict=True):
        found[own] = distances(plane.exact_tracts[own], edge)
    return [float(distance) for distance in found]


def _nearest(plane: _Plane) -> list[float | None]:
    """Shortest way to another tract of the same fragment."""
    found: list[float | None] = [None] * len(plane.tracts)
    for own in plane.own_tracts():
        if len(own) > 1:
            shapes = plane.exact_tracts[own]
            pairs, ways = STRtree(shapes).query_nearest(
                shapes, exclusive=True, return_distance=True, all_matches=False
            )
            for k, way in zip(pairs[0], ways, strict=True):
                found[own[k]] = float(way)
    return found


def _tract(
    tract: Tract, plane: _Plane, index: int, to_edge_um: float, nearest_um: float | None
) -> TractMeasurements:
    area_um2 = float(plane.exact_tracts[index].area)
    shape = shape_of(plane.tracts[index])
    centroid = tract.polygon_l0.centroid
    return TractMeasurements(
        number=tract.number,
        fragment_number=tract.fragment_number,
        area_um2=area_um2,
        perimeter_um=shape.perimeter_um,
        equivalent_diameter_um=2 * math.sqrt(area_um2 / math.pi),
        circularity=shape.circularity,
        solidity=shape.solidity,
        major_axis_um=shape.major_axis_um,
        minor_axis_um=shape.minor_axis_um,
        distance_to_edge_um=to_edge_um,
        nearest_tract_um=nearest_um,
        probability=tract.probability,
        edge_contact_fraction=tract.edge_contact_fraction,
        complete=tract.complete,
        bridging=tract.bridging,
        centroid_x_l0=centroid.x,
        centroid_y_l0=centroid.y,
    )


def _fragment(
    piece: Fragment,
    own: Sequence[TractMeasurements],
    size: _Size,
    section_number: int,
    pixel_size: PixelSize,
    countable: bool,
) -> FragmentMeasurements:
    return FragmentMeasurements(
        number=piece.number,
        section_number=section_number,
        tissue_area_mm2=float(shapely.area(piece.polygon_l0)) * pixel_size.area_um2 / 1e6,
        portal_area_mm2=math.fsum(tract.area_um2 for tract in own) / 1e6,
        tract_count=len(own) if countable else None,
        length_mm=size.length_um / 1000,
        length_counted=size.counted,
        core_count=len(size.paths),
        mean_width_um=size.mean_width_um,
        minimum_width_um=size.minimum_width_um,
    )


def _biopsy(
    regions: Regions,
    fragments: tuple[FragmentMeasurements, ...],
    tracts: tuple[TractMeasurements, ...],
    sizes: Sequence[_Size],
    sections: Sections,
    unreadable_um2: float,
    interface_width_um: float,
    interface_mm2: float,
) -> BiopsyMeasurements:
    tissue = math.fsum(fragment.tissue_area_mm2 for fragment in fragments)
    portal = math.fsum(fragment.portal_area_mm2 for fragment in fragments)
    cores = [size for size in sizes if size.counted]
    length_um = math.fsum(size.length_um for size in cores)
    complete = sum(tract.complete for tract in tracts)
    countable = regions.countable
    return BiopsyMeasurements(
        tissue_area_mm2=tissue,
        portal_area_mm2=portal,
        lobule_area_mm2=max(0.0, tissue - portal),
        portal_fraction=portal / tissue if tissue else None,
        portal_percent=100 * portal / tissue if tissue else None,
        interface_area_mm2=interface_mm2,
        interface_width_um=interface_width_um,
        lobule_beyond_interface_area_mm2=max(0.0, tissue - portal - interface_mm2),
        unreadable_area_mm2=unreadable_um2 / 1e6,
        fragment_count=len(fragments),
        length_mm=length_um / 1000,
        longest_fragment_length_mm=max(_path_lengths_um(cores), default=0.0) / 1000,
        mean_width_um=math.fsum(s.area_um2 for s in cores) / length_um if cores else None,
        minimum_width_um=min((s.minimum_width_um for s in cores), default=None),
        section_count=sections.count,
        section_count_given=sections.given,
        length_per_section_mm=length_um / 1000 / sections.count,
        tissue_area_per_section_mm2=tissue / sections.count,
        tract_count_per_section=len(tracts) / sections.count if countable else None,
        tract_count_complete_per_section=complete / sections.count if countable else None,
        tract_count_total=len(tracts) if countable else None,
        tract_count_complete=complete if countable else None,
        tract_count_partial=len(tracts) - complete if countable else None,
        tract_count_reason=regions.not_countable_reason,
        complete_definition=COMPLETE_DEFINITION,
    )
