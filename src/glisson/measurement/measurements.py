"""The numbers of a slide; every number's unit is in its name (docs/measure.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from glisson.measurement.adequacy import Adequacy
from glisson.measurement.registry import Measurement, Tables

REPORTED = Tables.CSV | Tables.REPORT

Number = Annotated[PositiveInt, Measurement("as in the outlines and pictures")]
FragmentNumber = Annotated[NonNegativeInt, Measurement("the piece of tissue that it lies in")]
Area = Annotated[
    NonNegativeFloat,
    Measurement(
        "of the class map's pixels, or of the outline as drawn; holes left out",
        label="area",
        unit="µm²",
        style=",.0f",
        qupath="PT area µm^2",
        tables=REPORTED,
    ),
]
Probability = Annotated[
    NonNegativeFloat | None,
    Measurement(
        "mean portal probability of the model, 0 to 1; none for drawn outlines",
        label="mean probability",
        style=".2f",
        qupath="PT probability",
        tables=REPORTED,
    ),
]
EdgeContact = Annotated[
    NonNegativeFloat,
    Measurement(
        "share of the outer ring of the smoothed outline, cut to the tissue, within 3 µm of the "
        "tissue's edge (at least 1.25 pixels of the class map), the rims of open holes included; "
        "within 0.015 whatever way the edge runs",
        label="edge contact",
        style=".0%",
        qupath="PT edge contact fraction",
        tables=REPORTED,
    ),
]
Complete = Annotated[bool, Measurement("whether `edge_contact_fraction` is at most 0.05")]
CentroidX = Annotated[float, Measurement("level-0 pixels of the whole file")]
CentroidY = Annotated[float, Measurement("level-0 pixels of the whole file")]


@dataclass(frozen=True)
class TractMeasurements:
    """One portal tract."""

    number: Number
    fragment_number: FragmentNumber
    area_um2: Area
    perimeter_um: Annotated[
        NonNegativeFloat,
        Measurement(
            "of the smoothed outline's outer ring",
            label="perimeter",
            unit="µm",
            style=",.0f",
            qupath="PT perimeter µm",
            tables=REPORTED,
        ),
    ]
    equivalent_diameter_um: Annotated[
        NonNegativeFloat,
        Measurement(
            "of the disc of the same area",
            label="equivalent diameter",
            unit="µm",
            style=".0f",
            qupath="PT equivalent diameter µm",
            tables=REPORTED,
        ),
    ]
    circularity: Annotated[
        NonNegativeFloat,
        Measurement(
            "4π·area/perimeter² of the smoothed outer ring; 1 for a disc",
            label="circularity",
            style=".2f",
            tables=REPORTED,
        ),
    ]
    solidity: Annotated[
        NonNegativeFloat,
        Measurement(
            "area over that of the convex hull, of the smoothed outline, 0 to 1",
            label="solidity",
            style=".2f",
            tables=REPORTED,
        ),
    ]
    major_axis_um: Annotated[
        NonNegativeFloat,
        Measurement(
            "of the ellipse of equal second moments, the definition of scikit-image's "
            "`regionprops`, taken from the polygon",
            label="long axis",
            unit="µm",
            style=".0f",
            tables=REPORTED,
        ),
    ]
    minor_axis_um: Annotated[
        NonNegativeFloat,
        Measurement("the same ellipse's other axis", "short axis", "µm", ".0f", tables=REPORTED),
    ]
    distance_to_edge_um: Annotated[
        NonNegativeFloat,
        Measurement(
            "to the tissue's edge, the rims of open holes included; 0 where it touches",
            label="to the edge",
            unit="µm",
            style=".0f",
            tables=REPORTED,
        ),
    ]
    nearest_tract_um: Annotated[
        NonNegativeFloat | None,
        Measurement(
            "smoothed outline to smoothed outline, to another tract of the same fragment; none if "
            "alone",
            label="to the nearest tract",
            unit="µm",
            style=".0f",
            tables=REPORTED,
        ),
    ]
    probability: Probability
    edge_contact_fraction: EdgeContact
    complete: Complete
    bridging: Annotated[
        bool,
        Measurement(
            "longer than twice the width of its piece of tissue, or longer than the width and "
            "filling less than 0.55 of its hull"
        ),
    ]
    width_um: Annotated[
        NonNegativeFloat | None,
        Measurement(
            "diameter of the largest disc that fits inside the smoothed outline, holes filled; "
            "none in results of versions that did not measure it",
            label="width",
            unit="µm",
            style=".0f",
            qupath="PT width µm",
            tables=REPORTED,
        ),
    ]
    is_counted: Annotated[
        bool, Measurement("whether it counts as a portal tract ([rule](#what-counts-as-a-tract))")
    ]
    centroid_x_l0: CentroidX
    centroid_y_l0: CentroidY


@dataclass(frozen=True)
class CandidateMeasurements:
    """A portal area that is in no other number until a person accepts it."""

    number: Number
    fragment_number: FragmentNumber
    area_um2: Area
    probability: Probability
    edge_contact_fraction: EdgeContact
    complete: Complete
    centroid_x_l0: CentroidX
    centroid_y_l0: CentroidY


@dataclass(frozen=True)
class FragmentMeasurements:
    """One piece of tissue."""

    number: Number
    section_number: Annotated[PositiveInt, Measurement("the section it belongs to, from 1")]
    tissue_area_mm2: Annotated[NonNegativeFloat, Measurement("lobule and portal")]
    portal_area_mm2: Annotated[NonNegativeFloat, Measurement("portal tracts and septa")]
    tract_count: Annotated[
        NonNegativeInt | None,
        Measurement("tracts that count; none where the biopsy's tracts cannot be counted"),
    ]
    length_mm: Annotated[
        NonNegativeFloat,
        Measurement("medial axis, extended to the tips; of cores that touch, the sum"),
    ]
    length_counted: Annotated[
        bool,
        Measurement(
            "whether half of it or more is part of the biopsy's length (`length_share`); else it "
            "is debris"
        ),
    ]
    core_count: Annotated[
        NonNegativeInt, Measurement("cores in it: more than one where cores touch")
    ]
    mean_width_um: Annotated[NonNegativeFloat, Measurement("area over length")]
    minimum_width_um: Annotated[
        NonNegativeFloat,
        Measurement(
            "of the largest discs round the points of the axis, averaged over the narrowest 0.3 "
            "mm, tips left out"
        ),
    ]
    length_share: Annotated[
        NonNegativeFloat | None,
        Measurement(
            "share of its length in the biopsy's length: 0 up to 0.8 mm, 1 from 1 mm, less where "
            "it is smaller than a square of the cores' width ([Length](#length)); none in results "
            "of versions that took whole pieces"
        ),
    ] = None


@dataclass(frozen=True)
class BiopsyMeasurements:
    """The whole slide."""

    tissue_area_mm2: Annotated[
        NonNegativeFloat,
        Measurement(
            "lobule and portal; enclosed fat, sinusoids and veins up to 400 µm included",
            label="tissue",
            unit="mm²",
            style=".2f",
            qupath="Biopsy tissue area mm^2",
            tables=Tables.EVERY,
        ),
    ]
    portal_area_mm2: Annotated[
        NonNegativeFloat,
        Measurement(
            "portal tracts and septa",
            label="portal",
            unit="mm²",
            style=".3f",
            qupath="Biopsy portal area mm^2",
            tables=Tables.CSV | Tables.COMPARISON,
        ),
    ]
    lobule_area_mm2: Annotated[
        NonNegativeFloat,
        Measurement("tissue less portal", qupath="Biopsy lobule area mm^2"),
    ]
    portal_fraction: Annotated[
        NonNegativeFloat | None, Measurement("portal over tissue, 0 to 1; none without tissue")
    ]
    portal_percent: Annotated[
        NonNegativeFloat | None,
        Measurement(
            "portal over tissue; none without tissue",
            label="portal",
            unit="% of tissue",
            style=".1f",
            short="portal\n%",
            qupath="Biopsy portal percent",
            tables=Tables.EVERY,
            uncertainty="portal_percent_uncertainty",
        ),
    ]
    portal_percent_uncertainty: Annotated[
        NonNegativeFloat | None,
        Measurement(
            "percentage points: half of the difference between the portal percent at probabilities "
            "0.1 higher and 0.1 lower ([Repeatability](#repeatability)); none without tissue and "
            "for drawn outlines",
            is_compared=False,
        ),
    ]
    interface_area_mm2: Annotated[
        NonNegativeFloat,
        Measurement(
            "lobule within `interface_width_um` of a tract: on its lobular side, cut to the "
            "tissue, other tracts left out, overlaps once",
            label="interface",
            unit="mm²",
            style=".3f",
            tables=REPORTED | Tables.COMPARISON,
        ),
    ]
    interface_width_um: Annotated[
        NonNegativeFloat,
        Measurement(
            "25, one hepatocyte and a little (20 to 30 µm; Cazzaniga et al. 2025 take one "
            "hepatocyte diameter); `--interface-width` changes it"
        ),
    ]
    lobule_beyond_interface_area_mm2: Annotated[
        NonNegativeFloat, Measurement("the rest of the lobule")
    ]
    unreadable_area_mm2: Annotated[
        NonNegativeFloat,
        Measurement(
            "tissue that could not be read; in no other number",
            label="unreadable",
            unit="mm²",
            style=".3f",
            tables=REPORTED,
        ),
    ]
    fragment_count: Annotated[
        NonNegativeInt,
        Measurement(
            "pieces of tissue of at least 0.05 mm² (drawn ones 0.045, as outlines are smoothed)"
        ),
    ]
    length_mm: Annotated[
        NonNegativeFloat,
        Measurement(
            "sum over the fragments, each by its `length_share`, all sections",
            label="length",
            unit="mm",
            style=".1f",
            tables=Tables.EVERY,
        ),
    ]
    longest_fragment_length_mm: Annotated[
        NonNegativeFloat,
        Measurement(
            "the longest core; cores that touch are taken apart, and where they cross the longest "
            "way through both comes first"
        ),
    ]
    mean_width_um: Annotated[
        NonNegativeFloat | None,
        Measurement(
            "area over length of the fragments that count; none without any",
            label="mean width",
            unit="µm",
            style=".0f",
            tables=REPORTED,
        ),
    ]
    minimum_width_um: Annotated[
        NonNegativeFloat | None,
        Measurement(
            "their narrowest 0.3 mm, tips left out ([below](#width))",
            label="least width",
            unit="µm",
            style=".0f",
            tables=REPORTED,
        ),
    ]
    section_count: Annotated[
        PositiveInt,
        Measurement(
            "sections of the same cores on the slide",
            label="sections",
            style=".0f",
            tables=REPORTED | Tables.COMPARISON,
        ),
    ]
    section_count_given: Annotated[
        bool, Measurement("whether it was said with `--sections`", is_compared=False)
    ]
    length_per_section_mm: Annotated[
        NonNegativeFloat,
        Measurement(
            "over the number of sections",
            label="length per section",
            unit="mm",
            style=".1f",
            tables=REPORTED,
        ),
    ]
    tissue_area_per_section_mm2: Annotated[
        NonNegativeFloat, Measurement("over the number of sections")
    ]
    tract_count_per_section: Annotated[
        NonNegativeFloat | None,
        Measurement(
            "over the number of sections; none where tracts cannot be counted",
            label="tracts per section",
            style=".1f",
            tables=REPORTED,
        ),
    ]
    tract_count_complete_per_section: Annotated[
        NonNegativeFloat | None,
        Measurement("over the number of sections; none where tracts cannot be counted"),
    ]
    tract_count_total: Annotated[
        NonNegativeInt | None,
        Measurement(
            "portal areas that count as portal tracts ([rule](#what-counts-as-a-tract), "
            "`counted_definition`), on the whole slide; none where they cannot be counted",
            label="portal tracts",
            style=".0f",
            short="tracts",
            tables=Tables.EVERY,
        ),
    ]
    tract_count_complete: Annotated[
        NonNegativeInt | None,
        Measurement(
            "of these, those whose contour is free of the edge, as `complete_definition` says",
            label="complete",
            style=".0f",
            short="com-\nplete",
            tables=Tables.EVERY,
        ),
    ]
    tract_count_partial: Annotated[
        NonNegativeInt | None,
        Measurement(
            "of these, the others",
            label="partial",
            style=".0f",
            short="par-\ntial",
            tables=Tables.EVERY,
        ),
    ]
    uncounted_area_count: Annotated[
        NonNegativeInt | None,
        Measurement(
            "portal areas that do not count; in every area and percentage, in no count; none in "
            "results of versions that counted all",
            label="portal areas, not counted",
            style=".0f",
            tables=REPORTED | Tables.COMPARISON,
        ),
    ]
    tract_count_reason: Annotated[
        str | None,
        Measurement(
            "why there is no count: more than a quarter of the portal area bridges",
            is_compared=False,
        ),
    ]
    complete_definition: Annotated[
        str, Measurement("what complete means here", tables=Tables(0), is_compared=False)
    ]
    counted_definition: Annotated[
        str,
        Measurement(
            "which portal areas count as portal tracts", tables=Tables(0), is_compared=False
        ),
    ]


@dataclass(frozen=True)
class Measurements:
    """All numbers of a slide, and the verdicts of published standards on them."""

    biopsy: BiopsyMeasurements
    fragments: tuple[FragmentMeasurements, ...]
    tracts: tuple[TractMeasurements, ...]
    adequacy: tuple[Adequacy, ...]
    candidates: tuple[CandidateMeasurements, ...] = ()
