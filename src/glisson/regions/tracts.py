"""Fragments of tissue and whole portal tracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import Polygon

from glisson.frames import Frame

_BRIDGING_SHARE = 0.25
_STAGE_WORDS = ", as in septal fibrosis (stage 3 or more)"


@dataclass(frozen=True)
class Fragment:
    """A connected piece of tissue.

    Attributes:
        number: from 1, from the top left.
        polygon_l0: exact area, in level-0 pixels.
        outline_l0: the area with its stairs smoothed.
    """

    number: int
    polygon_l0: Polygon
    outline_l0: Polygon


@dataclass(frozen=True)
class PortalArea:
    """A whole portal area: a tract or a candidate.

    Attributes:
        number: from 1, fragment by fragment from the top left; candidates have their own numbers.
        fragment_number: number of its fragment.
        polygon_l0: exact area, in level-0 pixels.
        outline_l0: the area with its stairs smoothed, for display and perimeter.
        edge_contact_fraction: share of the outer contour at the tissue's edge, 0 to 1.
        complete: whether the contour is free of the edge (`COMPLETE_DEFINITION`).
        bridging: whether it is so long or so branched that septa join several tracts.
        probability: mean portal probability inside, 0 to 1; None for an outline drawn by hand.
        near_limit: whether it lies so near the model's limit of tracts that it may be one on one
            scan and none on the next.
    """

    number: int
    fragment_number: int
    polygon_l0: Polygon
    outline_l0: Polygon
    edge_contact_fraction: float
    complete: bool
    bridging: bool
    probability: float | None
    near_limit: bool = False


@dataclass(frozen=True)
class Tract(PortalArea):
    """A portal area that the model is sure of.

    Attributes:
        is_counted: whether it counts as a portal tract (`COUNTED_DEFINITION`, or a person's
            class). An uncounted tract is in the portal area alone.
        qupath_name: name of the outline that a person drew or corrected, or empty.
        qupath_id: QuPath's id of that outline, or empty.
    """

    is_counted: bool = True
    qupath_name: str = ""
    qupath_id: str = ""


@dataclass(frozen=True)
class Candidate(PortalArea):
    """A portal area that the model is too unsure of, for a person to accept or delete.

    A candidate is in no count, area or percentage. The class map calls it lobule.
    """


@dataclass(frozen=True)
class Regions:
    """Fragments, tracts and candidates of a slide.

    Attributes:
        frame: the class map's grid.
        fragments: pieces of tissue.
        tracts: portal tracts.
        countable: whether tracts can be counted one by one.
        not_countable_reason: the reason if they cannot; else None.
        candidates: portal areas that are in no number.
        portal_area_range_um2: the tracts' area with every probability lowered, and raised, by the
            model's spread; None for outlines drawn by hand.
    """

    frame: Frame
    fragments: tuple[Fragment, ...]
    tracts: tuple[Tract, ...]
    countable: bool
    not_countable_reason: str | None
    candidates: tuple[Candidate, ...] = ()
    portal_area_range_um2: tuple[float, float] | None = None

    @property
    def candidates_px(self) -> tuple[Polygon, ...]:
        """Return the candidates' exact outlines on the class map's grid, along pixel edges."""
        return tuple(
            shapely.transform(
                candidate.polygon_l0, lambda points: np.rint(self.frame.px_from_l0(points))
            )
            for candidate in self.candidates
        )


def explain_uncountable(tracts: Sequence[Tract]) -> str | None:
    """Explain why tracts cannot be counted one by one; return None if they can."""
    total = sum(tract.polygon_l0.area for tract in tracts)
    bridging = sum(tract.polygon_l0.area for tract in tracts if tract.bridging)
    bridging = bridging / total if total else 0.0
    if bridging <= _BRIDGING_SHARE:
        return None
    return (
        f"Tracts cannot be counted one by one: {bridging:.0%} of the portal area lies in "
        f"bridges between tracts{_STAGE_WORDS}."
    )


def remove_stage(reason: str) -> str:
    """Remove the fibrosis stage from a reason of `explain_uncountable`."""
    return reason.replace(_STAGE_WORDS, "")
