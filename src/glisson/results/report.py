"""The report of a results folder, made from its slides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from glisson.record import BiopsyRecord
from glisson.report import ReportRun, ReportSlide, write_report
from glisson.results.folder import OVERVIEW, THUMBNAILS
from glisson.results.reading import read_edited_records
from glisson.results.record import RESEARCH_USE
from glisson.results.remote import RUN
from glisson.results.state import SlideState, list_warnings, read_states
from glisson.version import __version__

REPORT = "report.html"


def write_run_report(out: Path, states: Sequence[SlideState]) -> None:
    """Write `report.html` of the slides in a results folder.

    Raises:
        OutputError: the page cannot be written.
    """
    models = [each.record.model for each in states if each.record]
    ends = [each.ended for each in states if each.ended and each.record is not None]
    when = max(ends, default=datetime.now(UTC))  # a failure that is repeated changes no page
    run = ReportRun(
        when=when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        model=_join_once([model.title for model in models]),
        trained_on=_join_once([model.trained_on for model in models]),
        research_use=RESEARCH_USE,
        warnings=list_warnings(states),
    )
    corrected = dict(read_edited_records(out))
    write_report(
        out / REPORT, run, [_make_report_slide(each, corrected.get(each.name)) for each in states]
    )


def _join_once(texts: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, texts)))


def rewrite_run_report(out: Path) -> Path | None:
    """Write `report.html` again where a run wrote it; return its path, or None elsewhere.

    A folder of one slide that was sent, and shards that `gather` has not joined, have no report.

    Raises:
        OutputError: the page cannot be written.
    """
    if not (out / RUN).is_file():
        return None
    write_run_report(out, read_states(out))
    return out / REPORT


def _make_report_slide(state: SlideState, corrected: BiopsyRecord | None) -> ReportSlide:
    """Collect a slide's part of the report; leave out corrections of another result."""
    folder, has_result = state.folder, state.record is not None
    source = None if corrected is None else corrected.model_result
    is_of_this_result = (
        source is not None
        and state.record is not None
        and source.settings_hash == state.record.settings_hash
    )
    return ReportSlide(
        state.name,
        state.record,
        folder / OVERVIEW if has_result else None,
        state.error,
        folder / THUMBNAILS if has_result else None,
        corrected if is_of_this_result else None,
    )
