"""Cost of joining the shards of a large run: `python -m benchmarks.gather RESULT_FOLDER`.

Copies of one slide's result folder under other names stand for all slides. Hard links save disk
space; the work is the same as for real slides.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.processes import measure_command

_WRITTEN = ("report.html", "run.json", "biopsies.csv", "tracts.csv", "qupath/project.qpproj")


def main() -> None:
    """Gather runs of each size; write the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("result", type=Path, help="a slide's result folder")
    options.add_argument("--folder", type=Path, default=Path("gather-out"))
    options.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options.add_argument("--slides", type=int, nargs="+", default=[250, 500, 1000, 2000])
    chosen = options.parse_args()
    found = [_time_gather(chosen.result, chosen.folder, count) for count in chosen.slides]
    record = {"a slide": _measure_size(chosen.result), "runs": found}
    path = chosen.results / f"{datetime.datetime.now(datetime.UTC).date()}-gather.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))


def _time_gather(result: Path, folder: Path, count: int) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    _fake_run(result, folder, count)
    program = "from glisson.cli import main; main()"
    cost = measure_command([sys.executable, "-c", program, "gather", folder], [0, 1])
    return {
        "slides": count,
        "wall_s": round(cost.wall_s, 1),
        "cpu_s": round(cost.cpu_s, 1),
        "peak_mb": round(cost.peak_mb),
        "bytes": {name: (folder / name).stat().st_size for name in _WRITTEN},
    }


def _fake_run(result: Path, folder: Path, count: int) -> None:
    """Write a run of one shard that seems to have segmented `count` slides."""
    record = json.loads((result / "biopsy.json").read_text("utf-8"))
    names = [f"case-{number:06d}" for number in range(1, count + 1)]
    for name in names:
        _fake_slide(result, folder / name, record)
    slides = [_describe_slide(name, number) for number, name in enumerate(names, 1)]
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    (folder / "shards").mkdir()
    part = {
        "status": "finished",
        "started": now,
        "ended": now,
        "shard": {"number": 1, "count": 1},
        "model": record["model"],
        "settings": record["settings"],
        "slides_total": count,
        "slides": slides,
        "pseudonyms": False,
    }
    (folder / "shards" / "run-1-of-1.json").write_text(json.dumps(part), encoding="utf-8")


def _fake_slide(result: Path, folder: Path, record: dict[str, Any]) -> None:
    shutil.copytree(result, folder, copy_function=os.link)
    slide = record["slide"] | {"name": folder.name, "file": f"{folder.name}.svs"}
    (folder / "biopsy.json").unlink()
    (folder / "biopsy.json").write_text(json.dumps(record | {"slide": slide}), encoding="utf-8")


def _describe_slide(name: str, number: int) -> dict[str, Any]:
    return {
        "name": name,
        "file": f"{name}.svs",
        "number": number,
        "outcome": "done",
        "because": None,
        "error": None,
        "patient": None,
        "institution": None,
        "warnings": [],
        "path": f"/slides/{name}.svs",
    }


def _measure_size(result: Path) -> dict[str, int]:
    sizes = [path.stat().st_size for path in result.rglob("*") if path.is_file()]
    return {"files": len(sizes), "bytes": sum(sizes)}


if __name__ == "__main__":
    main()
