"""What `biopsy.json` says of artefacts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from glisson.artefacts import Artefacts
from glisson.regions import PortalArea, Tract

_MOST_NAMED = 20


def artefact_record(artefacts: Artefacts) -> dict[str, Any]:
    """Count and areas by kind, and whether focus could be measured."""
    return {
        "focus_measured": artefacts.focus_measured,
        "artefact_area_mm2": {
            area.kind.value: {
                "count": area.count,
                "on_tissue_mm2": area.on_tissue_mm2,
                "off_tissue_mm2": area.off_tissue_mm2,
                "on_tissue_percent": 100 * area.share_of_tissue,
            }
            for area in artefacts.areas()
        },
    }


def with_artefacts(
    records: list[dict[str, Any]], areas: Iterable[PortalArea], artefacts: Artefacts
) -> list[dict[str, Any]]:
    """Add to the records of portal areas the kinds of artefacts on them, as `on_artefact`."""
    on = {area.number: list(artefacts.kinds_on(area.polygon_l0)) for area in areas}
    return [record | {"on_artefact": on.get(record["number"], [])} for record in records]


def artefact_warnings(drawn: Iterable[Tract], artefacts: Artefacts) -> list[str]:
    """Sentences on the tissue, and one that names the tracts to look at."""
    found = list(artefacts.warnings())
    touched = [str(tract.number) for tract in drawn if artefacts.kinds_on(tract.polygon_l0)]
    if touched:
        numbers = ", ".join(touched[:_MOST_NAMED]) + (" ..." if len(touched) > _MOST_NAMED else "")
        lie = "Tract {} lies" if len(touched) == 1 else "Tracts {} lie"
        found.append(f"{lie.format(numbers)} on an artefact.")
    return found
