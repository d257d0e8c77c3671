"""The shards of a run joined: the tables, report and project that one run would have written."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from glisson.errors import SettingsError
from glisson.run.cohort import RunResult
from glisson.run.folder import BIOPSY, read_json, read_manifest
from glisson.run.shard import read_shards
from glisson.run.slide import SlideResult
from glisson.run.stored import StoredSlide
from glisson.run.summary import RunFacts, write_summary
from glisson.slides import SlideInfo


def gather(out: Path | str) -> RunResult:
    """Join what the shards of a run left in `out`.

    Raises:
        SettingsError: a shard is missing or was interrupted, they differ in model, or a slide's
            results are not there any more.
        OutputError: the folder cannot be written to.
    """
    out = Path(out)
    shards = read_shards(out)
    entries = sorted(
        (entry for shard in shards for entry in shard["slides"]), key=lambda entry: entry["number"]
    )
    results = [_result(out, entry) for entry in entries]
    infos = {result.name: _info(result) for result in results if result.folder is not None}
    first = shards[0]
    facts = RunFacts(
        started=min(datetime.fromisoformat(shard["started"]) for shard in shards),
        model=first["model"],
        settings=first["settings"],
        slides_total=sum(shard["slides_total"] for shard in shards),
        finished=True,
        pseudonyms=bool(first["pseudonyms"]),
    )
    write_summary(out, results, infos, facts)
    return RunResult(out, tuple(results))


def _result(out: Path, entry: dict[str, Any]) -> SlideResult:
    folder = out / entry["name"]
    failed = entry["outcome"] == "failed"
    if not failed and read_manifest(folder) is None:
        raise SettingsError(
            f"{folder} holds no results any more; a shard wrote them. Run its shard again."
        )
    return SlideResult(
        entry["name"],
        Path(entry["path"] or entry["name"]),
        entry["outcome"],
        None if failed else folder,
        {} if failed else read_json(folder / BIOPSY),
        entry["error"],
        entry["number"],
        (entry["patient"], entry["institution"]),
        entry["because"],
        entry["path"] is None,
    )


def _info(result: SlideResult) -> SlideInfo:
    stored = StoredSlide(result.name, result.folder or Path(), result.record)
    return replace(stored.info, path=result.slide)
