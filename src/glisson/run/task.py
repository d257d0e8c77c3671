"""The work on one slide of a run: the same here, in a process of its own, or elsewhere."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from glisson.errors import (
    GlissonError,
    MissingExtra,
    ModelError,
    OutputError,
    SlideError,
    StorageError,
)
from glisson.inputs.redaction import Scrub, hidden_in_logs, make_scrubber
from glisson.inputs.slide_list import SlideEntry
from glisson.model import ModelBundle, Runtime
from glisson.record import BiopsyRecord
from glisson.results.folder import (
    NEW,
    SlideRequest,
    find_redo_reason,
    holds_results,
    read_manifest,
)
from glisson.results.identity import (
    read_identity,
    read_remote_identity,
    read_stamp,
    read_time_of_copy,
)
from glisson.results.record import SlideResult
from glisson.results.remote import Results, open_working_copy
from glisson.run.journey import Journey, find_finest_mpp, hash_parts
from glisson.run.observer import RunObserver
from glisson.run.opening import open_run_slide
from glisson.run.settings import RunSettings
from glisson.slides import open_slide
from glisson.storage import Place, Url, make_absolute, stat_url

logger = logging.getLogger(__name__)

_ADVICE = "Check that it is still there and may be read, then run again."


@dataclass(frozen=True)
class SlideTask:
    """One slide of a run.

    Attributes:
        entry: the slide, and the facts that the list of slides gives.
        name: of its result folder.
        number: its place in the whole run, from 1.
        out: the run's folder, or its working copy.
        run_settings: of the whole run.
        results: the run's results, if they are on a store.
    """

    entry: SlideEntry
    name: str
    number: int
    out: Path
    run_settings: RunSettings
    results: Url | None = None

    @property
    def settings(self) -> RunSettings:
        """Return the run's settings with those of the slide."""
        run = self.run_settings
        series = run.series if self.entry.series is None else self.entry.series
        return replace(
            run,
            mpp=self.entry.mpp or run.mpp,
            series=series,
            sections=self.entry.sections or run.sections,
        )

    @property
    def shown(self) -> Place:
        """Return what messages and files call the slide: its path, or its pseudonym."""
        return self.entry.path if self.entry.pseudonym is None else Path(self.entry.pseudonym)

    @property
    def scrub(self) -> Scrub:
        """Return a function that replaces the slide's name by its pseudonym, if it has one."""
        if self.entry.pseudonym is None:
            return str
        return make_scrubber(self.entry.path, self.entry.pseudonym)

    def hiding(self) -> AbstractContextManager[None]:
        """Hide the name of a slide with a pseudonym in the logs inside the `with`."""
        return nullcontext() if self.entry.pseudonym is None else hidden_in_logs(self.scrub)

    def check_opens(self) -> None:
        """Prove that the slide opens; or, on a store, that it exists, as it may be large.

        Raises:
            SlideError: as `open_slide`; a pseudonym replaces the slide's name.
            StorageError: as `stat_url`; likewise.
        """
        with self.hiding():
            try:
                if isinstance(self.entry.path, Url):
                    stat_url(self.entry.path)
                else:
                    settings = self.settings
                    open_slide(self.entry.path, settings.mpp, settings.series).close()
            except (SlideError, StorageError) as error:
                if self.entry.pseudonym is None:
                    raise
                raise type(error)(self.scrub(str(error))) from None

    @property
    def request(self) -> SlideRequest:
        """Return the facts of the slide that its folder keeps."""
        entry, is_hidden = self.entry, self.entry.pseudonym is not None
        path = None if is_hidden else str(make_absolute(entry.path))
        return SlideRequest(self.shown.name, path, entry.patient, entry.institution, is_hidden)

    def make_result(self, outcome: str, **facts: Any) -> SlideResult:
        """Make the slide's result, with its number and case."""
        return SlideResult(
            self.name,
            self.shown,
            outcome,
            number=self.number,
            case=(self.entry.patient, self.entry.institution),
            pseudonym=self.entry.pseudonym is not None,
            **facts,
        )

    def fail(self, why: str) -> SlideResult:
        """Make the result of a slide that has none."""
        return self.make_result("failed", error=self.scrub(why))


def do_task(
    task: SlideTask, bundle: ModelBundle, runtime: Runtime, observer: RunObserver
) -> SlideResult:
    """Segment a slide, unless its results are there; a slide that cannot be done has failed.

    Raises:
        OutputError: results cannot be written; every other slide would meet the same disk.
        ModelError: the model cannot be used, for this slide or any other.
        MissingExtra: the model needs what is not installed.
        MemoryError: it may fit into a fresh process.
    """
    with task.hiding():
        try:
            if task.results is None:
                return _do_here(task, Results(task.out), bundle, runtime, observer)
            return _do_on_store(task, task.results, bundle, runtime, observer)
        except (OutputError, ModelError, MissingExtra, MemoryError):
            raise
        except GlissonError as error:
            logger.warning("%s: %s", task.name, error)
            return task.fail(str(error))
        except OSError as error:  # where results cannot be written it is an OutputError
            why = f"{task.shown} cannot be read: {error.strerror or error}. {_ADVICE}"
            logger.warning("%s: %s", task.name, why)
            return task.fail(why)
        except Exception as error:  # an unforeseen slide costs itself, not the run
            logger.exception("%s", task.name)
            return task.fail(
                f"{task.shown}: {type(error).__name__}: {error}. The file may be damaged: open it "
                "in another program, or copy it again from its source. If it is whole, please "
                "report this."
            )


def _do_on_store(
    task: SlideTask, place: Url, bundle: ModelBundle, runtime: Runtime, observer: RunObserver
) -> SlideResult:
    """Do the same with results on a store: download earlier results, upload new ones."""
    with open_working_copy(task.out, place, task.run_settings.cache) as results:
        results.download_slide(task.name)
        result = _do_here(replace(task, out=results.here), results, bundle, runtime, observer)
        if result.outcome == "done":
            observer.stage_started(task.name, "store")
            results.upload_slide(task.name)
        return result


def _do_here(
    task: SlideTask,
    results: Results,
    bundle: ModelBundle,
    runtime: Runtime,
    observer: RunObserver,
) -> SlideResult:
    settings, where, pseudonym = task.settings, task.entry.path, task.entry.pseudonym
    identity = read_remote_identity(where, pseudonym)
    if identity and _why(task, hash_parts(identity, bundle, settings)) is None:
        return _keep(task, results)
    stamp = read_stamp(where) if isinstance(where, Path) else None
    with open_run_slide(where, settings, find_finest_mpp(bundle), observer, task.name) as (
        slide,
        path,
    ):
        if pseudonym is not None:
            slide.hide_file(pseudonym)
        identity = identity or read_identity(path, pseudonym)
        why = _why(task, hash_parts(identity, bundle, settings)) or _find_newer_copy(task)
        if why is None:
            return _keep(task, results)

        def check_unchanged() -> None:
            if stamp is not None and (
                read_stamp(path) != stamp or read_identity(path, pseudonym) != identity
            ):
                raise SlideError(
                    f"{task.shown} was replaced or written to while it was read. Run again when "
                    "it is there whole."
                )

        because = None if why == NEW else why
        if because is not None:
            logger.info("%s is done again: %s", task.name, because)
        record = Journey(slide, identity, task, bundle, runtime, observer).run(
            because, check_unchanged
        )
    return task.make_result("done", folder=task.out / task.name, record=record, because=because)


def _find_newer_copy(task: SlideTask) -> str | None:
    """Return why a damaged slide has to be done again: its file was copied again since."""
    where, folder = task.entry.path, task.out / task.name
    if not isinstance(where, Path) or not BiopsyRecord.read(folder).slide.damaged_l0:
        return None
    ended = datetime.fromisoformat(str((read_manifest(folder) or {}).get("ended", "1970-01-01")))
    if read_time_of_copy(where) <= ended.timestamp() + 1:  # `ended` is in whole seconds
        return None
    return "the damaged slide was copied again"


def _keep(task: SlideTask, results: Results) -> SlideResult:
    """Return the results that hold, and note that this run was given the slide."""
    results.note_kept(task.name, task.request)
    folder = task.out / task.name
    return task.make_result("kept", folder=folder, record=BiopsyRecord.read(folder))


def _why(task: SlideTask, parts: dict[str, str]) -> str | None:
    """Return why a slide has to be done, or None where its results hold."""
    folder, run = task.out / task.name, task.run_settings
    if run.overwrite:
        return "asked to overwrite" if holds_results(folder) else NEW
    return find_redo_reason(folder, {"slide": parts["slide"]} if run.keep_old else parts)
