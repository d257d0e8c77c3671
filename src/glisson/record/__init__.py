"""The records of a slide and of a run: types that write and read `biopsy.json` and `run.json`."""

from __future__ import annotations

from glisson.record.biopsy import (
    ArtefactAreaRecord,
    ArtefactsRecord,
    BiopsyRecord,
    CandidateRecord,
    CandidatesRecord,
    EditedRecord,
    ModelResultRecord,
    PlausibilityRecord,
    SlideRecord,
    TractRecord,
)
from glisson.record.parts import ModelRecord, SettingsRecord
from glisson.record.run import RunRecord, RunSlideRecord

__all__ = [
    "ArtefactAreaRecord",
    "ArtefactsRecord",
    "BiopsyRecord",
    "CandidateRecord",
    "CandidatesRecord",
    "EditedRecord",
    "ModelRecord",
    "ModelResultRecord",
    "PlausibilityRecord",
    "RunRecord",
    "RunSlideRecord",
    "SettingsRecord",
    "SlideRecord",
    "TractRecord",
]
