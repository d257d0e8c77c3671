"""The Protocol of an executor, and what executors need beside the tasks."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from glisson.model import ModelBundle
from glisson.results.record import SlideResult
from glisson.run.observer import RunObserver
from glisson.run.settings import RunSettings
from glisson.run.task import SlideTask


@dataclass(frozen=True)
class Work:
    """What the tasks of a run share.

    Attributes:
        bundle: the model.
        settings: of the run.
        observer: the progress callbacks.
    """

    bundle: ModelBundle
    settings: RunSettings
    observer: RunObserver


class Executor(Protocol):
    """A place where the slides of a run are done."""

    def run(self, tasks: Sequence[SlideTask], work: Work) -> Generator[SlideResult]:
        """Do tasks by `do_task`; yield each slide's result as soon as it is there, in any order.

        An executor calls `work.observer.slide_started` before a slide, and passes its stages on.

        Raises:
            GlissonError: as `do_task`, or because the place of the work was lost.
        """
        ...
