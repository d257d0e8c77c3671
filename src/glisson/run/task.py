"""The work on one slide of a run: the same here, in a process of its own, or elsewhere."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from glisson.errors import (
    GlissonError,
    MissingExtra,
    ModelError,
    OutputError,
    SlideError,
    StorageError,
)
from glisson.inputs.redaction import Scrub, hidden_in_logs, scrubber
from glisson.inputs.slide_list import AskedSlide
from glisson.model import ModelBundle, Runtime
from glisson.record import BiopsyRecord
from glisson.results.folder import why_not_done
from glisson.results.identity import identity_from_afar, slide_identity
from glisson.results.reading import StoredSlide
from glisson.results.record import SlideResult
from glisson.results.remote import working_copy
from glisson.run.journey import finest_mpp, result_parts, segment_one
from glisson.run.observer import RunObserver
from glisson.run.opening import info_at, info_of, opened_slide
from glisson.run.settings import RunSettings
from glisson.slides import Slide, SlideInfo, open_slide
from glisson.storage import Place, Url, look_at

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

    @property
    def told(self) -> Place:
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

    def check_opens(self) -> None:
        """Prove that the slide can be opened; or, on a store, where it may be large, is there.

        Raises:
            SlideError: as `open_slide`; a pseudonym stands for the slide's name.
            StorageError: as `look_at`, likewise.
        """
        with self.hiding():
            try:
                if isinstance(self.asked.path, Url):
                    look_at(self.asked.path)
                else:
                    open_slide(self.asked.path, mpp=self.settings.mpp).close()
            except (SlideError, StorageError) as error:
                if self.asked.pseudonym is None:
                    raise
                raise type(error)(self.scrub(str(error))) from None

    def facts(self, slide: Slide) -> SlideInfo:
        """The slide's facts, with the place that it was asked for unless that is hidden."""
        hidden = self.asked.pseudonym is not None
        return slide.info if hidden else info_of(slide, self.asked.path)

    def failed(self, why: str) -> SlideResult:
        """Its result when it has none."""
        result = SlideResult(self.name, self.told, "failed", None, None, self.scrub(why))
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
        MemoryError: it may fit into a fresh process.
    """
    with task.hiding():
        try:
            if task.results is None:
                return _done(task, bundle, runtime, observer)
            return _done_on_store(task, task.results, bundle, runtime, observer)
        except (OutputError, ModelError, MissingExtra, MemoryError):
            raise
        except GlissonError as error:
            logger.warning("%s: %s", task.name, error)
            return TaskDone(task.failed(str(error)))
        except OSError as error:  # where results cannot be written it is an OutputError
            why = f"{task.told} cannot be read: {error.strerror or error}. {_ADVICE}"
            logger.warning("%s: %s", task.name, why)
            return TaskDone(task.failed(why))
        except Exception as error:  # a slide that nobody thought of costs itself, not the run
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
    settings, where, pseudonym = task.settings, task.asked.path, task.asked.pseudonym
    identity = identity_from_afar(where, pseudonym)
    if identity and _why(task, result_parts(identity, bundle, settings)) is None:
        return _kept(task)
    with opened_slide(where, settings, finest_mpp(bundle), observer, task.name) as (slide, path):
        if pseudonym is not None:
            slide.hide_file(pseudonym)
        identity = identity or slide_identity(path, pseudonym)
        because = _why(task, result_parts(identity, bundle, settings))
        if because is None:
            return _kept(task, task.facts(slide))
        if because != NEW:
            logger.info("%s is done again: %s", task.name, because)
        result = segment_one(
            slide, where, task.name, task.out, bundle, runtime, settings, observer, identity
        )
        result = replace(result, because=None if because == NEW else because)
        return TaskDone(task.labelled(result), task.facts(slide))


def _done_on_store(
    task: SlideTask, results: Url, bundle: ModelBundle, runtime: Runtime, observer: RunObserver
) -> TaskDone:
    """The same with results on a store: what is there comes first, what is new goes there."""
    with working_copy(task.out, results, task.run_settings.cache) as stored:
        stored.bring_slide(task.name)
        done = _done(replace(task, out=stored.here), bundle, runtime, observer)
        if done.result.outcome == "done":
            observer.stage_started(task.name, "store")
            stored.put_slide(task.name)
        return done


def _kept(task: SlideTask, info: SlideInfo | None = None) -> TaskDone:
    """Results that stay, with the facts of the slide, or those that they hold of one on a store."""
    folder, where = task.out / task.name, task.asked.path
    stored = StoredSlide(task.name, folder, BiopsyRecord.read(folder))
    if info is None:
        info = stored.info
        if isinstance(where, Url) and task.asked.pseudonym is None:
            info = info_at(info, where)
    kept = SlideResult(task.name, where, "kept", folder, stored.record)
    return TaskDone(task.labelled(kept), info)


def _why(task: SlideTask, parts: dict[str, str]) -> str | None:
    """Why a slide has to be done, or None where its results stay."""
    folder = task.out / task.name
    if task.run_settings.overwrite:
        return "asked to overwrite" if folder.exists() else NEW
    return why_not_done(folder, parts)
