"""One worker and two, on the same slides: `python -m benchmarks.scaling SLIDES`.

Workers have one thread each. Wall time is from the command's start to its end, less what the same
command takes when all slides are done already; the workers start before. Processor time is the
workers' own. Alternated, medians.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks.soak.cluster import Cluster

GLISSON = (sys.executable, "-c", "from glisson.cli import main; main()")


@dataclass(frozen=True)
class Cost:
    """What a run cost.

    Attributes:
        workers: of the cluster.
        wall_s: of the command, less its start, end and summary.
        cpu_s: of the workers, while it ran.
        load: processes that wanted a processor at its end, ours and others'.
    """

    workers: int
    wall_s: float
    cpu_s: float
    load: float


def main() -> None:
    """Run it in turn; write medians and efficiencies."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("slides", type=Path, nargs="+")
    options.add_argument("--folder", type=Path, default=Path("scaling-out"))
    options.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    costs = [
        _cost(workers, chosen.slides, chosen.folder)
        for _ in range(chosen.rounds)
        for workers in (1, 2)
    ]
    record = {"slides": len(chosen.slides), **_medians(costs), "runs": [asdict(c) for c in costs]}
    path = chosen.results / f"{datetime.datetime.now(datetime.UTC).date()}-scaling.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))


def _cost(workers: int, slides: list[Path], folder: Path) -> Cost:
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    cluster = Cluster(folder, workers, os.environ)
    try:
        cluster.start()
        command = [*GLISSON, "segment", *map(str, slides), "-o", str(out), "--threads", "1",
                   "--dask", cluster.address]  # fmt: skip
        _timed([*command, "--overwrite"])  # every worker opens its model
        before_s = _cpu_s(cluster)
        wall_s = _timed([*command, "--overwrite"])
        cpu_s = _cpu_s(cluster) - before_s
        wall_s -= _timed(command)
    finally:
        cluster.stop()
    return Cost(workers, round(wall_s, 2), round(cpu_s, 2), round(os.getloadavg()[0], 1))


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def _cpu_s(cluster: Cluster) -> float:
    """Of all workers so far."""
    times = [psutil.Process(pid).cpu_times() for pid in cluster.worker_pids()]
    return sum(each.user + each.system for each in times)


def _medians(costs: list[Cost]) -> dict[str, float]:
    wall = {n: statistics.median(c.wall_s for c in costs if c.workers == n) for n in (1, 2)}
    cpu = {n: statistics.median(c.cpu_s for c in costs if c.workers == n) for n in (1, 2)}
    return {
        "wall_s_1": wall[1],
        "wall_s_2": wall[2],
        "wall_efficiency": round(wall[1] / (2 * wall[2]), 3),
        "cpu_s_1": cpu[1],
        "cpu_s_2": cpu[2],
        "cpu_efficiency": round(cpu[1] / cpu[2], 3),
    }


if __name__ == "__main__":
    main()
