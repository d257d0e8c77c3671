"""What has to hold after the soak test: every slide once, with its reason, and the same bytes."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.soak.broken import Fault

_TIMES = ("seconds_per_stage", "cpu_seconds_per_stage", "peak_memory_mb")
_SAME_BYTES = (".csv", ".geojson", ".png", ".jpg", ".tif")
_REASONS_DIFFER = "failures.csv"
"""A crash is told otherwise by a cluster than by a run here."""


def faults_of(out: Path, good: list[Path], broken: Mapping[Path, Fault]) -> list[str]:
    """What is wrong with a results folder; nothing where all is well."""
    return [
        *_wrong_lists(out, good, broken),
        *_wrong_reasons(out, broken),
        *(f"left behind: {path.relative_to(out)}" for path in out.rglob(".*")),
    ]


def _wrong_lists(out: Path, good: list[Path], broken: Mapping[Path, Fault]) -> Iterator[str]:
    done, failed = {path.stem for path in good}, {path.stem for path in broken}
    run = json.loads((out / "run.json").read_text("utf-8"))
    if run["status"] != "finished":
        yield f"run.json is {run['status']}"
    lists = {
        "run.json": ([slide["name"] for slide in run["slides"]], done | failed),
        "run.json, failed": (
            [slide["name"] for slide in run["slides"] if slide["outcome"] == "failed"], failed,
        ),
        "biopsies.csv": (_column(out / "biopsies.csv"), done),
        "failures.csv": (_column(out / "failures.csv"), failed),
        "folders": (
            [path.parent.name for path in out.glob("*/manifest.json")], done,
        ),
    }  # fmt: skip
    for name, (found, wanted) in lists.items():
        counts = Counter(found)
        yield from (f"{name}: {each} is missing" for each in sorted(wanted - set(counts)))
        yield from (f"{name}: {each} is too many" for each in sorted(set(counts) - wanted))
        yield from (f"{name}: {each} {k} times" for each, k in counts.items() if k > 1)


def _wrong_reasons(out: Path, broken: Mapping[Path, Fault]) -> Iterator[str]:
    reasons = reasons_of(out)
    for path, fault in broken.items():
        said = reasons.get(path.stem, "nothing")
        if not re.search(fault.reason, said):
            yield f"{path.name}: {said}"


def reasons_of(out: Path) -> dict[str, str]:
    """Why each failed slide failed, by its name; paths are from the folder of the soak on."""
    with (out / "failures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["slide"]: row["error"].replace(f"{out.parent}/", "") for row in rows}


def _column(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["slide"] for row in csv.DictReader(file)]


def differences(one: Path, other: Path) -> list[str]:
    """Files that are not the same in two results folders, but for times."""
    left, right = _contents(one), _contents(other)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def _contents(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in (each for each in out.rglob("*") if each.is_file()):
        name = path.relative_to(out).as_posix()
        if path.name == "biopsy.json":
            record = json.loads(path.read_text("utf-8"))
            found[name] = {key: value for key, value in record.items() if key not in _TIMES}
        elif path.suffix in _SAME_BYTES and name != _REASONS_DIFFER:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
