"""Threads: their number, and a map over items in several of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_threads() -> int:
    """Count the processor threads this process may use: Slurm and taskset allow fewer."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
