"""The process of `IsolatedProcess`: takes tasks from a pipe, and sends back results."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from glisson.errors import GlissonError
from glisson.model import ModelBundle, OpeningRuntime, is_shipped
from glisson.printable import log_to_terminal
from glisson.run.execution import do_task
from glisson.run.observer import SilentObserver
from glisson.run.settings import RunSettings

Serve = Callable[[Connection, ModelBundle, RunSettings], None]


def serve(connection: Connection, bundle: ModelBundle, settings: RunSettings) -> None:
    """Do tasks as they arrive, until the run closes the pipe."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unfinished files are removed
    runtime = OpeningRuntime(bundle, settings.runtime, settings.precision, settings.threads)
    observer = _Reporter(connection)
    if not is_shipped(bundle) and not _wait_for_model(runtime, connection):
        return
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the run has ended
        while True:
            task = connection.recv()
            try:
                connection.send(("done", do_task(task, bundle, runtime, observer)))
            except GlissonError as error:
                connection.send(("error", error))
            except MemoryError:
                connection.send(("lost", "its process ran out of memory"))


def _wait_for_model(runtime: OpeningRuntime, connection: Connection) -> bool:
    """Wait until a stranger's model has passed its self-test, and tell the run; False if not.

    The run limits the time and the memory of that.
    """
    try:
        opened = ("opened", runtime.name)
    except GlissonError as error:
        connection.send(("error", error))
        return False
    except MemoryError:
        connection.send(("lost", "its process ran out of memory"))
        return False
    connection.send(opened)
    return True


@dataclass
class _Reporter(SilentObserver):
    """An observer that sends the stages of a slide to the run."""

    connection: Connection

    def stage_started(self, name: str, stage: str) -> None:
        """Send the stage."""
        self.connection.send(("stage", (name, stage)))

    def stage_progressed(self, name: str, done: int, total: int) -> None:
        """Send the progress."""
        self.connection.send(("progress", (name, done, total)))


def main() -> None:
    """Serve the run whose end of a pipe is the only argument."""
    handle = int(sys.argv[1])
    connection: Any
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        connection = PipeConnection(handle)
    else:
        connection = Connection(handle)
    level, chosen, bundle, settings = connection.recv()
    if level is not None:
        log_to_terminal(level)
    chosen(connection, bundle, settings)
