"""What joining the parts of a large run costs: `python -m benchmarks.gather RESULT_FOLDER`.

One slide's result folder stands for all of them, under other names: its files are linked and its
numbers copied, so that thousands of slides take little room and the work is as with real ones.
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

from benchmarks.processes import measured

_WRITTEN = ("report.html", "run.json", "biopsies.csv", "tracts.csv", "qupath/project.qpproj")


def main() -> None:
    """Gather runs of each size; write the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("result", type=Path, help="a slide's result folder")
    options.add_argument("--folder", type=Path, default=Path("gather-out"))
    options.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options.add_argument("--slides", type=int, nargs="+", default=[250, 500, 1000, 2000])
    chosen = options.parse_args()
    found = [_gathered(chosen.result, chosen.folder, count) for count in chosen.slides]
    record = {"a slide": _size_of(chosen.result), "runs": found}
    path = chosen.results / f"{datetime.datetime.now(datetime.UTC).date()}-gather.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))


def _gathered(result: Path, folder: Path, count: int) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    _fake_run(result, folder, count)
    program = "from glisson.cli import main; main()"
    cost = measured([sys.executable, "-c", program, "gather", folder], [0, 1])
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


def _size_of(result: Path) -> dict[str, int]:
    sizes = [path.stat().st_size for path in result.rglob("*") if path.is_file()]
    return {"files": len(sizes), "bytes": sum(sizes)}


if __name__ == "__main__":
    main()
