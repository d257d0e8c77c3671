"""Soak test of 300 slides, 15 of them broken, on a cluster whose processes die at random.

    python -m benchmarks.soak --folder soak-out

The test repeats one command until the command ends by itself. Then every slide must be there
once, with the bytes of an undisturbed run. All slides are SYNTHETIC.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.soak.broken import DELETED, Fault, make_broken_slides
from benchmarks.soak.checks import compare_folders, find_faults, read_reasons
from benchmarks.soak.cluster import Chaos, Cluster
from benchmarks.soak.slides import make_good_slides

GLISSON = (sys.executable, "-c", "from glisson.cli import main; main()")
ENDED = (0, 1)
_MOST_TRIES = 100


def main() -> int:
    """Make the slides, run all parts, write the figures."""
    chosen = _parse_options()
    folder: Path = chosen.folder.resolve()
    good = make_good_slides(folder / "slides", chosen.slides - chosen.broken)
    broken = make_broken_slides(folder / "slides", good, chosen.broken)
    environment = _environment()
    table = _write_table(folder / "slides.csv", [*good, *broken])
    undisturbed = _write_table(folder / "good.csv", good)
    for name in ("soak", "undisturbed", "parts", "cluster"):
        shutil.rmtree(folder / name, ignore_errors=True)
    started = time.monotonic()
    soaked = _soak(chosen, folder, table, broken, environment)
    took_s = time.monotonic() - started
    with ThreadPoolExecutor() as pool:
        whole = ("segment", "--manifest", undisturbed, "-o", folder / "undisturbed")
        waiting = [
            pool.submit(_run, environment, 0, *whole),
            pool.submit(_run_parts, folder, table, chosen.shards, environment),
        ]
        for future in waiting:
            future.result()
    found = _check(folder, good, broken)
    record = {
        "what": "SYNTHETIC",
        "slides": chosen.slides,
        "broken": chosen.broken,
        "workers": chosen.workers,
        "seed": chosen.seed,
        "seconds": round(took_s),
        **soaked,
        "wrong": found,
        "reasons": read_reasons(folder / "soak"),
    }
    _write_record(chosen.results, record)
    print(json.dumps({key: record[key] for key in record if key != "reasons"}, indent=2))
    return 1 if any(found.values()) else 0


def _parse_options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("soak-out"))
    options.add_argument("--results", type=Path, default=Path(__file__).parents[1] / "results")
    options.add_argument("--slides", type=int, default=300)
    options.add_argument("--broken", type=int, default=15)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--shards", type=int, default=3)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--between", type=int, nargs=2, default=(3, 11), help="slides, kills")
    return options.parse_args()


def _environment() -> dict[str, str]:
    """Return the environment with the reader that crashes for slides named so."""
    faults = str(Path(__file__).parent / "faults")
    path = os.pathsep.join([faults, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1"}


def _write_table(path: Path, slides: list[Path]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("slide",))
        writer.writerows((slide,) for slide in slides)
    return path


def _soak(
    chosen: argparse.Namespace,
    folder: Path,
    table: Path,
    broken: Mapping[Path, Fault],
    environment: Mapping[str, str],
) -> dict[str, Any]:
    """Run the command until it ends by itself, while processes are killed."""
    out, logs = folder / "soak", folder / "cluster"
    logs.mkdir(parents=True)
    cluster = Cluster(logs, chosen.workers, environment)
    chaos = Chaos(cluster, chosen.seed, tuple(chosen.between))
    codes: Counter[int] = Counter()
    command = [
        *GLISSON,
        "segment",
        "--manifest",
        str(table),
        "-o",
        str(out),
        "--threads",
        "1",
        "--dask",
        cluster.address,
    ]
    try:
        while not any(code in codes for code in ENDED):
            cluster.start()
            with (logs / "run.log").open("ab") as log:
                run = subprocess.Popen(command, stdout=log, stderr=log, env=dict(environment))
            while run.poll() is None:
                chaos.strike(run, len(list(out.glob("*/manifest.json"))))
                _delete_midway(out, broken)
                cluster.tend()
                time.sleep(0.2)
            codes[run.returncode] += 1
            if codes.total() > _MOST_TRIES or run.returncode == 2:
                raise RuntimeError(f"ended with {codes}; see {logs / 'run.log'}")
    finally:
        cluster.stop()
    return {
        "killed": dict(chaos.killed),
        "runs": codes.total(),
        "exit_codes": {str(code): count for code, count in sorted(codes.items())},
    }


def _delete_midway(out: Path, broken: Mapping[Path, Fault]) -> None:
    """Delete the slide for that as soon as its work begins or another slide is finished."""
    for path, fault in broken.items():
        at_work = (f".{path.stem}.unfinished-*", "*/manifest.json")
        if (
            fault is DELETED
            and path.exists()
            and any(any(out.glob(pattern)) for pattern in at_work)
        ):
            path.unlink()


def _run(environment: Mapping[str, str], code: int, *arguments: Any) -> None:
    command = [*GLISSON, *map(str, arguments)]
    result = subprocess.run(
        command, env=dict(environment), check=False, capture_output=True, text=True
    )
    if result.returncode != code:
        raise RuntimeError(f"{arguments}: ended with {result.returncode}: {result.stderr[-2000:]}")


def _run_parts(folder: Path, table: Path, count: int, environment: Mapping[str, str]) -> None:
    for number in range(1, count + 1):
        _run(
            environment,
            1,
            "segment",
            "--manifest",
            table,
            "-o",
            folder / "parts",
            "--shard",
            f"{number}/{count}",
        )
    _run(environment, 1, "gather", folder / "parts")


def _check(folder: Path, good: list[Path], broken: Mapping[Path, Fault]) -> dict[str, list[str]]:
    """Return all faults, check by check."""
    soak, parts = folder / "soak", folder / "parts"
    return {
        "after the soak": find_faults(soak, good, broken),
        "in parts": find_faults(parts, good, broken),
        "other bytes than undisturbed": compare_folders(soak, folder / "undisturbed"),
        "other bytes than in parts": compare_folders(soak, parts),
    }


def _write_record(results: Path, record: dict[str, Any]) -> None:
    path = results / f"{datetime.datetime.now(datetime.UTC).date()}-soak.json"
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
