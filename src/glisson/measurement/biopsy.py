"""The measurements of traced regions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from glisson.frames import PixelSize
from glisson.measurement.adequacy import SectionSize, judge
from glisson.measurement.compartments import INTERFACE_WIDTH_UM, interface_area_um2
from glisson.measurement.core_size import CoreSize, core_sizes, minimum_width_um
from glisson.measurement.edges import distances, to_nearest
from glisson.measurement.measurements import (
    BiopsyMeasurements,
    CandidateMeasurements,
    FragmentMeasurements,
    Measurements,
    TractMeasurements,
)
from glisson.measurement.sections import Piece, Sections, find_sections
from glisson.measurement.shape import in_um, shape_of
from glisson.measurement.withheld import NO_TISSUE, withhold_verdicts
from glisson.regions import (
    COMPLETE_DEFINITION,
    COUNTED_DEFINITION,
    Candidate,
    Fragment,
    Regions,
    Tract,
    measure_width_um,
)

Polygons = NDArray[np.object_]


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
    sizes = core_sizes(plane.fragments)
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
    parts = _Parts(regions, fragments, tracts, sizes, found)
    biopsy = _biopsy(parts, unreadable_um2, interface_width_um, interface_mm2)
    adequacy = judge(
        SectionSize(
            biopsy.length_per_section_mm,
            biopsy.tract_count_per_section,
            biopsy.tract_count_complete_per_section,
            biopsy.tract_count_reason,
        )
    )
    candidates = tuple(_candidate(each, pixel_size) for each in regions.candidates)
    measured = Measurements(biopsy, fragments, tracts, adequacy, candidates)
    return measured if fragments else withhold_verdicts(measured, NO_TISSUE)


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
        """Return the indices of the tracts of each fragment."""
        order = np.argsort(self.home, kind="stable")
        each = np.bincount(self.home, minlength=len(self.fragments))
        return np.split(order, np.cumsum(each)[:-1]) if len(self.fragments) else []

    @classmethod
    def of(cls, regions: Regions, pixel_size: PixelSize) -> _Plane:
        exact = [piece.polygon_l0 for piece in regions.fragments]
        left, top = shapely.total_bounds(exact)[:2] if exact else (0.0, 0.0)

        def place(polygons_l0: Iterable[Polygon]) -> Polygons:
            return in_um(list(polygons_l0), pixel_size, (float(left), float(top)))

        index = {piece.number: k for k, piece in enumerate(regions.fragments)}
        return cls(
            place(piece.outline_l0 for piece in regions.fragments),
            shapely.boundary(place(exact)),
            place(tract.outline_l0 for tract in regions.tracts),
            place(tract.polygon_l0 for tract in regions.tracts),
            np.array([index[tract.fragment_number] for tract in regions.tracts], int),
        )

    def pieces(self, sizes: Sequence[CoreSize]) -> list[Piece]:
        """Return the fragments as `find_sections` takes them."""
        centres = shapely.get_coordinates(shapely.centroid(self.tracts))
        each = zip(self.fragments, self.own_tracts(), sizes, strict=True)
        return [Piece(outline, centres[own], size.is_core) for outline, own, size in each]


def _tracts(regions: Regions, plane: _Plane) -> tuple[TractMeasurements, ...]:
    to_edge_um = np.zeros(len(plane.tracts))
    nearest_um: list[float | None] = [None] * len(plane.tracts)
    for own, edge in zip(plane.own_tracts(), plane.edges, strict=True):
        to_edge_um[own] = distances(plane.exact_tracts[own], edge)
        if len(own) > 1:
            # Outline to outline: exact polygons have ten times the vertices, and a file that is
            # measured again has outlines only.
            for k, distance_um in zip(own, to_nearest(plane.tracts[own]), strict=True):
                nearest_um[k] = float(distance_um)
    return tuple(
        _tract(tract, plane, k, float(to_edge_um[k]), nearest_um[k])
        for k, tract in enumerate(regions.tracts)
    )


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
        width_um=measure_width_um(plane.tracts[index]),
        is_counted=tract.is_counted,
        centroid_x_l0=centroid.x,
        centroid_y_l0=centroid.y,
    )


def _candidate(candidate: Candidate, pixel_size: PixelSize) -> CandidateMeasurements:
    centroid = candidate.polygon_l0.centroid
    return CandidateMeasurements(
        number=candidate.number,
        fragment_number=candidate.fragment_number,
        area_um2=float(candidate.polygon_l0.area) * pixel_size.area_um2,
        probability=candidate.probability,
        edge_contact_fraction=candidate.edge_contact_fraction,
        complete=candidate.complete,
        centroid_x_l0=centroid.x,
        centroid_y_l0=centroid.y,
    )


def _fragment(
    piece: Fragment,
    own: Sequence[TractMeasurements],
    size: CoreSize,
    section_number: int,
    pixel_size: PixelSize,
    countable: bool,
) -> FragmentMeasurements:
    return FragmentMeasurements(
        number=piece.number,
        section_number=section_number,
        tissue_area_mm2=float(shapely.area(piece.polygon_l0)) * pixel_size.area_um2 / 1e6,
        portal_area_mm2=math.fsum(tract.area_um2 for tract in own) / 1e6,
        tract_count=sum(tract.is_counted for tract in own) if countable else None,
        length_mm=size.length_um / 1000,
        length_counted=size.is_core,
        core_count=size.core_count,
        mean_width_um=size.mean_width_um,
        minimum_width_um=size.minimum_width_um,
        length_share=size.share,
    )


@dataclass(frozen=True)
class _Parts:
    """Regions and their measurements; sizes are those of the fragments, in order."""

    regions: Regions
    fragments: tuple[FragmentMeasurements, ...]
    tracts: tuple[TractMeasurements, ...]
    sizes: Sequence[CoreSize]
    sections: Sections


def _biopsy(
    parts: _Parts, unreadable_um2: float, interface_width_um: float, interface_mm2: float
) -> BiopsyMeasurements:
    regions, tracts, sections = parts.regions, parts.tracts, parts.sections
    tissue = math.fsum(fragment.tissue_area_mm2 for fragment in parts.fragments)
    portal = math.fsum(fragment.portal_area_mm2 for fragment in parts.fragments)
    cores = [size for size in parts.sizes if size.share]
    length_um = math.fsum(size.share * size.length_um for size in cores)
    width_um = math.fsum(s.share * s.area_um2 for s in cores) / length_um if cores else None
    lengths_um = [path.length_um for core in cores for path in core.paths]
    counted = sum(tract.is_counted for tract in tracts)
    complete = sum(tract.is_counted and tract.complete for tract in tracts)
    countable = regions.countable
    return BiopsyMeasurements(
        tissue_area_mm2=tissue,
        portal_area_mm2=portal,
        lobule_area_mm2=max(0.0, tissue - portal),
        portal_fraction=portal / tissue if tissue else None,
        portal_percent=100 * portal / tissue if tissue else None,
        portal_percent_uncertainty=_uncertainty(regions, tissue),
        interface_area_mm2=interface_mm2,
        interface_width_um=interface_width_um,
        lobule_beyond_interface_area_mm2=max(0.0, tissue - portal - interface_mm2),
        unreadable_area_mm2=unreadable_um2 / 1e6,
        fragment_count=len(parts.fragments),
        length_mm=length_um / 1000,
        longest_fragment_length_mm=max(lengths_um, default=0.0) / 1000,
        mean_width_um=width_um,
        minimum_width_um=None if width_um is None else minimum_width_um(cores, width_um),
        section_count=sections.count,
        section_count_given=sections.given,
        length_per_section_mm=length_um / 1000 / sections.count,
        tissue_area_per_section_mm2=tissue / sections.count,
        tract_count_per_section=counted / sections.count if countable else None,
        tract_count_complete_per_section=complete / sections.count if countable else None,
        tract_count_total=counted if countable else None,
        tract_count_complete=complete if countable else None,
        tract_count_partial=counted - complete if countable else None,
        uncounted_area_count=len(tracts) - counted,
        tract_count_reason=regions.not_countable_reason,
        complete_definition=COMPLETE_DEFINITION,
        counted_definition=COUNTED_DEFINITION,
    )


def _uncertainty(regions: Regions, tissue_mm2: float) -> float | None:
    """Return half of the difference between the highest and the lowest portal percent."""
    if regions.portal_area_range_um2 is None or not tissue_mm2:
        return None
    low_um2, high_um2 = regions.portal_area_range_um2
    return 100 * (high_um2 - low_um2) / 2 / (tissue_mm2 * 1e6)
