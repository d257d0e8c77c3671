"""The record of a run: the content of `run.json`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, JsonValue, NonNegativeInt, PlainSerializer, PositiveInt

from glisson.record.parts import ModelRecord, Part, Record


def _reject_elsewhere(name: str) -> str:
    if name in (".", ".."):
        raise ValueError("leads elsewhere")
    return name


FolderName = Annotated[str, Field(pattern=r"^[^/\\\x00]+$"), AfterValidator(_reject_elsewhere)]
"""A slide's name: that of a folder beside the file, not elsewhere."""
Time = Annotated[datetime, PlainSerializer(lambda time: time.isoformat(timespec="seconds"))]


class RunSlideRecord(Part):
    """A slide of the run.

    Attributes:
        name: of its folder.
        file: name of the slide's file, or its pseudonym.
        number: its place in the whole run, from 1.
        outcome: `done`, `failed`, or `waiting` where no run has reached it.
        because: why a slide that had results was done again.
        error: why it failed.
        patient: as the list of slides says.
        institution: as the list of slides says.
        settings: digits that differ where settings, model or version do; null without a result.
        warnings: sentences for the user.
    """

    name: FolderName
    file: str = ""
    number: PositiveInt = 1
    outcome: Literal["done", "kept", "failed", "waiting"] = "done"
    because: str | None = None
    error: str | None
    patient: str | None = None
    institution: str | None = None
    settings: str | None = None
    warnings: tuple[str, ...] = ()


class RunRecord(Record):
    """The content of `run.json`.

    Attributes:
        format_version: of the file.
        status: `finished` or `interrupted`.
        started: of the first slide; null where no slide is done.
        ended: of the last slide.
        model: that of most slides; null without a result.
        runtimes: what ran it.
        settings: those that decide the results; null where slides differ.
        pseudonyms: whether pseudonyms stand for the slides' names.
        warnings: sentences on the run, not on one of its slides.
        versions: of Glisson and of what decides its numbers.
        slides_total: slides of the folder.
        slides: every slide of the folder.
    """

    FILE: ClassVar[str] = "run.json"
    REPAIR: ClassVar[str] = "Run the same command again."

    status: Literal["finished", "interrupted"] = "finished"
    started: Time | None
    ended: Time | None = None
    model: ModelRecord | None
    runtimes: tuple[str, ...] = ()
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    pseudonyms: bool = False
    warnings: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    slides_total: NonNegativeInt = 0
    slides: tuple[RunSlideRecord, ...]
