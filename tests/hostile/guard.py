"""Few seconds and little memory for each example; what takes more has failed."""

from __future__ import annotations

import os
import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

SECONDS = 20
"""Of the processor, that any one input may take: a hundred times what a valid one does."""
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
    of_processor = signal.signal(signal.SIGPROF, _late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(10 * SECONDS)  # whoever waits uses no processor, nor does a machine that is busy
    try:
        yield
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, of_processor)
        signal.signal(signal.SIGALRM, old)
        resource.setrlimit(resource.RLIMIT_AS, before)


def in_a_child(work: Callable[[], None]) -> int:
    """Do it in a forked process, and say the signal that ended it, or 0.

    Native readers may take their process down; a run has one of its own for them.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            work()
        except BaseException:  # noqa: BLE001  told by the parent
            os.write(writer, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        trace = said.read().decode()
    _, status = os.waitpid(child, 0)
    assert not trace, trace
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _late(number: int, frame: FrameType | None) -> Any:
    raise TookTooLong(f"more than {SECONDS} s")
