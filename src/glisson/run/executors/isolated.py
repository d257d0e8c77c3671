"""Slides done in a process of their own: a reader that crashes, or a stalled share, costs a slide.

The process keeps the model from slide to slide. When it dies, or is silent for too long, the slide
is retried once in a fresh process; then the slide has failed.

The process is a new Python, not one of `multiprocessing`: nothing imports the main module again, so
that a script needs no `if __name__ == "__main__":`.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from typing import Any

import psutil

from glisson.errors import InvalidBundle
from glisson.model import is_shipped
from glisson.results.record import SlideResult
from glisson.run.executors.base import Work
from glisson.run.executors.worker import Serve, serve
from glisson.run.task import SlideTask

logger = logging.getLogger(__name__)

STALLED_S = 900.0
"""Seconds without a message: the longest stage of a slide of 400 mm² takes a tenth of that."""

OPENING_S = 300.0
"""Seconds that a model of others may take to open and to pass its self-test."""

MOST_MODEL_BYTES = 6 << 30
"""Memory that the process may take with a model of others."""

_ENDING_S = 10.0
_LOOK_S = 0.5
"""Seconds between two looks at the memory of the process."""
_PROGRAM = (  # Ctrl-C is for the run, from the first moment
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "from glisson.run.executors.worker import main; main()"
)
_KILLED = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has only the second
_ADVICE = "Open it in another program, or copy it again from its source."


class _Lost(Exception):
    """The process died or fell silent."""


@dataclass(frozen=True)
class IsolatedProcess:
    """An executor that does slides in one process of its own, and replaces that when it is lost."""

    def run(self, tasks: Sequence[SlideTask], work: Work) -> Generator[SlideResult]:
        """Do the tasks one after the other; as `Executor.run`."""
        worker = Worker(work)
        try:
            for position, task in enumerate(tasks, start=1):
                work.observer.slide_started(task.name, position, len(tasks))
                yield worker.do(task)
        finally:
            worker.close()


@dataclass
class Worker:
    """A process that does one task after the other.

    Attributes:
        work: what the tasks share.
        stalled_s: seconds without a message after which the process counts as stalled.
        serve: what the process runs.
        opening_s: seconds that a model of others may take to open.
        most_bytes: memory that the process may take with a model of others.
    """

    work: Work
    stalled_s: float = STALLED_S
    serve: Serve = serve
    opening_s: float = OPENING_S
    most_bytes: int = MOST_MODEL_BYTES
    _is_opening: bool = field(default=False, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _connection: Connection | None = field(default=None, init=False)

    def do(self, task: SlideTask) -> SlideResult:
        """Do a task; return a failed result when the slide took its process down twice.

        Raises:
            InvalidBundle: a model of others did not open in time or in the memory allowed.
            GlissonError: as `do_task`.
        """
        try:
            return self._try(task)
        except _Lost as lost:
            logger.warning("%s: %s; Glisson retries once.", task.name, lost)
        try:
            return self._try(task)
        except _Lost as lost:
            return task.fail(f"{task.shown}: {lost}, twice. {_ADVICE}")

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_ENDING_S)
            self._process.kill()
            self._process.wait()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _try(self, task: SlideTask) -> SlideResult:
        self._exchange(lambda connection: connection.send(task))
        while True:
            kind, content = self._exchange(self._receive)
            self._is_opening = False
            if kind == "done":
                result: SlideResult = content
                return result
            if kind == "error":
                raise content
            if kind == "lost":
                self.close()
                raise _Lost(content)
            if kind == "stage":
                self.work.observer.stage_started(*content)
            elif kind == "progress":
                self.work.observer.stage_progressed(*content)

    def _exchange(self, speak: Callable[[Connection], Any]) -> Any:
        """Send or receive; raise `_Lost` when the process is gone or silent."""
        try:
            return speak(self._connection or self._start())
        except (EOFError, OSError) as error:
            raise _Lost(self._describe_end()) from error
        except _Lost:
            self.close()
            raise

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        handle = theirs.fileno()
        path = os.pathsep.join(each or os.getcwd() for each in sys.path)
        inherit: dict[str, Any] = {"pass_fds": (handle,)}
        if sys.platform == "win32":
            os.set_handle_inheritable(handle, True)
            inherit = {"close_fds": False}
        self._process = subprocess.Popen(
            # -P: the folder where the command runs must not hide the worker's modules
            [sys.executable, "-P", "-c", _PROGRAM, str(handle)],
            env={**os.environ, "PYTHONPATH": path},
            **inherit,
        )
        theirs.close()
        self._connection = ours
        self._is_opening = not is_shipped(self.work.bundle)
        root = logging.getLogger()
        level = root.level if root.handlers else None
        ours.send((level, self.serve, self.work.bundle, self.work.settings))
        return ours

    def _receive(self, connection: Connection) -> Any:
        limit_s = self.opening_s if self._is_opening else self.stalled_s
        until = time.monotonic() + limit_s
        while not connection.poll(min(_LOOK_S, max(0.0, until - time.monotonic()))):
            if self._takes_too_much():
                raise self._blame(f"the model took more than {self.most_bytes / 2**30:.3g} GiB")
            if time.monotonic() >= until:
                raise self._blame(f"its process was silent for {limit_s:.0f} s")
        return connection.recv()

    def _takes_too_much(self) -> bool:
        if self._process is None or is_shipped(self.work.bundle):
            return False
        with suppress(psutil.Error):
            return bool(psutil.Process(self._process.pid).memory_info().rss > self.most_bytes)
        return False

    def _blame(self, reason: str) -> Exception:
        """Return the slide's loss; while the model opens, the model's fault, which ends the run."""
        if not self._is_opening:
            return _Lost(reason)
        self.close()
        bundle = self.work.bundle
        return InvalidBundle(
            f"{bundle.folder} cannot be run: {reason} in its self-test. Take another model, or ask "
            "its makers."
        )

    def _describe_end(self) -> str:
        code = None
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                code = self._process.wait(_ENDING_S)
        self.close()
        if code == -_KILLED:
            return "its process was killed, as the system does when memory runs out"
        if code is not None and code < 0:
            return f"its process crashed ({signal.Signals(-code).name})"
        return f"its process ended with code {code}"
