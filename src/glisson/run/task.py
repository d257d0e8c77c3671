"""The work on one slide of a run: the same here, in a process of its own, or elsewhere."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from glisson.errors import GlissonError, MissingExtra, ModelError, OutputError
from glisson.model import ModelBundle, Runtime
from glisson.run.folder import BIOPSY, read_json, why_not_done
from glisson.run.identity import identity_from_afar, slide_identity
from glisson.run.observer import RunObserver
from glisson.run.results_store import working_copy
from glisson.run.settings import RunSettings
from glisson.run.slide import SlideResult, finest_mpp, result_parts, segment_one
from glisson.run.slide_list import AskedSlide
from glisson.run.stored import StoredSlide
from glisson.run.stored_slide import info_at, info_of, opened_slide
from glisson.slides import SlideInfo
from glisson.storage import Url

logger = logging.getLogger(__name__)

NEW = "new"


@dataclass(frozen=True)
class SlideTask:
    """One slide of a run.

    Attributes:
        asked: the slide, and what is special about it.
        name: of its result folder.
        number: its place in the whole run, from 1.
        out: the run's folder, or its working copy.
        run_settings: of the whole run.
        results: where the run's results go, if that is a store.
    """

    asked: AskedSlide
    name: str
    number: int
    out: Path
    run_settings: RunSettings
    results: Url | None = None

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
    """
    try:
        if task.results is None:
            return _done(task, bundle, runtime, observer)
        return _done_on_store(task, task.results, bundle, runtime, observer)
    except (OutputError, ModelError, MissingExtra):
        raise
    except GlissonError as error:
        logger.warning("%s: %s", task.name, error)
        return TaskDone(task.failed(str(error)))


def _done(
    task: SlideTask, bundle: ModelBundle, runtime: Runtime, observer: RunObserver
) -> TaskDone:
    settings, where = task.settings, task.asked.path
    identity = identity_from_afar(where)
    if identity and _why(task, result_parts(identity, bundle, settings)) is None:
        return _kept(task)
    with opened_slide(where, settings, finest_mpp(bundle), observer) as (slide, path):
        identity = identity or slide_identity(path)
        because = _why(task, result_parts(identity, bundle, settings))
        if because is None:
            return _kept(task, info_of(slide, where))
        if because != NEW:
            logger.info("%s is done again: %s", task.name, because)
        result = segment_one(
            slide, where, task.name, task.out, bundle, runtime, settings, observer, identity
        )
        result = replace(result, because=None if because == NEW else because)
        return TaskDone(task.labelled(result), info_of(slide, where))


def _done_on_store(
    task: SlideTask, results: Url, bundle: ModelBundle, runtime: Runtime, observer: RunObserver
) -> TaskDone:
    """The same with results on a store: what is there comes first, what is new goes there."""
    with working_copy(task.out, results, task.run_settings.cache) as stored:
        stored.bring_slide(task.name)
        done = _done(replace(task, out=stored.here), bundle, runtime, observer)
        if done.result.outcome == "done":
            observer.stage_started("store")
            stored.put_slide(task.name)
        return done


def _kept(task: SlideTask, info: SlideInfo | None = None) -> TaskDone:
    """Results that stay, with the facts of the slide, or those that they hold of one on a store."""
    folder, where = task.out / task.name, task.asked.path
    stored = StoredSlide(task.name, folder, read_json(folder / BIOPSY))
    if info is None:
        info = info_at(stored.info, where) if isinstance(where, Url) else stored.info
    kept = SlideResult(task.name, where, "kept", folder, stored.record)
    return TaskDone(task.labelled(kept), info)


def _why(task: SlideTask, parts: dict[str, str]) -> str | None:
    """Why a slide has to be done, or None where its results stay."""
    folder = task.out / task.name
    if task.run_settings.overwrite:
        return "asked to overwrite" if folder.exists() else NEW
    return why_not_done(folder, parts)
