"""What the report is made from: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ReportSlide:
    """What the page needs of one slide.

    Attributes:
        name: the slide's name.
        record: the content of `biopsy.json`; empty when failed.
        overview: the overview picture, or None.
        error: why it failed, or None.
        thumbnails: folder with pictures of tracts, or None.
        edited: the content of `biopsy.json` of outlines corrected by hand, or None.
    """

    name: str
    record: dict[str, Any]
    overview: Path | None
    error: str | None
    thumbnails: Path | None = None
    edited: dict[str, Any] | None = None


@dataclass(frozen=True)
class ReportRun:
    """What the page says of the run.

    Attributes:
        when: date and time.
        version: of Glisson.
        model: name and version.
        trained_on: the model's training data, in words.
        research_use: the sentence on what results are for.
        warnings: sentences on the run, not on one of its slides.
    """

    when: str
    version: str
    model: str
    trained_on: str
    research_use: str
    warnings: tuple[str, ...] = ()


def implausible_warning(record: Mapping[str, Any]) -> str | None:
    """Return why a slide is not plausibly H&E of liver, or None."""
    return record.get("plausibility", {}).get("warning")


def is_synthetic(slide: ReportSlide) -> bool:
    """Whether the slide's file said that it was drawn by a program."""
    return bool(slide.record.get("slide", {}).get("synthetic"))
