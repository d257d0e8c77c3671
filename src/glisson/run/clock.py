"""Wall time, processor time and memory per stage."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform != "win32":
    import resource


class StageClock:
    """A clock that sums the wall and processor time of named stages."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._cpu_seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the body of the `with`."""
        started, cpu_started = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self._seconds[name] += time.perf_counter() - started
            self._cpu_seconds[name] += time.process_time() - cpu_started

    def seconds(self) -> dict[str, float]:
        """Return the wall seconds of each stage, in order of first use."""
        return _round(self._seconds)

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor seconds of each stage, over all threads of this process."""
        return _round(self._cpu_seconds)


def peak_memory_mb() -> float | None:
    """Return this process's peak resident memory in 10^6 bytes; None on Windows."""
    if sys.platform == "win32":
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)


def _round(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}
