"""Slides on a Dask cluster that runs already: the same task, on any free worker."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
import uuid
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from glisson.errors import ClusterError, GlissonError, MissingExtra
from glisson.files.atomic import remove_abandoned
from glisson.model import ModelBundle, OpeningRuntime, Runtime
from glisson.results.record import SlideResult
from glisson.run.execution import do_task
from glisson.run.executors.base import Work
from glisson.run.observer import RunObserver, SilentObserver
from glisson.run.settings import RunSettings
from glisson.run.task import SlideTask
from glisson.storage import make_absolute

_CONNECT_S = 30
_LOOK_S = 0.1
_LISTEN_S = 5
_FETCH_S = 10
"""Seconds that a worker may take to send a result."""
NO_WORKERS_S = 600.0
"""Seconds without any worker after which the run ends; a worker may be a job in a queue."""
_TOPIC = "glisson"

_runtimes: dict[str, Runtime] = {}
_runtimes_lock = threading.Lock()


@dataclass(frozen=True)
class DaskCluster:
    """An executor that gives slides to the workers of a Dask cluster that runs already.

    A worker opens the model once. The scheduler gives a task whose worker dies to another; after
    its limit (`distributed.scheduler.allowed-failures`) the slide has failed. With the runtime
    `torch` a task needs the resource `GPU` where the cluster has workers that offer it.

    Slides, results and model must be at the same path on every worker, whose working folder may be
    another.

    Attributes:
        address: of the scheduler, such as `tcp://node1:8786`, or the path of its scheduler file.
    """

    address: str

    def run(self, tasks: Sequence[SlideTask], work: Work) -> Generator[SlideResult]:
        """Do the tasks on the cluster; as `Executor.run`.

        Raises:
            MissingExtra: dask.distributed is not installed.
            ClusterError: no scheduler answers, it was lost, or it has no workers.
            GlissonError: as `do_task`.
        """
        distributed = _import_distributed()
        tasks = [_make_absolute(each) for each in tasks]
        bundle = replace(work.bundle, folder=work.bundle.folder.absolute())
        with _connect(distributed, self.address) as client:
            run = _ClusterRun(
                distributed, client, self.address, work.observer, {t.name: t for t in tasks}
            )
            yield from run.run(bundle, work.settings)
            with suppress(Exception):  # leftover files do no harm
                client.run(remove_abandoned, tasks[0].out)


def _make_absolute(task: SlideTask) -> SlideTask:
    run = task.run_settings
    return replace(
        task,
        entry=replace(task.entry, path=make_absolute(task.entry.path)),
        out=task.out.absolute(),
        run_settings=replace(run, cache=run.cache and run.cache.absolute()),
    )


def _import_distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtra("--dask needs dask.distributed: pip install 'glisson[dask]'") from error
    return distributed


@contextmanager
def _connect(distributed: Any, address: str) -> Iterator[Any]:
    found = _wait_for_address(Path(address)) if address.endswith(".json") else address
    try:
        client = distributed.Client(found, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No Dask scheduler answers at {address}: {error}. Give the address that "
            "`dask scheduler` shows, such as tcp://node1:8786."
        ) from error
    try:
        yield client
    finally:
        log = logging.getLogger("distributed.client")
        before, log.disabled = log.disabled, True  # it tells of its search for a lost scheduler
        try:
            client.close()
        finally:
            log.disabled = before


def _wait_for_address(file: Path) -> str:
    """Read the address that a scheduler writes into its file when it starts.

    Dask's own client would wait without limit.
    """
    until = time.monotonic() + _CONNECT_S
    while True:
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            return str(json.loads(file.read_bytes())["address"])
        if time.monotonic() > until:
            raise ClusterError(
                f"No Dask scheduler has written its address to {file} within {_CONNECT_S} s. "
                f"Check the name, or start one: `dask scheduler --scheduler-file {file}`."
            )
        time.sleep(_LOOK_S)


@dataclass
class _ClusterRun:
    """A run on a cluster: it submits the tasks, and collects their outcomes in one thread."""

    distributed: Any
    client: Any
    address: str
    observer: RunObserver
    tasks: dict[str, SlideTask]
    _events: queue.SimpleQueue[tuple[str, Any]] = field(
        default_factory=queue.SimpleQueue, init=False
    )
    _started: set[str] = field(default_factory=set, init=False)
    _workers_seen: float = field(default_factory=lambda: time.monotonic(), init=False)

    def run(self, bundle: ModelBundle, settings: RunSettings) -> Iterator[SlideResult]:
        """Yield the results of the tasks as they are done."""
        run = uuid.uuid4().hex  # other runs on this cluster may have slides of the same name
        self.client.subscribe_topic(_TOPIC, lambda event: self._events.put(("event", event[1])))
        futures = {
            self.client.submit(
                _do,
                task,
                bundle,
                settings,
                run,
                key=f"{task.name}-{run}",
                pure=False,
                resources=self._find_resources(settings),
            ): task
            for task in self.tasks.values()
        }
        for future in futures:
            self._listen_to(future)
        while futures:
            kind, content = self._wait_for_event()
            if kind == "ended":
                done = self._collect(content, futures[content])
                if done is None:
                    self._listen_to(content)
                    continue
                self._note_start(futures.pop(content).name)
                yield done
            elif content.get("run") == run:
                name = content["slide"]
                if any(task.name == name for task in futures.values()):
                    self._note_start(name)
                    self.observer.stage_started(name, content["stage"])

    def _listen_to(self, future: Any) -> None:
        future.add_done_callback(lambda ended: self._events.put(("ended", ended)))

    def _find_resources(self, settings: RunSettings) -> dict[str, int] | None:
        if settings.runtime != "torch":
            return None
        offered = (each.get("resources", {}) for each in self._workers().values())
        return {"GPU": 1} if any("GPU" in each for each in offered) else None

    def _workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def _wait_for_event(self) -> tuple[str, Any]:
        """Return the next event; check for workers while there is none."""
        while True:
            try:
                return self._events.get(timeout=_LISTEN_S)
            except queue.Empty:
                if self._workers():
                    self._workers_seen = time.monotonic()
                elif time.monotonic() - self._workers_seen > NO_WORKERS_S:
                    raise ClusterError(
                        f"The Dask cluster at {self.address} has had no workers for "
                        f"{NO_WORKERS_S:.0f} s. Start some, then run the same command again: "
                        "finished slides are kept."
                    ) from None

    def _note_start(self, name: str) -> None:
        if name not in self._started:
            self._started.add(name)
            self.observer.slide_started(name, len(self._started), len(self.tasks))

    def _collect(self, future: Any, task: SlideTask) -> SlideResult | None:
        """Return the result of a task, or a failure when every worker that took it died.

        Return None where the worker that held the result died: another worker repeats the task.
        """
        try:
            done: SlideResult = future.result(timeout=_FETCH_S)
        except TimeoutError:
            return None
        except self.distributed.KilledWorker as error:
            why = f"{task.shown}: every worker that took it died ({error})."
            return task.fail(why)
        except MemoryError:
            return task.fail(f"{task.shown}: memory ran out on its worker.")
        except GlissonError:
            raise
        except Exception as error:
            raise ClusterError(
                f"The Dask cluster at {self.address} was lost, or cannot do the work ({error}). "
                "See that its scheduler runs and that its workers have the same Glisson, then run "
                "the same command again: finished slides are kept."
            ) from error
        return done


def _do(task: SlideTask, bundle: ModelBundle, settings: RunSettings, run: str) -> SlideResult:
    """Do a task; a worker runs this, and opens the model once."""
    key = f"{bundle.folder} {settings.runtime} {settings.precision} {settings.threads}"
    with _runtimes_lock:
        if key not in _runtimes:
            _runtimes.clear()
            _runtimes[key] = OpeningRuntime(
                bundle, settings.runtime, settings.precision, settings.threads
            )
        runtime = _runtimes[key]
    return do_task(task, bundle, runtime, _Events(run))


@dataclass
class _Events(SilentObserver):
    """An observer that logs stages at the scheduler, for `client.get_events("glisson")`."""

    run: str

    def stage_started(self, name: str, stage: str) -> None:
        """Log the stage as an event."""
        worker = _import_distributed().get_worker()
        worker.log_event(_TOPIC, {"run": self.run, "slide": name, "stage": stage})
