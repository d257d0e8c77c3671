"""Threads: how many there are, and work shared between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def available_threads() -> int:
    """Processor threads this process may use: fewer than there are, under taskset or Slurm."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(
    function: Callable[[Item], Made], items: Iterable[Item], threads: int | None = None
) -> list[Made]:
    """What `function` makes of each item, in order; some at once where there are threads.

    Args:
        function: safe to call from several threads; best one that releases the interpreter.
        items: what it is called with.
        threads: how many to use; None for all, 1 for this one alone.

    Raises:
        Exception: the first item's error, when all that began have ended.
    """
    threads = threads or available_threads()
    if threads == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
