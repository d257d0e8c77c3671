"""Scaling from one worker to two on the same slides: `python -m benchmarks.scaling SLIDES`.

Workers have one thread each and start before the command. Wall time is that of the command less
that of the same command after all slides are finished. Processor time is the workers' own. Rounds
alternate; figures are medians.
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
    """The cost of a run.

    Attributes:
        workers: number of workers of the cluster.
        wall_s: wall time of the command, less its start, end and summary.
        cpu_s: processor time of the workers during the run.
        load: load average at the end, with other users' processes.
    """

    workers: int
    wall_s: float
    cpu_s: float
    load: float


def main() -> None:
    """Run one and two workers in turn; write medians and efficiencies."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("slides", type=Path, nargs="+")
    options.add_argument("--folder", type=Path, default=Path("scaling-out"))
    options.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    costs = [
        _measure(workers, chosen.slides, chosen.folder)
        for _ in range(chosen.rounds)
        for workers in (1, 2)
    ]
    record = {"slides": len(chosen.slides), **_summarise(costs), "runs": [asdict(c) for c in costs]}
    path = chosen.results / f"{datetime.datetime.now(datetime.UTC).date()}-scaling.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))


def _measure(workers: int, slides: list[Path], folder: Path) -> Cost:
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    cluster = Cluster(folder, workers, os.environ)
    try:
        cluster.start()
        command = [
            *GLISSON,
            "segment",
            *map(str, slides),
            "-o",
            str(out),
            "--threads",
            "1",
            "--dask",
            cluster.address,
        ]
        _time_command([*command, "--overwrite"])  # every worker opens its model
        before_s = _read_cpu_s(cluster)
        wall_s = _time_command([*command, "--overwrite"])
        cpu_s = _read_cpu_s(cluster) - before_s
        wall_s -= _time_command(command)
    finally:
        cluster.stop()
    return Cost(workers, round(wall_s, 2), round(cpu_s, 2), round(os.getloadavg()[0], 1))


def _time_command(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def _read_cpu_s(cluster: Cluster) -> float:
    """Return the processor time of all workers so far."""
    times = [psutil.Process(pid).cpu_times() for pid in cluster.worker_pids()]
    return sum(time.user + time.system for time in times)


def _summarise(costs: list[Cost]) -> dict[str, float]:
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
