"""Few seconds and little memory for each example; what takes more has failed."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

SECONDS = 20
"""Most that any one input may take: a hundred times what the slowest valid one does."""
MORE_BYTES = 3 << 30
"""Address space beyond what the process has when it begins."""


class TookTooLong(BaseException):
    """Not an Exception: no reader may take it for one of its own."""


@contextmanager
def bounded() -> Iterator[None]:
    """Time and memory are bounded while this lasts."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MORE_BYTES, before[1]))
    old = signal.signal(signal.SIGALRM, _late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _late(number: int, frame: FrameType | None) -> Any:
    raise TookTooLong(f"more than {SECONDS} s")
