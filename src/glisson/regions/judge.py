"""Complete or partial, bridging or not: what a portal area's outline decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.regions.bridging import are_bridging, measure_core_widths
from glisson.regions.contact import measure_edge_contact
from glisson.regions.settings import RegionSettings


@dataclass(frozen=True)
class Judgement:
    """Fields of `PortalArea` that follow from its outline and its fragment."""

    edge_contact_fraction: float
    complete: bool
    bridging: bool


def judge_areas(
    outlines_px: NDArray[np.object_],
    pieces_px: NDArray[np.object_],
    homes: NDArray[np.int64],
    mpp: float,
    settings: RegionSettings,
) -> list[Judgement]:
    """Judge portal areas by their contact with the tissue's edge and by their shape.

    Args:
        outlines_px: (K,) smoothed or drawn outlines.
        pieces_px: (N,) outlines of the fragments.
        homes: (K,) index of each area's fragment.
        mpp: µm per pixel.
        settings: reach and greatest share of the contact.
    """
    contact = measure_edge_contact(outlines_px, pieces_px, homes, settings.edge_reach_um / mpp)
    bridging = are_bridging(outlines_px, measure_core_widths(pieces_px)[homes])
    return [
        Judgement(share, share <= settings.max_edge_contact, bridges)
        for share, bridges in zip(contact.tolist(), bridging.tolist(), strict=True)
    ]
