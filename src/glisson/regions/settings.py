"""Limits of tracts, holes and fragments."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.model.spec import ModelSpec


@dataclass(frozen=True)
class RegionSettings:
    """Sizes that separate objects from noise.

    Attributes:
        min_tract_area_um2: smaller portal areas become lobule. 1,500 µm² is a disc of 44 µm,
            below which no triad is recognisable (docs/design.md, Counting).
        min_tract_probability: portal areas of a lower mean probability become candidates; the
            model bundle holds the value for a model (research/model-log.md).
        sure_probability: portal probability from which a pixel is evidence of a tract.
        min_sure_area_um2: portal areas of a smaller sure area become candidates (`decision.py`).
        probability_spread: difference in probability between two predictions of the same pixels;
            gives the uncertainty of portal percent (docs/measure.md).
        max_portal_hole_um2: lobule or background enclosed by a tract and smaller than this
            becomes portal: vessel lumina lie inside the contour. 31,400 µm² is a vein of 200 µm,
            the largest portal vein profile in Crawford et al. 1998.
        max_tissue_hole_um2: background enclosed by tissue and smaller than this is tissue: fat,
            sinusoids and central veins are lobule. 126,000 µm² is a vein of 400 µm.
        min_fragment_area_um2: smaller pieces of tissue are debris.
        edge_reach_um: a contour this close to the tissue's edge touches it; at least 1.25 px of
            the class map apply, as smoothing moves outlines.
        max_edge_contact: share of a contour that may touch the edge in a complete tract.
        min_width_um: complete tracts into which no disc of this diameter fits are not counted
            (docs/measure.md, What counts as a tract).
        min_partial_width_um: likewise for partial tracts.
    """

    min_tract_area_um2: float = 1500.0
    min_tract_probability: float = 0.0
    sure_probability: float = 0.5
    min_sure_area_um2: float = 0.0
    probability_spread: float = 0.1
    max_portal_hole_um2: float = 31_400.0
    max_tissue_hole_um2: float = 126_000.0
    min_fragment_area_um2: float = 50_000.0
    edge_reach_um: float = 3.0
    max_edge_contact: float = 0.05
    min_width_um: float = 50.0
    min_partial_width_um: float = 100.0

    @classmethod
    def of_model(cls, spec: ModelSpec, min_tract_area_um2: float | None = None) -> RegionSettings:
        """Return the limits for a model.

        Args:
            spec: the model's specification.
            min_tract_area_um2: overrides the default.
        """
        return cls(
            cls.min_tract_area_um2 if min_tract_area_um2 is None else min_tract_area_um2,
            spec.min_tract_probability,
            spec.tract_evidence.sure_probability,
            spec.tract_evidence.min_sure_area_um2,
            spec.tract_evidence.probability_spread,
        )


COUNTED_DEFINITION = (
    "Counted: a disc 50 µm across fits into the portal area, or one of 100 µm where the area is "
    "partial. What is narrower is outlined and in the portal area, but in no count of tracts."
)
COMPLETE_DEFINITION = (
    "Complete: at most 5 % of the tract's outer contour lies within 3 µm of the tissue's edge. "
    "Partial: more."
)
