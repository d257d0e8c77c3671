"""The artefacts of a slide, their areas and their warnings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import shapely
from shapely import Polygon

from glisson.artefacts.kinds import Kind
from glisson.tissue import TissueMap

FOLDED_WARNING = 0.02
"""Share of the tissue in folds from which to warn: a fold of 100 µm x 1 mm in 5 mm²."""
BLURRED_WARNING = 0.05
"""Share of the tissue out of focus from which to warn: our choice, as no standard has a limit."""
BUBBLE_WARNING = 0.05
"""Share of the tissue under bubbles from which to warn: likewise our choice."""
PEN_WARNING_MM2 = 0.05
"""Area of excluded pen from which to warn: 0.2 mm of the thinnest stroke, 0.3 mm."""
TRACT_SHARE = 0.10
"""Share of a tract on an artefact from which to name the tract: our choice, low on purpose."""


class Handling(StrEnum):
    """Treatment of an artefact's area: excluded from the tissue, or measured with a warning."""

    EXCLUDED = "excluded"
    FLAGGED = "flagged"


@dataclass(frozen=True)
class Artefact:
    """An artefact.

    Attributes:
        kind: its kind.
        outline_l0: polygon in level-0 pixels of the whole file.
        area_um2: its area.
        tissue_um2: its area on measured tissue.
    """

    kind: Kind
    outline_l0: Polygon
    area_um2: float
    tissue_um2: float

    @property
    def handling(self) -> Handling:
        """Return EXCLUDED if no part of it lies on measured tissue."""
        return Handling.FLAGGED if self.tissue_um2 > 0 else Handling.EXCLUDED


@dataclass(frozen=True)
class KindArea:
    """All artefacts of one kind.

    Attributes:
        kind: their kind.
        count: their number.
        on_tissue_mm2: area on measured tissue; flagged.
        off_tissue_mm2: area elsewhere; excluded.
        share_of_tissue: `on_tissue_mm2` over the tissue's area, 0 to 1.
    """

    kind: Kind
    count: int
    on_tissue_mm2: float
    off_tissue_mm2: float
    share_of_tissue: float


@dataclass(frozen=True)
class Artefacts:
    """The artefacts of a slide.

    Attributes:
        items: the artefacts, kind by kind, from the top.
        tissue: the tissue without pen.
        focus_measured: False if the slide's pixels are too large to measure focus.
    """

    items: tuple[Artefact, ...]
    tissue: TissueMap
    focus_measured: bool = True

    def areas(self) -> tuple[KindArea, ...]:
        """Sum the areas of every kind that occurs."""
        areas = []
        for kind in Kind:
            if own := [artefact for artefact in self.items if artefact.kind is kind]:
                on_um2 = math.fsum(artefact.tissue_um2 for artefact in own)
                off_um2 = math.fsum(artefact.area_um2 - artefact.tissue_um2 for artefact in own)
                share = on_um2 / self.tissue.area_um2 if self.tissue.area_um2 else 0.0
                areas.append(KindArea(kind, len(own), on_um2 / 1e6, off_um2 / 1e6, share))
        return tuple(areas)

    def warnings(self) -> tuple[str, ...]:
        """List warnings for the user; empty if the artefacts are small."""
        found = [text for area in self.areas() if (text := _warn(area))]
        if not self.focus_measured and not self.tissue.is_empty:
            found.append("The pixels are too large to tell whether the tissue is in focus.")
        return tuple(found)

    def kinds_on(self, polygon_l0: Polygon) -> tuple[str, ...]:
        """List the kinds of flagged artefacts that cover at least a tenth of a polygon."""
        flagged, tree = self._flagged
        shares = dict.fromkeys(Kind, 0.0)
        for artefact in (flagged[place] for place in tree.query(polygon_l0)):
            covered = shapely.intersection(artefact.outline_l0, polygon_l0).area
            shares[artefact.kind] += covered / polygon_l0.area
        return tuple(kind.value for kind, share in shares.items() if share >= TRACT_SHARE)

    @cached_property
    def _flagged(self) -> tuple[list[Artefact], shapely.STRtree]:
        """Return the flagged artefacts and a search tree, as many tracts query them."""
        flagged = [artefact for artefact in self.items if artefact.handling is Handling.FLAGGED]
        return flagged, shapely.STRtree([artefact.outline_l0 for artefact in flagged])


def _warn(area: KindArea) -> str | None:
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
