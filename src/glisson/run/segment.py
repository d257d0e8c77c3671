"""Several slides, one after the other: a bad one costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from glisson.errors import DamagedSlide, GlissonError, SettingsError, SlideError, StorageError
from glisson.inputs.slide_list import AskedSlide, asked_slides
from glisson.model import ModelBundle, OpeningRuntime, check_runs, find_model
from glisson.results.folder import sweep_output
from glisson.results.identity import model_identity
from glisson.results.names import result_names
from glisson.results.pseudonymity import check_no_names_in
from glisson.results.record import SlideResult
from glisson.results.remote import Results, results_at
from glisson.results.shard import Shard
from glisson.results.summary import RunFacts, warnings_of_run, write_summary
from glisson.run.executors.isolated import IsolatedWorker
from glisson.run.executors.on_dask import done_on_dask
from glisson.run.observer import RunObserver, SilentObserver
from glisson.run.settings import RunSettings
from glisson.run.task import SlideTask, TaskDone, do_task
from glisson.slides import SlideInfo
from glisson.storage import Place, Url, absolute, place

Slides = Sequence[Place | str | AskedSlide] | Place | str


@dataclass(frozen=True)
class RunResult:
    """What became of a run.

    Attributes:
        out: the results folder, or its address on a store.
        slides: one result a slide, in the order given.
        warnings: sentences on the run, not on one of its slides.
    """

    out: Place
    slides: tuple[SlideResult, ...]
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[SlideResult, ...]:
        """Slides without a result."""
        return tuple(result for result in self.slides if result.outcome == "failed")


def segment(
    slides: Slides,
    out: Place | str,
    model: Path | str | None = None,
    settings: RunSettings | None = None,
    observer: RunObserver | None = None,
    shard: Shard | None = None,
    isolated: bool = False,
    dask: str | None = None,
) -> RunResult:
    """Find and measure the portal tracts of slides, and write the results folder `out`.

    Args:
        slides: slides, folders of slides, patterns, or slides with settings of their own; paths
            or addresses such as `s3://bucket/scans/`.
        out: the results folder, made if need be, or its address.
        model: name or folder of a model bundle; None for the one that is shipped.
        settings: what to do; defaults suit an H&E needle biopsy.
        observer: told about progress.
        shard: the part of the slides to do here; `gather` joins the parts.
        isolated: work in a process of its own, which is replaced when a slide crashes or stalls
            it. Like every program that starts processes, yours then needs the usual
            `if __name__ == "__main__":`.
        dask: a scheduler's address or file: work on its cluster instead.

    Raises:
        SlideError: the only slide cannot be used.
        ModelError: the model cannot be used.
        OutputError: results cannot be written.
    """
    settings = settings or RunSettings()
    asked = _asked(slides)
    names = _names(asked, place(out))
    tasks = _tasks(asked, names, settings, shard)
    for task in tasks:
        _check_apart(task, place(out))
    bundle = find_model(model)
    check_runs(bundle, settings.runtime)
    if not isolated and dask is None:
        _check_any_opens(tasks)
    hidden = any(each.pseudonym for each in asked)
    if hidden:
        check_no_names_in(place(out))
    with results_at(place(out), settings.cache) as results:
        sweep_output(results.here)
        store = results.place if isinstance(results.place, Url) else None
        tasks = [replace(task, out=results.here, results=store) for task in tasks]
        observer = observer or SilentObserver()
        run = _Run(results, bundle, settings, observer, shard, hidden, names)
        if dask is not None:
            return run.on_dask(tasks, dask)
        return run.isolated(tasks) if isolated else run.here(tasks)


def _asked(slides: Slides) -> list[AskedSlide]:
    given = [slides] if isinstance(slides, str | Path | Url) else list(slides)
    asked: list[AskedSlide] = []
    for each in given:
        asked += [each] if isinstance(each, AskedSlide) else asked_slides([each])
    return asked


def _tasks(
    asked: Sequence[AskedSlide], names: Sequence[str], settings: RunSettings, shard: Shard | None
) -> Sequence[SlideTask]:
    tasks = [
        SlideTask(each, name, number, Path(), settings)
        for number, (each, name) in enumerate(zip(asked, names, strict=True), 1)
    ]
    return tasks if shard is None else shard.of(tasks)


def _names(asked: Sequence[AskedSlide], out: Place) -> list[str]:
    """Result folders' names: pseudonyms where slides have them, which are then told alone."""
    pseudonyms = [each.pseudonym for each in asked if each.pseudonym is not None]
    if not pseudonyms:
        return result_names([each.path for each in asked], out)
    if len(pseudonyms) < len(asked) or len({name.casefold() for name in pseudonyms}) < len(asked):
        raise SettingsError("Every slide of a run needs a pseudonym of its own, or none has one.")
    return pseudonyms


def _check_apart(task: SlideTask, out: Place) -> None:
    """Refuse results that would take the place of a slide's own folder."""
    where = task.asked.path
    own = where.parent / where.stem if where.suffix.lower() == ".mrxs" else where
    if absolute(own) == absolute(out / task.name):
        raise SettingsError(
            f"The results of {where} would take the place of {own}, which is part of the slide. "
            "Choose another folder with -o."
        )


def _check_any_opens(tasks: Sequence[SlideTask]) -> None:
    """Fail before any work when there is no slide to work on; one on a store may be large."""
    first: GlissonError | None = None
    for task in tasks:
        try:
            task.check_opens()
            return
        except (SlideError, StorageError) as error:
            first = first or error
    if first is not None:
        raise first


class _Run:
    """One run: does its tasks, keeps what the summary needs, and writes it."""

    def __init__(
        self,
        place: Results,
        bundle: ModelBundle,
        settings: RunSettings,
        observer: RunObserver,
        shard: Shard | None,
        pseudonyms: bool,
        names: Sequence[str],
    ) -> None:
        self._place = place
        self._bundle = bundle
        self._settings = settings
        self._observer = observer
        self._shard = shard
        self._pseudonyms = pseudonyms
        self._names = names
        self._started = datetime.now(UTC)
        self._infos: dict[str, SlideInfo] = {}

    def here(self, tasks: Sequence[SlideTask]) -> RunResult:
        """Do the tasks in this process."""
        chosen = self._settings
        runtime = OpeningRuntime(self._bundle, chosen.runtime, chosen.precision, chosen.threads)
        return self._one_by_one(
            tasks, lambda task: do_task(task, self._bundle, runtime, self._observer)
        )

    def isolated(self, tasks: Sequence[SlideTask]) -> RunResult:
        """Do the tasks in a process of its own."""
        worker = IsolatedWorker(self._bundle, self._settings, self._observer)
        try:
            return self._one_by_one(tasks, worker.do)
        finally:
            worker.close()

    def on_dask(self, tasks: Sequence[SlideTask], address: str) -> RunResult:
        """Do the tasks on a cluster."""
        return self._all(
            tasks, done_on_dask(address, tasks, self._bundle, self._settings, self._observer)
        )

    def _one_by_one(
        self, tasks: Sequence[SlideTask], do: Callable[[SlideTask], TaskDone]
    ) -> RunResult:
        def doing() -> Iterator[TaskDone]:
            for position, task in enumerate(tasks, start=1):
                self._observer.slide_started(task.name, position, len(tasks))
                yield do(task)

        return self._all(tasks, doing())

    def _all(self, tasks: Sequence[SlideTask], coming: Iterable[TaskDone]) -> RunResult:
        """Take in what is done, in any order, and write the summary whatever happens."""
        results: list[SlideResult] = []
        finished = False
        try:
            for done in coming:
                results.append(self._kept_in_mind(done))
                self._observer.slide_finished(done.result.name, done.result.outcome)
            finished = True
        finally:
            sweep_output(self._place.here)
            results.sort(key=lambda result: result.number)
            facts = self._facts(len(tasks), finished)
            self._write_summary(results, facts)
        if len(tasks) == 1 and results[0].outcome == "failed" and self._shard is None:
            raise DamagedSlide(results[0].error)
        return RunResult(self._place.place, tuple(map(self._in_place, results)), facts.warnings)

    def _write_summary(self, results: Sequence[SlideResult], facts: RunFacts) -> None:
        if self._shard is None:
            self._place.bring_run([each.name for each in results if each.outcome != "failed"])
        write_summary(self._place.here, results, self._infos, facts)
        self._place.put_run()

    def _in_place(self, result: SlideResult) -> SlideResult:
        """A result with the folder where it stays."""
        if result.folder is None:
            return result
        return replace(result, folder=self._place.place / result.name)

    def _kept_in_mind(self, done: TaskDone) -> SlideResult:
        if done.info is not None:
            self._infos[done.result.name] = done.info
        return done.result

    def _facts(self, total: int, finished: bool) -> RunFacts:
        model = model_identity(self._bundle)
        settings = self._settings.for_record()
        whole = self._shard is None
        return RunFacts(
            self._started,
            model,
            settings,
            total,
            finished,
            self._shard,
            self._pseudonyms,
            self._names,
            keeps_tables=whole and not finished and self._place.has_tables(),
            warnings=warnings_of_run(self._place, self._names) if whole and finished else (),
        )
