"""Slides in a process of their own: a reader that crashes, or a share that stalls, costs a slide.

The process keeps the model from slide to slide. When it dies, or says nothing for too long, the
slide is tried once more in a fresh one; then it has failed, with the reason.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from glisson.errors import GlissonError
from glisson.model import ModelBundle, OpeningRuntime
from glisson.run.observer import RunObserver
from glisson.run.settings import RunSettings
from glisson.run.task import SlideTask, TaskDone, do_task

logger = logging.getLogger(__name__)

STALLED_S = 900.0
"""Seconds without a word: the longest stage of a slide of 400 mm² takes a tenth of that."""

_ENDING_S = 10.0

Serve = Callable[[Connection, ModelBundle, RunSettings], None]


class _Lost(Exception):
    """The process died or fell silent."""


def serve(connection: Connection, bundle: ModelBundle, settings: RunSettings) -> None:
    """Do tasks as they come in; runs in the process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is unfinished is removed
    runtime = OpeningRuntime(bundle, settings.runtime, settings.precision, settings.threads)
    observer = _Reporter(connection)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # nobody asks any more
        while True:
            task = connection.recv()
            try:
                connection.send(("done", do_task(task, bundle, runtime, observer)))
            except GlissonError as error:
                connection.send(("error", error))
            except MemoryError:
                connection.send(("lost", "its process ran out of memory"))


def _log_level() -> int | None:
    """Of this process, where anybody has said what to log."""
    root = logging.getLogger()
    return root.level if root.handlers else None


def _logging_as_here(level: int | None, serve: Serve, *arguments: Any) -> None:
    """Serve, and log what the process that asks would."""
    if level is not None:
        logging.basicConfig(level=level, format="%(levelname)s %(message)s")
    serve(*arguments)


@dataclass
class _Reporter:
    """An observer that passes on what it is told."""

    connection: Connection

    def slide_started(self, name: str, number: int, total: int) -> None:
        """Told by the process that asks."""

    def stage_started(self, name: str, stage: str) -> None:
        """Pass it on."""
        self.connection.send(("stage", (name, stage)))

    def stage_progressed(self, name: str, done: int, total: int) -> None:
        """Pass it on."""
        self.connection.send(("progress", (name, done, total)))

    def slide_finished(self, name: str, outcome: str) -> None:
        """Told by the process that asks."""


@dataclass
class IsolatedWorker:
    """A process that does one task after the other, and is replaced when it is lost.

    Attributes:
        bundle: the model.
        settings: of the run.
        observer: told what the process reports.
        stalled_s: seconds without a word after which it counts as stalled.
        serve: what the process runs.
    """

    bundle: ModelBundle
    settings: RunSettings
    observer: RunObserver
    stalled_s: float = STALLED_S
    serve: Serve = serve
    _process: BaseProcess | None = field(default=None, init=False)
    _connection: Connection | None = field(default=None, init=False)

    def do(self, task: SlideTask) -> TaskDone:
        """A slide's result; it has failed when it took its process down twice.

        Raises:
            GlissonError: as `do_task` raises it.
        """
        try:
            return self._try(task)
        except _Lost as lost:
            logger.warning("%s: %s; it is tried once more.", task.name, lost)
        try:
            return self._try(task)
        except _Lost as lost:
            return TaskDone(task.failed(f"{task.told}: {lost}, twice. {_ADVICE}"))

    def close(self) -> None:
        """End the process."""
        if self._connection is not None and self._process is not None:
            self._process.terminate()
            self._process.join(_ENDING_S)
            self._process.kill()
            self._connection.close()
        self._process = self._connection = None

    def _try(self, task: SlideTask) -> TaskDone:
        self._exchange(lambda connection: connection.send(task))
        while True:
            kind, content = self._exchange(self._heard)
            if kind == "done":
                done: TaskDone = content
                return done
            self._told(kind, content)

    def _exchange(self, speak: Callable[[Connection], Any]) -> Any:
        """Say or hear something; a process that is lost is told from what it reports."""
        try:
            return speak(self._connected())
        except (EOFError, OSError) as error:
            raise _Lost(self._how_it_ended()) from error
        except _Lost:
            self.close()
            raise

    def _connected(self) -> Connection:
        if self._connection is None:
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            arguments = (theirs, self.bundle, self.settings)
            self._process = context.Process(
                target=_logging_as_here, args=(_log_level(), self.serve, *arguments), daemon=True
            )
            self._process.start()
            theirs.close()
        return self._connection

    def _heard(self, connection: Connection) -> Any:
        if not connection.poll(self.stalled_s):
            raise _Lost(f"nothing was heard of it for {self.stalled_s:.0f} s")
        return connection.recv()

    def _told(self, kind: str, content: Any) -> None:
        if kind == "error":
            raise content
        if kind == "lost":
            self.close()
            raise _Lost(content)
        if kind == "stage":
            self.observer.stage_started(*content)
        elif kind == "progress":
            self.observer.stage_progressed(*content)

    def _how_it_ended(self) -> str:
        process = self._process
        code = None
        if process is not None:
            process.join(_ENDING_S)
            code = process.exitcode
        self.close()
        if code == -_KILLED:
            return "its process was killed, as the system does when memory runs out"
        if code is not None and code < 0:
            return f"its process crashed ({signal.Signals(-code).name})"
        return f"its process ended with code {code}"


_KILLED = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has only the second
_ADVICE = "Open it in another program, or copy it again from its source."
