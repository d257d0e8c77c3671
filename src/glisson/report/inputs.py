"""The input of the report: records of slides, and facts of the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glisson.record import BiopsyRecord


@dataclass(frozen=True)
class ReportSlide:
    """A slide of the page.

    Attributes:
        name: the slide's name.
        record: the content of `biopsy.json`; None when failed.
        overview: the overview picture, or None.
        error: why it failed, or None.
        thumbnails: folder with pictures of tracts, or None.
        edited: the content of `biopsy.json` of outlines corrected by hand, or None.
    """

    name: str
    record: BiopsyRecord | None
    overview: Path | None
    error: str | None
    thumbnails: Path | None = None
    edited: BiopsyRecord | None = None

    @property
    def result(self) -> BiopsyRecord | None:
        """The record, unless the slide failed."""
        return self.record if self.error is None else None

    @property
    def is_synthetic(self) -> bool:
        """Return whether a program drew the slide."""
        return self.record is not None and self.record.slide.synthetic


@dataclass(frozen=True)
class ReportRun:
    """The run, as the page names it.

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
