"""Find fragments of tissue and whole portal tracts in a class map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from glisson.frames import BoxPx, Frame
from glisson.regions.clean import clean_labels
from glisson.regions.counting import decide_counts
from glisson.regions.decision import (
    Probabilities,
    are_certain,
    are_near_limit,
    portal_area_range_um2,
)
from glisson.regions.judge import Judgement, judge_areas
from glisson.regions.label_map import LabelMap
from glisson.regions.outline import smooth_outlines
from glisson.regions.reading import read_labels, read_probabilities
from glisson.regions.settings import RegionSettings
from glisson.regions.trace import trace_spans
from glisson.regions.tracts import (
    Candidate,
    Fragment,
    PortalArea,
    Regions,
    Tract,
    explain_uncountable,
)

Polygons = NDArray[np.object_]
Kind = TypeVar("Kind", bound=PortalArea)


def find_regions(label_map: LabelMap, settings: RegionSettings | None = None) -> Regions:
    """Trace fragments, tracts and candidates on the whole map."""
    settings = settings or RegionSettings()
    fragments: list[Fragment] = []
    tracts: list[Tract] = []
    candidates: list[Candidate] = []
    low_um2 = high_um2 = 0.0
    mpp = label_map.frame.mpp
    for box_px in sorted(label_map.boxes(), key=lambda box: (box.y_px, box.x_px)):
        box = _Box.of(label_map, box_px, settings)
        certain = are_certain(box.probabilities, mpp, settings)
        tracts += box.describe_areas(Tract, certain, len(fragments), len(tracts))
        candidates += box.describe_areas(Candidate, ~certain, len(fragments), len(candidates))
        fragments += box.describe_fragments(len(fragments))
        low, high = portal_area_range_um2(box.probabilities, mpp, settings)
        low_um2, high_um2 = low_um2 + low, high_um2 + high
    reason = explain_uncountable(tracts)
    return Regions(
        label_map.frame,
        tuple(fragments),
        decide_counts(tracts, label_map.frame.pixel_size, settings),
        reason is None,
        reason,
        tuple(candidates),
        (low_um2, high_um2),
    )


@dataclass(frozen=True)
class _Box:
    """Fragments and portal areas in one box of the map.

    Attributes:
        frame: the map's grid.
        pieces_px: (N,) exact fragments.
        outlines_px: (N,) their smoothed outlines.
        areas_px: (K,) exact portal areas.
        smooth_px: (K,) their smoothed outlines.
        homes: (K,) index of each area's fragment.
        judgements: K of them.
        near_limit: (K,) which areas lie near the model's limit of tracts.
        probabilities: (P,) portal probabilities of every area's pixels.
    """

    frame: Frame
    pieces_px: Polygons
    outlines_px: Polygons
    areas_px: Polygons
    smooth_px: Polygons
    homes: NDArray[np.int64]
    judgements: list[Judgement]
    probabilities: list[Probabilities]
    near_limit: NDArray[np.bool_]

    @classmethod
    def of(cls, label_map: LabelMap, box: BoxPx, settings: RegionSettings) -> _Box:
        frame, origin_px = label_map.frame, (box.x_px, box.y_px)
        labels = clean_labels(read_labels(label_map, box), frame.mpp, settings)
        pieces = trace_spans(labels.tissue, labels.grid, origin_px)
        areas = trace_spans(labels.portal, labels.grid, origin_px)
        _, first = np.unique(areas.region, return_index=True)
        homes = pieces.region[labels.tissue.index_of(labels.portal.start[first])]
        outlines, smooth = smooth_outlines(pieces.polygons), smooth_outlines(areas.polygons)
        probabilities = read_probabilities(label_map, box, labels.portal, areas.region)
        return cls(
            frame,
            pieces.polygons,
            outlines,
            areas.polygons,
            smooth,
            homes,
            judge_areas(smooth, outlines, homes, frame.mpp, settings),
            probabilities,
            are_near_limit(probabilities, frame.mpp, settings),
        )

    def describe_fragments(self, before: int) -> list[Fragment]:
        """Describe the fragments; `before` fragments of other boxes have lower numbers."""
        pieces_l0, outlines_l0 = self._to_l0(self.pieces_px), self._to_l0(self.outlines_px)
        return [
            Fragment(number, piece, outline)
            for number, (piece, outline) in enumerate(
                zip(pieces_l0, outlines_l0, strict=True), before + 1
            )
        ]

    def describe_areas(
        self, kind: type[Kind], chosen: NDArray[np.bool_], fragments: int, before: int
    ) -> list[Kind]:
        """Describe the chosen portal areas as tracts or candidates.

        Args:
            kind: `Tract` or `Candidate`.
            chosen: (K,) which areas.
            fragments: number of fragments in earlier boxes.
            before: number of areas of this kind in earlier boxes.
        """
        own = np.flatnonzero(chosen).tolist()
        areas_l0, outlines_l0 = self._to_l0(self.areas_px[own]), self._to_l0(self.smooth_px[own])
        return [
            kind(
                number=before + k + 1,
                fragment_number=fragments + int(self.homes[index]) + 1,
                polygon_l0=areas_l0[k],
                outline_l0=outlines_l0[k],
                edge_contact_fraction=self.judgements[index].edge_contact_fraction,
                complete=self.judgements[index].complete,
                bridging=self.judgements[index].bridging,
                probability=float(self.probabilities[index].mean()),
                near_limit=bool(self.near_limit[index]),
            )
            for k, index in enumerate(own)
        ]

    def _to_l0(self, polygons_px: Polygons) -> list[Polygon]:
        moved: list[Polygon] = shapely.transform(polygons_px, self.frame.l0_from_px).tolist()
        return moved
