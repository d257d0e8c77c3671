"""Wall time, processor time and peak memory of a command and its children."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_EVERY_S = 0.05


@dataclass(frozen=True)
class CommandCost:
    """The cost of a command.

    Attributes:
        wall_s: seconds from start to end, with start-up.
        cpu_s: user and system time of all processes.
        peak_mb: largest resident memory of all processes together, sampled 20 times a second.
        output: printed text.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def measure_command(
    command: Sequence[str | Path], cores: Sequence[int], **variables: str
) -> CommandCost:
    """Run a command on these processor cores alone.

    Raises:
        subprocess.CalledProcessError: the command failed; the error holds the end of its stderr.
    """
    before = os.times()
    started = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", ",".join(map(str, cores)), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | variables,
    )
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    output, errors = process.communicate()
    wall_s = time.perf_counter() - started
    watcher.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output, errors[-2000:])
    after = os.times()
    cpu_s = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return CommandCost(wall_s, cpu_s, peak[0], output)


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], _measure_memory_mb(process.pid))
        time.sleep(_EVERY_S)


def _measure_memory_mb(pid: int) -> float:
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
        return sum(process.memory_info().rss for process in family) / 1e6
    except psutil.Error:  # the process ended meanwhile
        return 0.0
