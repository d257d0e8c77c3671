"""Several slides, one after the other: a bad one costs only itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from glisson.errors import DamagedSlide, SettingsError, SlideError
from glisson.model import ModelBundle, OpeningRuntime, check_runs, find_model
from glisson.run.folder import prepare_output, sweep_output
from glisson.run.identity import model_identity
from glisson.run.isolated import IsolatedWorker
from glisson.run.observer import RunObserver, SilentObserver
from glisson.run.on_dask import done_on_dask
from glisson.run.settings import RunSettings
from glisson.run.shard import Shard
from glisson.run.slide import SlideResult
from glisson.run.slide_list import AskedSlide, asked_slides
from glisson.run.summary import RunFacts, write_summary
from glisson.run.task import SlideTask, TaskDone, do_task
from glisson.slides import SlideInfo, open_slide

Slides = Sequence[Path | str | AskedSlide] | Path | str


@dataclass(frozen=True)
class RunResult:
    """What became of a run.

    Attributes:
        out: the results folder.
        slides: one result a slide, in the order given.
    """

    out: Path
    slides: tuple[SlideResult, ...]

    @property
    def failed(self) -> tuple[SlideResult, ...]:
        """Slides without a result."""
        return tuple(result for result in self.slides if result.outcome == "failed")


def segment(
    slides: Slides,
    out: Path | str,
    model: Path | str | None = None,
    settings: RunSettings | None = None,
    observer: RunObserver | None = None,
    shard: Shard | None = None,
    isolated: bool = False,
    dask: str | None = None,
) -> RunResult:
    """Find and measure the portal tracts of slides, and write the results folder `out`.

    Args:
        slides: slides, folders of slides, patterns, or slides with settings of their own.
        out: the results folder; made if need be.
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
    tasks = _tasks(slides, Path(out), settings, shard)
    bundle = find_model(model)
    check_runs(bundle, settings.runtime)
    if not isolated and dask is None:
        _check_any_opens(tasks)
    prepare_output(Path(out))
    sweep_output(Path(out))
    run = _Run(Path(out), bundle, settings, observer or SilentObserver(), shard)
    if dask is not None:
        return run.on_dask(tasks, dask)
    return run.isolated(tasks) if isolated else run.here(tasks)


def _tasks(
    slides: Slides, out: Path, settings: RunSettings, shard: Shard | None
) -> Sequence[SlideTask]:
    given = [slides] if isinstance(slides, str | Path) else list(slides)
    asked: list[AskedSlide] = []
    for each in given:
        asked += [each] if isinstance(each, AskedSlide) else asked_slides([Path(each)])
    names = result_names([each.path for each in asked])
    tasks = [
        SlideTask(each, name, number, out, settings)
        for number, (each, name) in enumerate(zip(asked, names, strict=True), 1)
    ]
    return tasks if shard is None else shard.of(tasks)


def result_names(paths: Sequence[Path]) -> list[str]:
    """A folder name for each slide: its stem, or its whole name where stems repeat.

    Raises:
        SettingsError: no slide, or two slides of the same name.
    """
    if not paths:
        raise SettingsError("No slide was given; name at least one slide file.")
    stems = Counter(path.stem.casefold() for path in paths)
    names = [path.stem if stems[path.stem.casefold()] == 1 else path.name for path in paths]
    repeated = [n for n, k in Counter(name.casefold() for name in names).items() if k > 1]
    if repeated:
        raise SettingsError(
            f"Two slides are called {repeated[0]}; their results would share a folder. "
            "Rename one, or segment them into two folders."
        )
    return names


def _check_any_opens(tasks: Sequence[SlideTask]) -> None:
    """Fail before any work when there is no slide to work on."""
    first: SlideError | None = None
    for task in tasks:
        try:
            with open_slide(task.asked.path, mpp=task.settings.mpp):
                return
        except SlideError as error:
            first = first or error
    if first is not None:
        raise first


class _Run:
    """One run: does its tasks, keeps what the summary needs, and writes it."""

    def __init__(
        self,
        out: Path,
        bundle: ModelBundle,
        settings: RunSettings,
        observer: RunObserver,
        shard: Shard | None,
    ) -> None:
        self._out = out
        self._bundle = bundle
        self._settings = settings
        self._observer = observer
        self._shard = shard
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
            sweep_output(self._out)
            results.sort(key=lambda result: result.number)
            write_summary(self._out, results, self._infos, self._facts(len(tasks), finished))
        if len(tasks) == 1 and results[0].outcome == "failed" and self._shard is None:
            raise DamagedSlide(results[0].error)
        return RunResult(self._out, tuple(results))

    def _kept_in_mind(self, done: TaskDone) -> SlideResult:
        if done.info is not None:
            self._infos[done.result.name] = done.info
        return done.result

    def _facts(self, total: int, finished: bool) -> RunFacts:
        model = model_identity(self._bundle)
        settings = self._settings.for_record()
        return RunFacts(self._started, model, settings, total, finished, self._shard)
