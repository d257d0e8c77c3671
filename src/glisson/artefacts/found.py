"""The artefacts of a slide, their areas, and what to tell about them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import shapely
from shapely import Polygon

from glisson.artefacts.kinds import Kind
from glisson.tissue import TissueMap

FOLDED_WARNING = 0.02
"""Share of the tissue in folds that is worth a sentence: one fold of 100 µm x 1 mm in 5 mm²."""
BLURRED_WARNING = 0.05
"""Share of the tissue out of focus that is worth a sentence: ours, no standard names one."""
BUBBLE_WARNING = 0.05
"""Share of the tissue under bubbles that is worth a sentence: likewise ours."""
PEN_WARNING_MM2 = 0.05
"""Pen that is said to be left out, from this area on: 0.2 mm of the thinnest stroke, 0.3 mm."""
TRACT_SHARE = 0.10
"""Share of a tract on an artefact for the tract to be named: ours; low, as it costs one look."""


class Handling(StrEnum):
    """What became of an artefact's area: not tissue at all, or measured with a warning."""

    EXCLUDED = "excluded"
    FLAGGED = "flagged"


@dataclass(frozen=True)
class Artefact:
    """One artefact.

    Attributes:
        kind: what it is.
        outline_l0: polygon in level-0 pixels of the whole file.
        area_um2: its area.
        tissue_um2: the part of it that lies on tissue that is measured.
    """

    kind: Kind
    outline_l0: Polygon
    area_um2: float
    tissue_um2: float

    @property
    def handling(self) -> Handling:
        """Excluded where none of it is measured."""
        return Handling.FLAGGED if self.tissue_um2 > 0 else Handling.EXCLUDED


@dataclass(frozen=True)
class KindArea:
    """All artefacts of one kind.

    Attributes:
        kind: what they are.
        count: how many.
        on_tissue_mm2: area on tissue that is measured; flagged.
        off_tissue_mm2: area elsewhere; excluded.
        share_of_tissue: the former over the tissue's area, 0 to 1.
    """

    kind: Kind
    count: int
    on_tissue_mm2: float
    off_tissue_mm2: float
    share_of_tissue: float


@dataclass(frozen=True)
class Artefacts:
    """What was found on a slide.

    Attributes:
        each: the artefacts, kind by kind, from the top.
        tissue: the tissue, with pen that was found on it left out.
        focus_measured: False where the slide's pixels are too large to tell.
    """

    each: tuple[Artefact, ...]
    tissue: TissueMap
    focus_measured: bool = True

    def areas(self) -> tuple[KindArea, ...]:
        """Areas of the kinds that were found."""
        return tuple(self._of_kind(kind) for kind in Kind if any(self._only(kind)))

    def _only(self, kind: Kind) -> Iterator[Artefact]:
        return (artefact for artefact in self.each if artefact.kind is kind)

    def _of_kind(self, kind: Kind) -> KindArea:
        found = list(self._only(kind))
        on_um2 = math.fsum(artefact.tissue_um2 for artefact in found)
        off_um2 = math.fsum(artefact.area_um2 - artefact.tissue_um2 for artefact in found)
        share = on_um2 / self.tissue.area_um2 if self.tissue.area_um2 else 0.0
        return KindArea(kind, len(found), on_um2 / 1e6, off_um2 / 1e6, share)

    def warnings(self) -> tuple[str, ...]:
        """Sentences for the user; none where little of the tissue is touched."""
        found = [text for area in self.areas() if (text := _sentence(area))]
        if not self.focus_measured and not self.tissue.is_empty:
            found.append("The pixels are too large to tell whether the tissue is in focus.")
        return tuple(found)

    def kinds_on(self, polygon_l0: Polygon) -> tuple[str, ...]:
        """Kinds of flagged artefacts that cover at least a tenth of a polygon."""
        flagged, tree = self._flagged
        shares = dict.fromkeys(Kind, 0.0)
        for artefact in (flagged[place] for place in tree.query(polygon_l0)):
            covered = shapely.intersection(artefact.outline_l0, polygon_l0).area
            shares[artefact.kind] += covered / polygon_l0.area
        return tuple(kind.value for kind, share in shares.items() if share >= TRACT_SHARE)

    @cached_property
    def _flagged(self) -> tuple[list[Artefact], shapely.STRtree]:
        """Flagged artefacts, and where they are: tracts times artefacts is a large number."""
        flagged = [artefact for artefact in self.each if artefact.handling is Handling.FLAGGED]
        return flagged, shapely.STRtree([artefact.outline_l0 for artefact in flagged])


def _sentence(area: KindArea) -> str | None:
    share = area.share_of_tissue
    percent = f"{100 * share:.0f} %"
    if area.kind is Kind.DEFOCUS and share >= BLURRED_WARNING:
        return f"{percent} of the tissue is out of focus: counts there need a look."
    if area.kind is Kind.FOLD and share >= FOLDED_WARNING:
        return f"{percent} of the tissue is folded: outlines there need a look."
    if area.kind is Kind.BUBBLE and share >= BUBBLE_WARNING:
        return f"{percent} of the tissue lies under air bubbles: outlines there need a look."
    if area.kind is Kind.PEN and area.off_tissue_mm2 >= PEN_WARNING_MM2:
        return (
            f"{area.off_tissue_mm2:.2g} mm² of pen marks were left out, with any tissue under them."
        )
    return None
