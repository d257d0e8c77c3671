"""What a whole run leaves: tables, report, QuPath project, `run.json`, `failures.csv`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from glisson.exchange import write_qupath_project, write_tables
from glisson.files.csv_tables import write_rows
from glisson.record import ModelRecord, SettingsRecord
from glisson.results.folder import TRACTS, write_json
from glisson.results.identity import software_versions
from glisson.results.record import SlideResult
from glisson.results.remote import FAILURES, RUN, Results
from glisson.results.report import write_run_report
from glisson.results.shard import RunModel, Shard
from glisson.slides import SlideInfo
from glisson.storage import full_path


@dataclass(frozen=True)
class RunFacts:
    """What is the same for every slide of a run.

    Attributes:
        started: when.
        model: name, version, hashes, and what it was trained on.
        settings: those that decide the results.
        slides_total: slides asked for.
        finished: False when it was interrupted.
        shard: which part of the whole run this was; None for all of it.
        pseudonyms: whether slides are told by pseudonyms: there is no QuPath project then, as it
            would have to say where they lie.
        names: of all slides asked for, in order, those of other shards too.
        keeps_tables: whether tables and report of an earlier run stay: an interrupted run would
            leave less than was there.
        warnings: sentences on the run, not on one of its slides.
    """

    started: datetime
    model: ModelRecord
    settings: SettingsRecord
    slides_total: int
    finished: bool
    shard: Shard | None = None
    pseudonyms: bool = False
    names: Sequence[str] = ()
    keeps_tables: bool = False
    warnings: tuple[str, ...] = ()


def warnings_of_run(results: Results, names: Sequence[str]) -> tuple[str, ...]:
    """What has to be said of a run that ended: whether other slides' results lie beside its own."""
    others = results.other_slides(names)
    if not others:
        return ()
    return (
        f"{results.place} also holds the results of {others} slide(s) that this run did not have: "
        f"tables and report hold its own {len(names)} slide(s) alone. To have all in one table, "
        "give all slides in one command; what is done stays.",
    )


def write_summary(
    out: Path, results: Sequence[SlideResult], infos: Mapping[str, SlideInfo], facts: RunFacts
) -> None:
    """Write what a run leaves; of a shard, its part of `run.json` alone."""
    if facts.shard is not None:
        path = facts.shard.summary_path(out)
        path.parent.mkdir(exist_ok=True)
        write_json(path, _summary(results, facts))
        return
    done = [result for result in results if result.outcome != "failed"]
    if not facts.keeps_tables:
        _write_tables(out, results, done, facts)
    if not facts.pseudonyms:
        write_qupath_project(
            out / "qupath", [(infos[each.name], out / each.name / TRACTS) for each in done]
        )
    write_json(out / RUN, _summary(results, facts))


def _write_tables(
    out: Path, results: Sequence[SlideResult], done: Sequence[SlideResult], facts: RunFacts
) -> None:
    cases = {result.name: result.case for result in done}
    write_tables(
        out, [(result.name, result.record) for result in done if result.record], cases=cases
    )
    slides = [(result.name, result.record, result.error) for result in results]
    write_run_report(out, facts.started, RunModel.model_validate(facts.model.content()), slides)
    _write_failures(out / FAILURES, results)


def _summary(results: Sequence[SlideResult], facts: RunFacts) -> dict[str, Any]:
    shard = facts.shard
    return {
        "status": "finished" if facts.finished else "interrupted",
        "started": facts.started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "shard": None if shard is None else shard.as_record(facts.names),
        "model": facts.model.content(),
        "runtimes": sorted({each.record.model.runtime or "" for each in results if each.record}),
        "settings": facts.settings.content(),
        "pseudonyms": facts.pseudonyms,
        "warnings": list(facts.warnings),
        "tables_of_this_run": facts.shard is None and not facts.keeps_tables,
        "versions": software_versions(),
        "slides_total": facts.slides_total,
        "slides": [_slide_summary(result, facts) for result in results],
    }


def _slide_summary(result: SlideResult, facts: RunFacts) -> dict[str, Any]:
    summary = {
        "name": result.name,
        "file": result.slide.name,
        "number": result.number,
        "outcome": result.outcome,
        "because": result.because,
        "error": result.error,
        "patient": result.case[0],
        "institution": result.case[1],
        "warnings": list(result.record.warnings) if result.record else [],
    }
    if facts.shard is not None:  # where the slide lies, for the run that joins the shards
        summary["path"] = None if facts.pseudonyms else str(full_path(result.slide))
    return summary


def _write_failures(path: Path, results: Sequence[SlideResult]) -> None:
    """A row a slide without a result; no file when there is none."""
    failed = [result for result in results if result.outcome == "failed"]
    if not failed:
        path.unlink(missing_ok=True)
        return
    rows = ({"slide": r.name, "file": r.slide.name, "error": r.error} for r in failed)
    write_rows(path, ("slide", "file", "error"), rows)
