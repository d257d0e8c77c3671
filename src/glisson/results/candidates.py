"""Candidates in the record of a slide: portal areas that wait for a person's decision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from glisson.classes import CANDIDATE_QUPATH_NAME, PORTAL
from glisson.measurement import CandidateMeasurements
from glisson.model import ModelBundle
from glisson.record import CandidateRecord, CandidatesRecord


def candidate_record(
    candidates: Sequence[CandidateMeasurements],
    bundle: ModelBundle | None = None,
    on_artefact: Mapping[int, tuple[str, ...]] | None = None,
) -> CandidatesRecord:
    """Build the block `candidates`: count, area in mm² and every candidate.

    Args:
        candidates: measured.
        bundle: the model whose limits they are below; None for corrected outlines.
        on_artefact: kinds of artefacts by the candidate's number; None likewise.
    """
    limits: dict[str, float] = {}
    if bundle is not None:
        evidence = bundle.spec.tract_evidence
        limits = {
            "min_tract_probability": bundle.spec.min_tract_probability,
            "min_sure_area_um2": evidence.min_sure_area_um2,
            "sure_probability": evidence.sure_probability,
        }
    return CandidatesRecord(
        count=len(candidates),
        area_mm2=math.fsum(each.area_um2 for each in candidates) / 1e6,
        areas=tuple(CandidateRecord.of(each, on_artefact) for each in candidates),
        **limits,
    )


def candidate_warnings(candidates: Sequence[CandidateMeasurements]) -> list[str]:
    """Say how many candidates a correction left open; nothing where it left none."""
    if not candidates:
        return []
    return [
        f"{count_in_words(candidate_record(candidates))} ({CANDIDATE_QUPATH_NAME}) left out: in no "
        f"count, area or percentage. In QuPath, give a true one the class '{PORTAL.qupath_name}' "
        "and delete the others."
    ]


def count_in_words(block: CandidatesRecord) -> str:
    """Name the number of candidates and their area."""
    return f"{block.count} candidate{'' if block.count == 1 else 's'}, {block.area_mm2:.3f} mm²,"
