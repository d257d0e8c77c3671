"""The work on one slide of a run: the same here, in a process of its own, or elsewhere."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from glisson.errors import GlissonError, MissingExtra, ModelError, OutputError, SlideError
from glisson.model import ModelBundle, Runtime
from glisson.run.folder import BIOPSY, read_json, why_not_done
from glisson.run.hidden import Scrub, hidden_in_logs, scrubber
from glisson.run.observer import RunObserver
from glisson.run.settings import RunSettings
from glisson.run.slide import SlideResult, result_parts, segment_one
from glisson.run.slide_list import AskedSlide
from glisson.slides import Slide, SlideInfo, open_slide

logger = logging.getLogger(__name__)

NEW = "new"


@dataclass(frozen=True)
class SlideTask:
    """One slide of a run.

    Attributes:
        asked: the slide, and what is special about it.
        name: of its result folder.
        number: its place in the whole run, from 1.
        out: the run's folder.
        run_settings: of the whole run.
    """

    asked: AskedSlide
    name: str
    number: int
    out: Path
    run_settings: RunSettings

    @property
    def settings(self) -> RunSettings:
        """The run's settings with what is special about the slide."""
        run = self.run_settings
        return replace(
            run, mpp=self.asked.mpp or run.mpp, sections=self.asked.sections or run.sections
        )

    @property
    def told(self) -> Path:
        """What the slide is called wherever it is told: its path, or its pseudonym."""
        return self.asked.path if self.asked.pseudonym is None else Path(self.asked.pseudonym)

    @property
    def scrub(self) -> Scrub:
        """Takes the slide's name out of a text, where it has a pseudonym."""
        if self.asked.pseudonym is None:
            return str
        return scrubber(self.asked.path, self.asked.pseudonym)

    def hiding(self) -> AbstractContextManager[None]:
        """While this lasts, logs do not hold the slide's name where it has a pseudonym."""
        return nullcontext() if self.asked.pseudonym is None else hidden_in_logs(self.scrub)

    def open(self) -> Slide:
        """The slide, called by its pseudonym where it has one.

        Raises:
            SlideError: as `open_slide`; a pseudonym stands for the slide's name.
        """
        try:
            slide = open_slide(self.asked.path, mpp=self.settings.mpp)
        except SlideError as error:
            if self.asked.pseudonym is None:
                raise
            raise type(error)(self.scrub(str(error))) from None
        if self.asked.pseudonym is not None:
            slide.hide_file(self.asked.pseudonym)
        return slide

    def failed(self, why: str) -> SlideResult:
        """Its result when it has none."""
        result = SlideResult(self.name, self.told, "failed", None, {}, self.scrub(why))
        return self.labelled(result)

    def labelled(self, result: SlideResult) -> SlideResult:
        """A result with the slide's number and case."""
        case = (self.asked.patient, self.asked.institution)
        hidden = self.asked.pseudonym is not None
        return replace(result, number=self.number, case=case, slide=self.told, pseudonym=hidden)


@dataclass(frozen=True)
class TaskDone:
    """What became of a task: the result, and the slide's facts where it could be opened."""

    result: SlideResult
    info: SlideInfo | None = None


def do_task(
    task: SlideTask, bundle: ModelBundle, runtime: Runtime, observer: RunObserver
) -> TaskDone:
    """Segment a slide, unless its results are there; what is wrong with it becomes its result.

    Raises:
        OutputError: results cannot be written; every other slide would meet the same disk.
        ModelError: the model cannot be used, for this slide or any other.
        MissingExtra: the model needs what is not installed.
    """
    with task.hiding():
        try:
            return _done(task, bundle, runtime, observer)
        except (OutputError, ModelError, MissingExtra, MemoryError):
            raise
        except GlissonError as error:
            logger.warning("%s: %s", task.name, error)
            return TaskDone(task.failed(str(error)))
        except Exception as error:  # readers of damaged files raise whatever they like
            logger.exception("%s", task.name)
            return TaskDone(task.failed(f"{task.told}: {_unforeseen(error)}"))


def _unforeseen(error: Exception) -> str:
    return (
        f"{type(error).__name__}: {error}. The file may be damaged: open it in another program, or "
        "copy it again from its source. If it is whole, please report this."
    )


def _done(
    task: SlideTask, bundle: ModelBundle, runtime: Runtime, observer: RunObserver
) -> TaskDone:
    settings, path = task.settings, task.asked.path
    with task.open() as slide:
        parts = result_parts(path, bundle, settings, task.asked.pseudonym)
        because = _why(task, parts)
        if because is None:
            folder = task.out / task.name
            kept = SlideResult(task.name, path, "kept", folder, read_json(folder / BIOPSY))
            return TaskDone(task.labelled(kept), slide.info)
        if because != NEW:
            logger.info("%s is done again: %s", task.name, because)
        result = segment_one(
            slide, path, task.name, task.out, bundle, runtime, settings, observer, parts
        )
        result = replace(result, because=None if because == NEW else because)
        return TaskDone(task.labelled(result), slide.info)


def _why(task: SlideTask, parts: dict[str, str]) -> str | None:
    """Why a slide has to be done, or None where its results stay."""
    folder = task.out / task.name
    if task.run_settings.overwrite:
        return "asked to overwrite" if folder.exists() else NEW
    return why_not_done(folder, parts)
