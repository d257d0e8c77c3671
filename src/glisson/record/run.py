"""The record of a run: the content of `run.json`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, PlainSerializer, PositiveInt

from glisson.record.parts import ModelRecord, Part, Record, SettingsRecord


def _reject_elsewhere(name: str) -> str:
    if name in (".", ".."):
        raise ValueError("leads elsewhere")
    return name


FolderName = Annotated[str, Field(pattern=r"^[^/\\\x00]+$"), AfterValidator(_reject_elsewhere)]
"""A slide's name: that of a folder beside the file, not elsewhere."""
Time = Annotated[datetime, PlainSerializer(lambda time: time.isoformat(timespec="seconds"))]


class ShardRecord(Part):
    """Which part of a run, and of what.

    Attributes:
        number: from 1.
        count: of parts.
        run_slides_total: slides of the whole run; absent in files of earlier versions.
        run_slides_sha256: of the list of their names; likewise.
    """

    number: PositiveInt
    count: Annotated[int, Field(ge=1, le=999_999)]
    run_slides_total: Annotated[int, Field(ge=1, le=999_999_999)] | None = None
    run_slides_sha256: str | None = None


class RunSlideRecord(Part):
    """A slide of the run.

    Attributes:
        name: of its folder.
        file: name of the slide's file, or its pseudonym.
        number: its place in the whole run, from 1.
        outcome: `done`, `kept` (done earlier) or `failed`.
        because: why a slide that had results was done again.
        error: why it failed.
        patient: as the list of slides says.
        institution: as the list of slides says.
        warnings: sentences for the user.
        path: where the slide lies; in the parts of a run alone, and null with a pseudonym.
    """

    name: FolderName
    file: str = ""
    number: PositiveInt = 1
    outcome: Literal["done", "kept", "failed"] = "done"
    because: str | None = None
    error: str | None
    patient: str | None = None
    institution: str | None = None
    warnings: tuple[str, ...] = ()
    path: str | None = None


class RunRecord(Record):
    """The content of `run.json`.

    Attributes:
        format_version: of the file.
        status: `finished` or `interrupted`.
        started: date and time.
        ended: date and time.
        shard: which part of a run; null for all of it.
        model: the model.
        runtimes: what ran it.
        settings: those that decide the results.
        pseudonyms: whether pseudonyms stand for the slides' names.
        warnings: sentences on the run, not on one of its slides.
        tables_of_this_run: whether tables and report beside the file are of this run.
        versions: of Glisson and of what decides its numbers.
        slides_total: slides asked for.
        slides: every slide that was worked on.
    """

    FILE: ClassVar[str] = "run.json"
    REPAIR: ClassVar[str] = "Run the same command again."

    status: Literal["finished", "interrupted"] = "finished"
    started: Time
    ended: Time | None = None
    shard: ShardRecord | None = None
    model: ModelRecord
    runtimes: tuple[str, ...] = ()
    settings: SettingsRecord | None = None
    pseudonyms: bool = False
    warnings: tuple[str, ...] = ()
    tables_of_this_run: bool = True
    versions: dict[str, str] = Field(default_factory=dict)
    slides_total: NonNegativeInt = 0
    slides: tuple[RunSlideRecord, ...]
