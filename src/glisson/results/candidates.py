"""What `biopsy.json` says of candidates: portal areas that nobody has decided on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from glisson.classes import CANDIDATE_QUPATH_NAME, PORTAL
from glisson.measurement import CandidateMeasurements


def candidate_record(candidates: Sequence[CandidateMeasurements]) -> dict[str, Any]:
    """Build the block `candidates`: count, area in mm² and every candidate."""
    return {
        "count": len(candidates),
        "area_mm2": math.fsum(each.area_um2 for each in candidates) / 1e6,
        "areas": [asdict(each) for each in candidates],
    }


def candidate_warnings(candidates: Sequence[CandidateMeasurements]) -> list[str]:
    """Say how many candidates a correction left open; nothing where it left none."""
    if not candidates:
        return []
    return [
        f"{count_in_words(candidate_record(candidates))} ({CANDIDATE_QUPATH_NAME}) left out: in no "
        f"count, area or percentage. In QuPath, give a true one the class '{PORTAL.qupath_name}' "
        "and delete the others."
    ]


def count_in_words(block: dict[str, Any]) -> str:
    """Name the number of candidates and their area, from the block `candidates`."""
    count = block["count"]
    return f"{count} candidate{'' if count == 1 else 's'}, {block['area_mm2']:.3f} mm²,"
