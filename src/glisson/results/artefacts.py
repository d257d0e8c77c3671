"""Artefacts in the record of a slide."""

from __future__ import annotations

from collections.abc import Iterable

from glisson.artefacts import Artefacts
from glisson.record import ArtefactAreaRecord, ArtefactsRecord
from glisson.regions import PortalArea, Tract

_MOST_NAMED = 20


def artefact_record(artefacts: Artefacts) -> ArtefactsRecord:
    """List count and areas by kind, and whether focus could be measured."""
    return ArtefactsRecord(
        focus_measured=artefacts.focus_measured,
        artefact_area_mm2={
            area.kind.value: ArtefactAreaRecord(
                count=area.count,
                on_tissue_mm2=area.on_tissue_mm2,
                off_tissue_mm2=max(0.0, area.off_tissue_mm2),
                on_tissue_percent=100 * area.share_of_tissue,
            )
            for area in artefacts.areas()
        },
    )


def artefacts_on(areas: Iterable[PortalArea], artefacts: Artefacts) -> dict[int, tuple[str, ...]]:
    """Return the kinds of artefacts on every portal area, by its number."""
    return {area.number: tuple(artefacts.kinds_on(area.polygon_l0)) for area in areas}


def artefact_warnings(drawn: Iterable[Tract], artefacts: Artefacts) -> list[str]:
    """Describe the artefacts on tissue, and name the tracts that lie on artefacts."""
    found = list(artefacts.warnings())
    touched = [str(tract.number) for tract in drawn if artefacts.kinds_on(tract.polygon_l0)]
    if touched:
        numbers = ", ".join(touched[:_MOST_NAMED]) + (" ..." if len(touched) > _MOST_NAMED else "")
        lie = "Tract {} lies" if len(touched) == 1 else "Tracts {} lie"
        found.append(f"{lie.format(numbers)} on an artefact.")
    return found
