"""The work on one slide of a run: the same here, in a process of its own, or elsewhere."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from glisson.errors import GlissonError, MissingExtra, ModelError, OutputError
from glisson.model import ModelBundle, Runtime
from glisson.run.folder import BIOPSY, read_json, why_not_done
from glisson.run.observer import RunObserver
from glisson.run.settings import RunSettings
from glisson.run.slide import SlideResult, result_parts, segment_one
from glisson.run.slide_list import AskedSlide
from glisson.slides import SlideInfo, open_slide

logger = logging.getLogger(__name__)

NEW = "new"
_ADVICE = "See that it is still there and may be read, then run again."


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

    def failed(self, why: str) -> SlideResult:
        """Its result when it has none."""
        return self.labelled(SlideResult(self.name, self.asked.path, "failed", None, {}, why))

    def labelled(self, result: SlideResult) -> SlideResult:
        """A result with the slide's number and case."""
        case = (self.asked.patient, self.asked.institution)
        return replace(result, number=self.number, case=case)


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
        MemoryError: it may fit into a fresh process.
    """
    try:
        return _done(task, bundle, runtime, observer)
    except (OutputError, ModelError, MissingExtra):
        raise
    except GlissonError as error:
        logger.warning("%s: %s", task.name, error)
        return TaskDone(task.failed(str(error)))
    except MemoryError:
        raise
    except OSError as error:  # where results cannot be written it is an OutputError
        why = f"{task.asked.path} cannot be read: {error.strerror or error}. {_ADVICE}"
        logger.warning("%s: %s", task.name, why)
        return TaskDone(task.failed(why))
    except Exception as error:  # a slide that nobody thought of costs itself, not the night's run
        logger.exception("%s", task.name)
        why = f"{task.asked.path}: {type(error).__name__}: {error}. Please report this."
        return TaskDone(task.failed(why))


def _done(
    task: SlideTask, bundle: ModelBundle, runtime: Runtime, observer: RunObserver
) -> TaskDone:
    settings, path = task.settings, task.asked.path
    with open_slide(path, mpp=settings.mpp) as slide:
        parts = result_parts(path, bundle, settings)
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
