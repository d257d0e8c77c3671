"""Geometry in, numbers out; every number's unit is in its name."""

from __future__ import annotations

import math
from dataclasses import dataclass

import shapely
from shapely import Polygon
from shapely.affinity import scale

from glisson.frames import PixelSize
from glisson.regions import COMPLETE_DEFINITION, Fragment, Regions, Tract


@dataclass(frozen=True)
class TractMeasurements:
    """One portal tract.

    Attributes:
        number: as in the outlines.
        fragment_number: the piece of tissue it lies in.
        area_um2: exact, without holes.
        perimeter_um: of the smoothed outline, holes left out.
        equivalent_diameter_um: of the disc of the same area.
        probability: mean portal probability inside, 0 to 1.
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
    probability: float
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
        tissue_area_mm2: lobule and portal.
        portal_area_mm2: portal tracts.
        tract_count: tracts in it, complete and partial.
    """

    number: int
    tissue_area_mm2: float
    portal_area_mm2: float
    tract_count: int


@dataclass(frozen=True)
class BiopsyMeasurements:
    """The whole slide.

    Attributes:
        tissue_area_mm2: lobule and portal, enclosed fat, sinusoids and veins included.
        portal_area_mm2: portal tracts and septa.
        lobule_area_mm2: tissue less portal.
        portal_fraction: portal over tissue, 0 to 1; None without tissue.
        portal_percent: the same, 0 to 100.
        unreadable_area_mm2: tissue that could not be read; in no other number.
        fragment_count: pieces of tissue.
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
    unreadable_area_mm2: float
    fragment_count: int
    tract_count_total: int | None
    tract_count_complete: int | None
    tract_count_partial: int | None
    tract_count_reason: str | None
    complete_definition: str


@dataclass(frozen=True)
class Measurements:
    """All numbers of a slide."""

    biopsy: BiopsyMeasurements
    fragments: tuple[FragmentMeasurements, ...]
    tracts: tuple[TractMeasurements, ...]


def measure_biopsy(
    regions: Regions, pixel_size: PixelSize, unreadable_um2: float = 0.0
) -> Measurements:
    """Measure traced regions.

    Args:
        regions: in level-0 pixels.
        pixel_size: µm per level-0 pixel.
        unreadable_um2: tissue area that could not be read.
    """
    tracts = tuple(_tract(tract, pixel_size) for tract in regions.tracts)
    fragments = tuple(_fragment(piece, tracts, pixel_size) for piece in regions.fragments)
    return Measurements(_biopsy(regions, fragments, tracts, unreadable_um2), fragments, tracts)


def _tract(tract: Tract, pixel_size: PixelSize) -> TractMeasurements:
    area_um2 = tract.polygon_l0.area * pixel_size.area_um2
    centroid = tract.polygon_l0.centroid
    return TractMeasurements(
        number=tract.number,
        fragment_number=tract.fragment_number,
        area_um2=area_um2,
        perimeter_um=_in_um(tract.outline_l0, pixel_size).exterior.length,
        equivalent_diameter_um=2 * math.sqrt(area_um2 / math.pi),
        probability=tract.probability,
        edge_contact_fraction=tract.edge_contact_fraction,
        complete=tract.complete,
        bridging=tract.bridging,
        centroid_x_l0=centroid.x,
        centroid_y_l0=centroid.y,
    )


def _in_um(polygon_l0: Polygon, pixel_size: PixelSize) -> Polygon:
    scaled: Polygon = scale(polygon_l0, pixel_size.x_um, pixel_size.y_um, origin=(0, 0))
    return scaled


def _fragment(
    piece: Fragment, tracts: tuple[TractMeasurements, ...], pixel_size: PixelSize
) -> FragmentMeasurements:
    own = [tract for tract in tracts if tract.fragment_number == piece.number]
    return FragmentMeasurements(
        number=piece.number,
        tissue_area_mm2=float(shapely.area(piece.polygon_l0)) * pixel_size.area_um2 / 1e6,
        portal_area_mm2=math.fsum(tract.area_um2 for tract in own) / 1e6,
        tract_count=len(own),
    )


def _biopsy(
    regions: Regions,
    fragments: tuple[FragmentMeasurements, ...],
    tracts: tuple[TractMeasurements, ...],
    unreadable_um2: float,
) -> BiopsyMeasurements:
    tissue = math.fsum(fragment.tissue_area_mm2 for fragment in fragments)
    portal = math.fsum(fragment.portal_area_mm2 for fragment in fragments)
    complete = sum(tract.complete for tract in tracts)
    countable = regions.countable
    return BiopsyMeasurements(
        tissue_area_mm2=tissue,
        portal_area_mm2=portal,
        lobule_area_mm2=tissue - portal,
        portal_fraction=portal / tissue if tissue else None,
        portal_percent=100 * portal / tissue if tissue else None,
        unreadable_area_mm2=unreadable_um2 / 1e6,
        fragment_count=len(fragments),
        tract_count_total=len(tracts) if countable else None,
        tract_count_complete=complete if countable else None,
        tract_count_partial=len(tracts) - complete if countable else None,
        tract_count_reason=regions.not_countable_reason,
        complete_definition=COMPLETE_DEFINITION,
    )
