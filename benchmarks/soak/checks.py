"""Checks after the soak test: every slide once, with its reason and the same bytes."""

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
"""A cluster describes a crash in other words than a run on one machine."""


def find_faults(out: Path, good: list[Path], broken: Mapping[Path, Fault]) -> list[str]:
    """Return the faults of a results folder; empty if there are none."""
    return [
        *_check_lists(out, good, broken),
        *_check_reasons(out, broken),
        *(f"left behind: {path.relative_to(out)}" for path in out.rglob(".*")),
    ]


def _check_lists(out: Path, good: list[Path], broken: Mapping[Path, Fault]) -> Iterator[str]:
    done, failed = {path.stem for path in good}, {path.stem for path in broken}
    run = json.loads((out / "run.json").read_text("utf-8"))
    if run["status"] != "finished":
        yield f"run.json is {run['status']}"
    lists = {
        "run.json": ([slide["name"] for slide in run["slides"]], done | failed),
        "run.json, failed": (
            [slide["name"] for slide in run["slides"] if slide["outcome"] == "failed"],
            failed,
        ),
        "biopsies.csv": (_read_column(out / "biopsies.csv"), done),
        "failures.csv": (_read_column(out / "failures.csv"), failed),
        "folders": (
            [path.parent.name for path in out.glob("*/manifest.json")],
            done,
        ),
    }
    for name, (found, wanted) in lists.items():
        counts = Counter(found)
        yield from (f"{name}: {slide} is missing" for slide in sorted(wanted - set(counts)))
        yield from (f"{name}: {slide} is unexpected" for slide in sorted(set(counts) - wanted))
        yield from (f"{name}: {slide} {k} times" for slide, k in counts.items() if k > 1)


def _check_reasons(out: Path, broken: Mapping[Path, Fault]) -> Iterator[str]:
    reasons = read_reasons(out)
    for path, fault in broken.items():
        said = reasons.get(path.stem, "nothing")
        if not re.search(fault.reason, said):
            yield f"{path.name}: {said}"


def read_reasons(out: Path) -> dict[str, str]:
    """Read the reasons by failed slide; paths are relative to the soak test's folder."""
    with (out / "failures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["slide"]: row["error"].replace(f"{out.parent}/", "") for row in rows}


def _read_column(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["slide"] for row in csv.DictReader(file)]


def compare_folders(one: Path, other: Path) -> list[str]:
    """Return the files that differ between two results folders, apart from times."""
    left, right = _read_contents(one), _read_contents(other)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def _read_contents(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in filter(Path.is_file, out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.name == "biopsy.json":
            record = json.loads(path.read_text("utf-8"))
            found[name] = {key: value for key, value in record.items() if key not in _TIMES}
        elif path.suffix in _SAME_BYTES and name != _REASONS_DIFFER:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
