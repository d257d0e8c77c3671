"""Tables, report, QuPath project, `failures.csv` and `run.json`, made from a results folder.

All of them follow from the slides' own folders. A run and `gather` make them by the same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from glisson.exchange import write_qupath_project, write_tables
from glisson.files.atomic import remove_abandoned
from glisson.files.csv_tables import write_rows
from glisson.record import RunRecord, RunSlideRecord
from glisson.results.folder import TRACTS
from glisson.results.identity import list_versions
from glisson.results.remote import FAILURES
from glisson.results.report import write_run_report
from glisson.results.state import (
    SlideState,
    find_common_method,
    hash_method,
    list_warnings,
)
from glisson.slides import SlideInfo
from glisson.storage import Place, parse_place


def write_summary(out: Path, states: Sequence[SlideState]) -> None:
    """Write all that is made from the slides of a results folder, `run.json` last.

    Args:
        out: the results folder.
        states: what `read_states` found in it.

    Raises:
        OutputError: a file cannot be written.
    """
    remove_abandoned(*(each.folder for each in states))
    done = [each for each in states if each.record]
    ids = {each.name: hash_method(each.method) for each in done}
    write_tables(
        out,
        [(each.name, each.record) for each in done if each.record],
        cases={each.name: (each.request.patient, each.request.institution) for each in done},
        settings=ids if len(set(ids.values())) > 1 else None,
    )
    failed = [each for each in states if not each.record]
    if failed:
        rows = ({"slide": s.name, "file": s.request.file, "error": s.error} for s in failed)
        write_rows(out / FAILURES, ("slide", "file", "error"), rows)
    else:
        (out / FAILURES).unlink(missing_ok=True)
    write_run_report(out, states)
    if not is_pseudonymous(states):
        slides = [
            (
                _locate(each.record.as_slide(), parse_place(each.request.path)),
                each.folder / TRACTS,
            )
            for each in done
            if each.record is not None and each.request.path is not None
        ]
        write_qupath_project(out / "qupath", slides)
    _run_record(states, ids).write(out)


def is_pseudonymous(states: Sequence[SlideState]) -> bool:
    """Return whether a folder holds pseudonyms: a QuPath project would then reveal the slides."""
    return any(each.request.pseudonyms for each in states)


def _locate(info: SlideInfo, where: Place) -> SlideInfo:
    """Return the slide's facts with its path; of a DICOM folder, the path of one of its files."""
    path = where if isinstance(where, Path) else where.as_path()
    inside = info.path is not None and info.path.name != path.name
    return replace(info, path=path / info.path.name if inside and info.path else path)


def _run_record(states: Sequence[SlideState], ids: dict[str, str]) -> RunRecord:
    records = [each.record for each in states if each.record]
    method = find_common_method(states)
    models = (
        each.record.model.without_runtime()
        for each in states
        if each.record and each.method == method
    )
    settings: dict[str, Any] = {}  # with None where slides differ
    for record in records:
        for name, value in record.settings.content().items():
            settings[name] = value if settings.get(name, value) == value else None
    return RunRecord(
        status="interrupted" if any(each.is_waiting for each in states) else "finished",
        started=min(filter(None, (each.started for each in states)), default=None),
        ended=max(filter(None, (each.ended for each in states)), default=None),
        model=next(models, None),
        runtimes=tuple(sorted({record.model.runtime or "" for record in records})),
        settings=settings,
        pseudonyms=is_pseudonymous(states),
        warnings=list_warnings(states),
        versions=list_versions(),
        slides_total=len(states),
        slides=tuple(
            _slide_record(each, number, ids.get(each.name)) for number, each in enumerate(states, 1)
        ),
    )


def _slide_record(state: SlideState, number: int, method: str | None) -> RunSlideRecord:
    return RunSlideRecord(
        name=state.name,
        file=state.request.file,
        number=number,
        outcome="done" if state.record else "waiting" if state.is_waiting else "failed",
        because=state.because,
        error=state.error,
        patient=state.request.patient,
        institution=state.request.institution,
        settings=method,
        warnings=() if state.record is None else state.record.warnings,
    )
