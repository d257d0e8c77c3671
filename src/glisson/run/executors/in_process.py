"""Slides done in this process, one after the other."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from glisson.model import OpeningRuntime
from glisson.results.record import SlideResult
from glisson.run.execution import do_task
from glisson.run.executors.base import Work
from glisson.run.task import SlideTask


@dataclass(frozen=True)
class InProcess:
    """An executor without any other process: a reader that crashes takes the run with it."""

    def run(self, tasks: Sequence[SlideTask], work: Work) -> Generator[SlideResult]:
        """Do the tasks; as `Executor.run`."""
        chosen = work.settings
        runtime = OpeningRuntime(work.bundle, chosen.runtime, chosen.precision, chosen.threads)
        for position, task in enumerate(tasks, start=1):
            work.observer.slide_started(task.name, position, len(tasks))
            yield do_task(task, work.bundle, runtime, work.observer)
