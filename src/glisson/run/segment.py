"""Several slides into one results folder: a bad slide costs only itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from glisson.errors import DamagedSlide, GlissonError, SettingsError, SlideError, StorageError
from glisson.inputs.slide_list import SlideEntry, list_slides
from glisson.model import ModelBundle, check_runs, find_model, is_shipped
from glisson.results.folder import sweep_output
from glisson.results.identity import describe_model, list_versions
from glisson.results.names import name_folders
from glisson.results.pseudonymity import check_no_names_in
from glisson.results.record import SlideResult
from glisson.results.remote import Results, open_results
from glisson.results.state import (
    SlideState,
    check_alike,
    find_method,
    list_warnings,
    make_method,
    parse_bases,
    read_states,
)
from glisson.results.summary import write_summary
from glisson.run.executors import Executor, InProcess, Shard, Work, find_executor
from glisson.run.observer import RunObserver, SilentObserver
from glisson.run.settings import RunSettings
from glisson.run.task import SlideTask
from glisson.storage import Place, Url, parse_place, resolve_place

Slides = Sequence[Place | str | SlideEntry] | Place | str


@dataclass(frozen=True)
class RunResult:
    """The outcome of a run.

    Attributes:
        out: the results folder, or its address on a store.
        slides: one result for each slide of this run, in the order given.
        warnings: sentences on the results folder, not on one of its slides.
        folder_total: slides in tables and report, those of earlier runs included; 0 for a shard.
    """

    out: Place
    slides: tuple[SlideResult, ...]
    warnings: tuple[str, ...] = ()
    folder_total: int = 0

    @property
    def failed(self) -> tuple[SlideResult, ...]:
        """Return the slides without a result."""
        return tuple(result for result in self.slides if result.outcome == "failed")


def segment(
    slides: Slides,
    out: Place | str,
    model: Path | str | None = None,
    settings: RunSettings | None = None,
    observer: RunObserver | None = None,
    executor: Executor | str | None = None,
) -> RunResult:
    """Find and measure the portal tracts of slides, and write the results folder `out`.

    Slides that `out` holds already stay, and stand in its tables and report too.

    Args:
        slides: slides, folders of slides, patterns, or slides with settings of their own; paths
            or addresses such as `s3://bucket/scans/`.
        out: the results folder, made if need be, or its address.
        model: name or folder of a model bundle; None for the shipped model.
        settings: what to do; defaults suit an H&E needle biopsy.
        observer: the progress callbacks.
        executor: where the slides are done. `process`: a process of its own, which is replaced
            when a slide crashes or stalls it; the default for several slides. `here`: this
            process; the default for one slide with the shipped model. Or a Dask scheduler's address
            or file, a `Shard`, or an executor of your own.

    Raises:
        SettingsError: invalid slides or settings; or `out` holds other slides that were measured
            in another way, and `settings.keep_old` is not set.
        SlideError: the only slide cannot be used.
        ModelError: the model cannot be used.
        OutputError: results cannot be written.
    """
    settings, where = settings or RunSettings(), parse_place(out)
    tasks = _plan(slides, where, settings)
    bundle = find_model(model)
    check_runs(bundle, settings.runtime)
    chosen = find_executor(executor, len(tasks), is_shipped(bundle))
    given = executor.executor if isinstance(executor, Shard) else executor
    if isinstance(chosen, InProcess) or (given is None and len(tasks) == 1):
        _check_any_opens(tasks)
    if tasks[0].request.pseudonyms:
        check_no_names_in(where)
    with open_results(where, settings.cache) as results:
        store = results.place if isinstance(results.place, Url) else None
        tasks = [replace(task, out=results.here, results=store) for task in tasks]
        _check_others(results, tasks, bundle)
        sweep_output(results.here)
        results.note_waiting({task.name: task.request for task in tasks})
        work = Work(bundle, settings, observer or SilentObserver())
        return _run(tasks, work, chosen, results)


def _plan(slides: Slides, out: Place, settings: RunSettings) -> list[SlideTask]:
    """List the slides and name their result folders.

    Raises:
        SettingsError: as `name_folders`; some slides have a pseudonym and others none; or results
            would take the place of a slide's own folder.
    """
    given = [slides] if isinstance(slides, str | Path | Url) else list(slides)
    entries: list[SlideEntry] = []
    for each in given:
        entries += [each] if isinstance(each, SlideEntry) else list_slides([each])
    names = [each.pseudonym for each in entries if each.pseudonym is not None]
    if not names:
        names = name_folders([each.path for each in entries], out)
    if len({name.casefold() for name in names}) < len(entries):
        raise SettingsError("Every slide of a run needs a pseudonym of its own, or none has one.")
    for entry, name in zip(entries, names, strict=True):
        where = entry.path
        own = where.parent / where.stem if where.suffix.lower() == ".mrxs" else where
        if resolve_place(own) == resolve_place(out / name):
            raise SettingsError(
                f"The results of {where} would take the place of {own}, which is part of the "
                "slide. Choose another folder with -o."
            )
    return [
        SlideTask(entry, name, number, Path(), settings)
        for number, (entry, name) in enumerate(zip(entries, names, strict=True), 1)
    ]


def _check_any_opens(tasks: Sequence[SlideTask]) -> None:
    """Fail before any work when no slide opens.

    A slide on a store may be large: Glisson only checks that it exists.

    Raises:
        SlideError: as `SlideTask.check_opens` for the first slide.
        StorageError: likewise.
    """
    first: GlissonError | None = None
    for task in tasks:
        try:
            task.check_opens()
            return
        except (SlideError, StorageError) as error:
            first = first or error
    if first is not None:
        raise first


def _check_others(results: Results, tasks: Sequence[SlideTask], bundle: ModelBundle) -> None:
    """Reject a folder whose other slides were measured in another way, or are named otherwise."""
    others = parse_bases(results.read_other_records([task.name for task in tasks]))
    hidden = tasks[0].request.pseudonyms
    if any(basis.slide.pseudonyms != hidden for basis in others.values()):
        raise SettingsError(
            f"{results.place} holds slides {'without' if hidden else 'with'} pseudonyms. Choose "
            "another folder with -o."
        )
    settings = tasks[0].run_settings
    version = list_versions()["glisson"]
    method = make_method(describe_model(bundle), settings.for_record(), version)
    advice = "Give those slides too, which redoes them, or choose another folder with -o."
    methods = {name: find_method(basis) for name, basis in others.items()}
    check_alike(results.place, method, methods, advice, settings.keep_old)


def _run(tasks: Sequence[SlideTask], work: Work, executor: Executor, results: Results) -> RunResult:
    """Take in results in any order; write tables and report of the whole folder at the end.

    A shard writes none of them: another shard may end at the same moment.
    """
    done: list[SlideResult] = []
    requests = {task.name: task.request for task in tasks}
    states: list[SlideState] = []
    try:
        with closing(executor.run(tasks, work)) as coming:
            for result in coming:
                if result.error is not None:
                    results.note_failure(result.name, requests[result.name], result.error)
                # the folder where results stay, not that of a working copy
                folder = result.folder and results.place / result.name
                done.append(replace(result, folder=folder))
                work.observer.slide_finished(result.name, result.outcome)
    finally:
        sweep_output(results.here)
        if not isinstance(executor, Shard):
            results.download_all()
            states = read_states(results.here)
            write_summary(results.here, states)
            results.upload_run()
    if len(tasks) == 1 and not isinstance(executor, Shard) and done[0].error is not None:
        raise DamagedSlide(done[0].error)
    done.sort(key=lambda result: result.number)
    return RunResult(results.place, tuple(done), list_warnings(states), len(states))
