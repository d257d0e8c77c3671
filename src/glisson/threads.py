"""Threads: their number, and a map over items in several of them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


ROOT: Final = Path("/")


def available_threads(root: Path = ROOT) -> int:
    """Count the processor threads this process may use.

    Slurm and taskset allow fewer than there are by affinity, containers by a quota of processor
    time (`docker --cpus=2`, limits of Kubernetes), which the kernel keeps in control groups.

    Args:
        root: the folder that holds `proc` and `sys`.
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        threads = len(os.sched_getaffinity(0))
    else:
        threads = os.cpu_count() or 1
    quotas = [math.ceil(quota) for quota in _read_quotas(root)]
    return max(1, min([threads, *quotas]))


def _read_quotas(root: Path) -> Iterator[float]:
    """Yield the quotas, in processors, of this process's control groups and those above them.

    Lines of `/proc/self/cgroup` are `number:controllers:path`; version 2 has no controllers.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            mounts, read = ("sys/fs/cgroup", "sys/fs/cgroup/unified"), _read_version_2
        elif "cpu" in controllers.split(","):
            mounts, read = (f"sys/fs/cgroup/{controllers}", "sys/fs/cgroup/cpu"), _read_version_1
        else:
            continue
        group = PurePosixPath(path.lstrip("/"))
        for mount in mounts:
            # In a container the mount may begin at the group itself, so that its path is not there.
            for inside in (group, *group.parents):
                with suppress(OSError, ValueError, ZeroDivisionError):
                    yield read(root / mount / inside)


def _read_version_2(group: Path) -> float:
    """Read `cpu.max`, "quota period" in microseconds; ValueError for "max"."""
    quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
    return int(quota) / int(period)


def _read_version_1(group: Path) -> float:
    """Read the two files of version 1; ValueError for -1, which is no limit."""
    quota, period = (
        int((group / f"cpu.cfs_{part}_us").read_text(encoding="ascii"))
        for part in ("quota", "period")
    )
    if quota <= 0:
        raise ValueError("no limit")
    return quota / period


def map_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> list[Result]:
    """Call `function` on every item in several threads, and return the results in order.

    Args:
        function: safe to call from several threads; threads help if it releases the GIL.
        items: its arguments.
        threads: number of threads; None for all, 1 for the calling thread alone.

    Raises:
        Exception: the first item's error, after all started calls have ended.
    """
    threads = threads or available_threads()
    if threads == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
