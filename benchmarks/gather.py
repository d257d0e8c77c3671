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
    """Write the slides' folders of a run of one part, as if it had done `count` slides."""
    record = json.loads((result / "biopsy.json").read_text("utf-8"))
    for number in range(1, count + 1):
        _fake_slide(result, folder / f"case-{number:06d}", record)


def _fake_slide(result: Path, folder: Path, record: dict[str, Any]) -> None:
    shutil.copytree(result, folder, copy_function=os.link)
    file = f"{folder.name}.svs"
    slide = record["slide"] | {"name": folder.name, "file": file}
    manifest = json.loads((result / "manifest.json").read_text("utf-8"))
    request = {"file": file, "path": f"/slides/{file}"}
    for name, content in (
        ("biopsy.json", record | {"slide": slide}),
        ("manifest.json", manifest | {"request": request}),
    ):
        (folder / name).unlink()
        (folder / name).write_text(json.dumps(content), encoding="utf-8")


def _measure_size(result: Path) -> dict[str, int]:
    sizes = [path.stat().st_size for path in result.rglob("*") if path.is_file()]
    return {"files": len(sizes), "bytes": sum(sizes)}


if __name__ == "__main__":
    main()
