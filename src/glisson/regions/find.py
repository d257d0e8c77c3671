"""From a class map to fragments of tissue and whole portal tracts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from glisson.frames import BoxPx, Frame
from glisson.regions.bridging import are_bridging, core_widths
from glisson.regions.clean import Labels, cleaned
from glisson.regions.contact import edge_contact
from glisson.regions.counting import with_counts
from glisson.regions.decision import are_certain, portal_area_range_um2
from glisson.regions.label_map import LabelMap
from glisson.regions.outline import smooth_outlines
from glisson.regions.reading import read_labels, tract_probabilities
from glisson.regions.settings import RegionSettings
from glisson.regions.spans import Integers
from glisson.regions.trace import Traced, traced
from glisson.regions.tracts import (
    Candidate,
    Fragment,
    PortalArea,
    Regions,
    Tract,
    not_countable_reason,
)

Polygons = NDArray[np.object_]
Kind = TypeVar("Kind", bound=PortalArea)


def find_regions(label_map: LabelMap, settings: RegionSettings | None = None) -> Regions:
    """Trace fragments, tracts and candidates on the whole map."""
    settings = settings or RegionSettings()
    fragments: list[Fragment] = []
    tracts: list[Tract] = []
    candidates: list[Candidate] = []
    range_um2 = np.zeros(2)
    for box in sorted(label_map.boxes(), key=lambda b: (b.y_px, b.x_px)):
        found = _Box.of(label_map, box, settings)
        certain = are_certain(found.probabilities, label_map.frame.mpp, settings)
        tracts += found.described(Tract, certain, len(fragments), len(tracts))
        candidates += found.described(Candidate, ~certain, len(fragments), len(candidates))
        fragments += found.fragments(len(fragments))
        range_um2 += portal_area_range_um2(found.probabilities, label_map.frame.mpp, settings)
    reason = not_countable_reason(tracts)
    return Regions(
        label_map.frame,
        tuple(fragments),
        with_counts(tracts, label_map.frame.pixel_size, settings),
        reason is None,
        reason,
        tuple(candidates),
        (float(range_um2[0]), float(range_um2[1])),
    )


@dataclass(frozen=True)
class _Box:
    """What lies in one box of the map.

    Attributes:
        labels: its classes, cleaned.
        frame: the map's grid.
        settings: what counts as complete.
        pieces: fragments.
        outlines: of the fragments, smoothed.
        tracts: portal areas.
        probabilities: of portal, of the pixels of each.
    """

    labels: Labels
    frame: Frame
    settings: RegionSettings
    pieces: Traced
    outlines: Polygons
    tracts: Traced
    probabilities: list[NDArray[np.float32]]

    @classmethod
    def of(cls, label_map: LabelMap, box: BoxPx, settings: RegionSettings) -> _Box:
        frame, origin_px = label_map.frame, (box.x_px, box.y_px)
        labels = cleaned(read_labels(label_map, box), frame.mpp, settings)
        pieces = traced(labels.tissue, labels.grid, origin_px)
        outlines = smooth_outlines(pieces.polygons)
        tracts = traced(labels.portal, labels.grid, origin_px)
        probabilities = tract_probabilities(label_map, box, labels.portal, tracts.region)
        return cls(labels, frame, settings, pieces, outlines, tracts, probabilities)

    def fragments(self, before: int) -> list[Fragment]:
        """The fragments, numbered after the ones before."""
        exact = _in_l0(self.pieces.polygons, self.frame)
        each = zip(exact, _in_l0(self.outlines, self.frame), strict=True)
        return [
            Fragment(k, polygon, outline) for k, (polygon, outline) in enumerate(each, before + 1)
        ]

    def described(
        self, kind: type[Kind], chosen: NDArray[np.bool_], fragments: int, before: int
    ) -> list[Kind]:
        """Describe the chosen portal areas as tracts or candidates.

        Args:
            kind: `Tract` or `Candidate`.
            chosen: (K,) which areas.
            fragments: in other boxes, whose numbers come first.
            before: areas of this kind in other boxes, likewise.
        """
        rows = compress(self._rows, chosen)
        return [
            kind(k, home + fragments + 1, *row) for k, (home, *row) in enumerate(rows, before + 1)
        ]

    @cached_property
    def _rows(self) -> list[tuple[Any, ...]]:
        """Home and description of each portal area, as `PortalArea` has them."""
        exact, home = self.tracts.polygons, self._homes()
        smooth = smooth_outlines(exact)
        reach_px = self.settings.edge_reach_um / self.frame.mpp
        contact = edge_contact(smooth, self.outlines, home, reach_px)
        bridging = are_bridging(smooth, core_widths(self.outlines)[home])
        columns = (
            home.tolist(),
            _in_l0(exact, self.frame),
            _in_l0(smooth, self.frame),
            contact.tolist(),
            (contact <= self.settings.max_edge_contact).tolist(),
            bridging.tolist(),
            [float(values.mean()) for values in self.probabilities],
        )
        return list(zip(*columns, strict=True))

    def _homes(self) -> Integers:
        """(K,) the piece of tissue that each tract lies in."""
        _, first = np.unique(self.tracts.region, return_index=True)
        inside = self.labels.tissue.index_of(self.labels.portal.start[first])
        return self.pieces.region[inside]


def _in_l0(polygons_px: Polygons, frame: Frame) -> list[Polygon]:
    moved: list[Polygon] = shapely.transform(polygons_px, frame.l0_from_px).tolist()
    return moved
