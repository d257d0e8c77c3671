"""A run on Dask workers that are Slurm jobs, started by dask-jobqueue.

    python examples/slurm/dask_cluster.py scans results --jobs 40

The scheduler lives in this process. If it is killed, run the same command again: slides that are
done stay done.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from dask_jobqueue import SLURMCluster


def main() -> int:
    """Start the workers, run `glisson segment` on them, and end them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("slides")
    options.add_argument("out")
    options.add_argument("--jobs", type=int, default=4, help="at most so many Slurm jobs")
    options.add_argument("--walltime", default="04:00:00")
    options.add_argument("--memory", default="4GB", help="of a job")
    options.add_argument("--interface", help="network of the nodes, such as ib0")
    options.add_argument("--logs", default="dask-logs", help="folder of the jobs' output")
    chosen, more = options.parse_known_args()
    Path(chosen.logs).mkdir(exist_ok=True)
    cluster = SLURMCluster(
        cores=2,
        processes=1,  # one slide at a time in a job; its two cores are the model's threads
        memory=chosen.memory,
        walltime=chosen.walltime,
        interface=chosen.interface,
        log_directory=chosen.logs,
        worker_extra_args=["--nthreads", "1"],
        scheduler_options={"dashboard_address": None},
    )
    with cluster:
        cluster.scale(jobs=1)
        cluster.wait_for_workers(1)  # as long as the queue takes
        cluster.adapt(minimum_jobs=1, maximum_jobs=chosen.jobs)
        return subprocess.run(
            ["glisson", "segment", chosen.slides, "-o", chosen.out, "--threads", "2",
             "--dask", cluster.scheduler_address, *more],
            check=False,
        ).returncode  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
