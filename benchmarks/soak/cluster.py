"""A Dask cluster of real processes on this machine, and random kills."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

DASK = (sys.executable, "-m", "dask")
_START_S = 60


@dataclass
class Cluster:
    """A scheduler and workers, each with its nanny, in processes of their own.

    Attributes:
        folder: folder for logs and the workers' files.
        workers: number of workers.
        environment: environment of all processes.
        port: port of the scheduler.
    """

    folder: Path
    workers: int
    environment: Mapping[str, str]
    port: int = field(default_factory=lambda: _find_free_port())
    _scheduler: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _nannies: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)

    @property
    def address(self) -> str:
        """Return the scheduler's address."""
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start missing processes; return when the scheduler answers."""
        if not self._has_scheduler():
            self._scheduler = self._start(
                "scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"
            )
            self._wait_for_scheduler()
        self.tend()

    def tend(self) -> None:
        """Replace workers that ended, as a queue or Kubernetes does."""
        self._nannies = [nanny for nanny in self._nannies if nanny.poll() is None]
        while self._has_scheduler() and len(self._nannies) < self.workers:
            self._nannies.append(
                self._start(
                    "worker",
                    self.address,
                    "--nthreads",
                    "1",
                    "--no-dashboard",
                    "--host",
                    "127.0.0.1",
                    "--local-directory",
                    str(self.folder),
                )
            )

    def _has_scheduler(self) -> bool:
        return self._scheduler is not None and self._scheduler.poll() is None

    def stop(self) -> None:
        """Kill all processes."""
        for process in (*self._nannies, self._scheduler):
            if process is not None:
                _kill_family(process.pid)
                process.wait()
        self._nannies, self._scheduler = [], None

    def kill_worker(self, chance: random.Random) -> bool:
        """Kill a worker; its nanny starts another."""
        pids = self.worker_pids()
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(chance.choice(pids), signal.SIGKILL)
        return True

    def worker_pids(self) -> list[int]:
        """Return the process ids of the running workers, without their nannies."""
        return sorted(
            child.pid
            for nanny in self._nannies
            for child in _list_children(nanny.pid)
            if _is_worker(child)
        )

    def kill_nanny(self, chance: random.Random) -> bool:
        """Kill a nanny; its worker ends by itself, and `tend` starts another pair."""
        if not self._nannies:
            return False
        chance.choice(self._nannies).kill()
        return True

    def kill_scheduler(self) -> bool:
        """Kill the scheduler; workers and the run notice by themselves."""
        if self._scheduler is None or not self._has_scheduler():
            return False
        self._scheduler.kill()
        self._scheduler.wait()
        return True

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [*DASK, *arguments], stdout=log, stderr=log, env=dict(self.environment)
            )

    def _wait_for_scheduler(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise TimeoutError(f"no scheduler at {self.address} after {_START_S} s")


@dataclass
class Chaos:
    """Random kills of processes every few slides, from a seed.

    Attributes:
        cluster: cluster whose processes may die.
        seed: seed of the random generator.
        between: smallest and largest number of finished slides between two kills.
    """

    cluster: Cluster
    seed: int
    between: tuple[int, int]
    killed: Counter[str] = field(default_factory=Counter, init=False)
    _chance: random.Random = field(init=False)
    _next: int = field(default=1, init=False)

    def __post_init__(self) -> None:
        """Seed the generator."""
        self._chance = random.Random(self.seed)

    def strike(self, run: subprocess.Popen[bytes], finished: int) -> None:
        """Kill a process if enough slides are finished, first with the first slide."""
        if finished < self._next:
            return
        self._next = finished + self._chance.randint(*self.between)
        time.sleep(self._chance.uniform(0, 1.5))  # at any moment of a slide
        what = self._chance.choices(("worker", "nanny", "scheduler", "run"), (60, 15, 15, 10))[0]
        has_killed = {
            "worker": lambda: self.cluster.kill_worker(self._chance),
            "nanny": lambda: self.cluster.kill_nanny(self._chance),
            "scheduler": self.cluster.kill_scheduler,
            "run": lambda: _kill(run),
        }[what]()
        self.killed[what] += has_killed


def _kill(run: subprocess.Popen[bytes]) -> bool:
    run.send_signal(signal.SIGKILL)
    return True


def _list_children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _is_worker(process: psutil.Process) -> bool:
    """Return whether a process is a worker, not multiprocessing's resource tracker."""
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _kill_family(pid: int) -> None:
    children = _list_children(pid)
    for member in (pid, *(child.pid for child in children)):
        with suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


def _find_free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
