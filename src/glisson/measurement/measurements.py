"""The numbers of a slide; every number's unit is in its name (docs/measure.md)."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.measurement.adequacy import Adequacy


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
        nearest_tract_um: shortest way, outline to outline, to another tract of the same fragment;
            None if it is alone there.
        probability: mean portal probability inside, 0 to 1; None for an outline drawn by hand.
        edge_contact_fraction: share of the contour at the tissue's edge, 0 to 1.
        complete: see `BiopsyMeasurements.complete_definition`.
        bridging: whether tracts have grown together in it.
        width_um: diameter of the largest disc that fits inside, holes filled.
        is_counted: whether it counts as a portal tract
            (`BiopsyMeasurements.counted_definition`); the others are in the portal area alone.
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
    width_um: float
    is_counted: bool
    centroid_x_l0: float
    centroid_y_l0: float


@dataclass(frozen=True)
class CandidateMeasurements:
    """A portal area that is in no other number until a person accepts it.

    Attributes:
        number: from 1; candidates have their own numbers.
        fragment_number: the piece of tissue that it lies in.
        area_um2: as a tract's.
        probability: as a tract's.
        edge_contact_fraction: as a tract's.
        complete: as a tract's.
        centroid_x_l0: level-0 pixels of the whole file.
        centroid_y_l0: level-0 pixels of the whole file.
    """

    number: int
    fragment_number: int
    area_um2: float
    probability: float | None
    edge_contact_fraction: float
    complete: bool
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
        portal_percent_uncertainty: half of the difference, in percentage points, between the
            portal percent at probabilities higher and lower by the model's spread; None without
            tissue and for outlines drawn by hand.
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
        tract_count_total: complete and partial tracts that count; None where they cannot be
            counted.
        tract_count_complete: tracts whose contour is free of the edge; None likewise.
        tract_count_partial: the others; None likewise.
        uncounted_area_count: portal areas that are in no count of tracts, as they are too narrow.
        tract_count_reason: why tracts cannot be counted, or None.
        complete_definition: what complete means here.
        counted_definition: which portal areas count as portal tracts.
    """

    tissue_area_mm2: float
    portal_area_mm2: float
    lobule_area_mm2: float
    portal_fraction: float | None
    portal_percent: float | None
    portal_percent_uncertainty: float | None
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
    uncounted_area_count: int
    tract_count_reason: str | None
    complete_definition: str
    counted_definition: str


@dataclass(frozen=True)
class Measurements:
    """All numbers of a slide, and what published standards say to them."""

    biopsy: BiopsyMeasurements
    fragments: tuple[FragmentMeasurements, ...]
    tracts: tuple[TractMeasurements, ...]
    adequacy: tuple[Adequacy, ...]
    candidates: tuple[CandidateMeasurements, ...] = ()
