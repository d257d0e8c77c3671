"""The shards of a run joined: the tables, report and project that one run would have written."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from glisson.errors import SettingsError
from glisson.record import BiopsyRecord, ModelRecord, SettingsRecord
from glisson.results.folder import read_manifest
from glisson.results.record import SlideResult
from glisson.results.remote import Results, results_at
from glisson.results.shard import read_shards
from glisson.results.summary import RunFacts, warnings_of_run, write_summary
from glisson.run.opening import info_at
from glisson.run.segment import RunResult
from glisson.storage import Url, place


def gather(out: Path | str | Url) -> RunResult:
    """Join what the shards of a run left in `out`, a folder or its address on a store.

    Raises:
        SettingsError: a shard is missing or was interrupted, they differ in slides, settings or
            model, or a slide's results are not there any more.
        OutputError: the folder cannot be written to.
    """
    where = place(out)
    if isinstance(where, Path):
        return _joined(Results(where))
    with results_at(where) as stored:
        stored.bring_all()
        return _joined(stored)


def _joined(stored: Results) -> RunResult:
    out = stored.here
    shards = read_shards(out, stored.place)
    entries = sorted(
        (entry for shard in shards for entry in shard["slides"]), key=lambda entry: entry["number"]
    )
    results = [_result(stored, entry) for entry in entries]
    infos = {
        each.name: info_at(each.record.as_slide(), each.slide) for each in results if each.record
    }
    first = shards[0]
    facts = RunFacts(
        started=min(datetime.fromisoformat(shard["started"]) for shard in shards),
        model=ModelRecord.model_validate(first["model"]),
        settings=SettingsRecord.model_validate(first["settings"]),
        slides_total=sum(shard["slides_total"] for shard in shards),
        finished=True,
        pseudonyms=bool(first["pseudonyms"]),
        warnings=warnings_of_run(stored, [each.name for each in results]),
    )
    write_summary(out, results, infos, facts)
    stored.put_run()
    return RunResult(stored.place, tuple(results), facts.warnings)


def _result(stored: Results, entry: dict[str, Any]) -> SlideResult:
    folder = stored.here / entry["name"]
    failed = entry["outcome"] == "failed"
    if not failed and read_manifest(folder) is None:
        raise SettingsError(
            f"{stored.place}/{entry['name']} holds no results any more; a shard wrote "
            "them. Run its shard again."
        )
    return SlideResult(
        entry["name"],
        place(entry["path"] or entry["name"]),
        entry["outcome"],
        None if failed else stored.place / entry["name"],
        None if failed else BiopsyRecord.read(folder),
        entry["error"],
        entry["number"],
        (entry["patient"], entry["institution"]),
        entry["because"],
        entry["path"] is None,
    )
