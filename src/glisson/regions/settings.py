"""What counts as a tract, a hole and a fragment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RegionSettings:
    """Sizes that decide what is an object and what is noise.

    Attributes:
        min_tract_area_um2: smaller portal areas become lobule. 1,500 µm² is a disc of 44 µm,
            below which no triad is recognisable (docs/design.md, Counting).
        min_tract_probability: portal areas of a lower mean probability become candidates; what
            is right for a model is in its bundle (docs/model-log.md).
        max_portal_hole_um2: lobule or background enclosed by a tract and smaller than this
            becomes portal: vessel lumina lie inside the contour. 31,400 µm² is a vein of 200 µm,
            the largest portal vein profile in Crawford et al. 1998.
        max_tissue_hole_um2: background enclosed by tissue and smaller than this is tissue: fat,
            sinusoids and central veins are lobule. 126,000 µm² is a vein of 400 µm.
        min_fragment_area_um2: smaller pieces of tissue are debris.
        edge_reach_um: a contour this close to the tissue's edge touches it; at least 1.25 px of
            the class map are taken, as smoothing moves outlines.
        max_edge_contact: share of a contour that may touch the edge in a complete tract.
    """

    min_tract_area_um2: float = 1500.0
    min_tract_probability: float = 0.0
    max_portal_hole_um2: float = 31_400.0
    max_tissue_hole_um2: float = 126_000.0
    min_fragment_area_um2: float = 50_000.0
    edge_reach_um: float = 3.0
    max_edge_contact: float = 0.05


COMPLETE_DEFINITION = (
    "Complete: at most 5 % of the tract's outer contour lies within 3 µm of the tissue's edge. "
    "Partial: more."
)
