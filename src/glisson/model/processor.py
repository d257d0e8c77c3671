"""What the processor offers."""

from __future__ import annotations

import os


def available_threads() -> int:
    """Processor threads this process may use: fewer than there are, under taskset or Slurm."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
