"""The run's report: written at its end, and anew when outlines were corrected."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from glisson.record import BiopsyRecord
from glisson.report import ReportRun, ReportSlide, write_report
from glisson.results.folder import OVERVIEW, THUMBNAILS, read_json, read_manifest
from glisson.results.reading import edited_records
from glisson.results.record import RESEARCH_USE
from glisson.results.remote import RUN
from glisson.results.shard import FolderName, RunModel
from glisson.version import __version__

logger = logging.getLogger(__name__)

REPORT = "report.html"


class _Entry(BaseModel):
    """A slide of the run."""

    name: FolderName
    error: str | None


class _Run(BaseModel):
    """What is used of a `run.json`, which somebody may have changed or sent."""

    started: datetime
    model: RunModel
    slides: list[_Entry]
    tables_of_this_run: bool = True


def write_run_report(
    out: Path,
    started: datetime,
    model: RunModel,
    slides: Iterable[tuple[str, BiopsyRecord | None, str | None]],
) -> None:
    """Write `report.html` of slides given as name, record (None when failed) and error.

    Raises:
        OutputError: it cannot be written.
    """
    run = ReportRun(
        when=started.strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        model=f"{model.name} {model.version}",
        trained_on=model.trained_on,
        research_use=RESEARCH_USE,
    )
    corrected = dict(edited_records(out))
    shown = [
        _slide(out / name, record, error, corrected.get(name)) for name, record, error in slides
    ]
    write_report(out / REPORT, run, shown)


def write_run_report_again(out: Path) -> Path | None:
    """Write `report.html` anew from what lies in `out`; None where it does not describe a run.

    Raises:
        OutputError: it cannot be written.
    """
    if not (out / RUN).is_file():  # a folder of one slide that was sent, or of shards not gathered
        return None
    try:
        run = _Run.model_validate(read_json(out / RUN))
        slides = [(each.name, _stored_record(out, each), each.error) for each in run.slides]
    except (OSError, ValueError) as error:
        logger.warning("%s stays as it is, for %s cannot be used: %s", REPORT, out / RUN, error)
        return None
    if not run.tables_of_this_run:
        logger.warning(
            "%s stays as it is: it is of the run before the one that was interrupted. Go on with "
            "that by the same command, then measure again.", out / REPORT,
        )  # fmt: skip
        return None
    write_run_report(out, run.started, run.model, slides)
    return out / REPORT


def _stored_record(out: Path, entry: _Entry) -> BiopsyRecord | None:
    folder = out / entry.name
    if entry.error is not None or read_manifest(folder) is None:
        return None
    return BiopsyRecord.read(folder)


def _slide(
    folder: Path, record: BiopsyRecord | None, error: str | None, corrected: BiopsyRecord | None
) -> ReportSlide:
    return ReportSlide(
        folder.name,
        record,
        folder / OVERVIEW if record else None,
        error,
        folder / THUMBNAILS if record else None,
        _of_this_result(corrected, record),
    )


def _of_this_result(
    corrected: BiopsyRecord | None, record: BiopsyRecord | None
) -> BiopsyRecord | None:
    """Return corrected numbers, unless they were made from another result of the model."""
    if corrected is None or record is None or corrected.model_result is None:
        return None
    is_same = corrected.model_result.settings_hash == record.settings_hash
    return corrected if is_same else None
