"""Slides on a Dask cluster that is there already: the same task, wherever a worker is free."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from glisson.errors import MissingExtra, SettingsError
from glisson.model import ModelBundle, OpeningRuntime, Runtime
from glisson.run.observer import SilentObserver
from glisson.run.settings import RunSettings
from glisson.run.task import SlideTask, TaskDone, do_task

_CONNECT_S = 30
_TOPIC = "glisson"

_opened: dict[str, Runtime] = {}
_opening = threading.Lock()


def done_on_dask(
    address: str, tasks: Sequence[SlideTask], bundle: ModelBundle, settings: RunSettings
) -> Iterator[TaskDone]:
    """Tasks as they are done, in any order.

    A worker opens the model once. A task whose worker dies is given to another by the scheduler;
    after its limit (`distributed.scheduler.allowed-failures`) the slide has failed. With `--runtime
    torch` a task asks for the resource `GPU` where the cluster has workers that offer it.

    Args:
        address: of the scheduler, such as `tcp://node1:8786`, or the path of its scheduler file.
        tasks: what to do; slides, results and model must be at the same path on every worker.
        bundle: the model.
        settings: of the run.

    Raises:
        MissingExtra: dask.distributed is not installed.
        SettingsError: there is no scheduler, or it has no workers.
        GlissonError: as `do_task` raises it.
    """
    distributed = _distributed()
    with _connected(distributed, address) as client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise SettingsError(f"The Dask cluster at {address} has no workers; start some first.")
        offers_gpu = any("GPU" in each.get("resources", {}) for each in workers.values())
        wanted = {"GPU": 1} if settings.runtime == "torch" and offers_gpu else None
        futures = {
            client.submit(_do, task, bundle, settings, key=f"{task.name}-{task.number}",
                          resources=wanted, pure=False): task
            for task in tasks
        }  # fmt: skip
        for future in distributed.as_completed(futures, loop=client.loop):
            yield _outcome(distributed, future, futures[future])


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtra("--dask needs dask.distributed: pip install 'glisson[dask]'") from error
    return distributed


def _connected(distributed: Any, address: str) -> Any:
    place = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        return distributed.Client(**place, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"No Dask scheduler answers at {address}: {error}. Give the address that "
            "`dask scheduler` shows, such as tcp://node1:8786."
        ) from error


def _outcome(distributed: Any, future: Any, task: SlideTask) -> TaskDone:
    """The result of a task, or its failure when it took one worker down after the other."""
    try:
        done: TaskDone = future.result()
    except distributed.KilledWorker as error:
        why = f"{task.told}: every worker that took it died ({error})."
        return TaskDone(task.failed(why))
    return done


def _do(task: SlideTask, bundle: ModelBundle, settings: RunSettings) -> TaskDone:
    """Runs on a worker."""
    return do_task(task, bundle, _runtime(bundle, settings), _Events(task.name))


def _runtime(bundle: ModelBundle, settings: RunSettings) -> Runtime:
    """The model, opened once in each worker."""
    key = f"{bundle.folder} {settings.runtime} {settings.precision} {settings.threads}"
    with _opening:
        if key not in _opened:
            _opened.clear()
            _opened[key] = OpeningRuntime(
                bundle, settings.runtime, settings.precision, settings.threads
            )
        return _opened[key]


class _Events(SilentObserver):
    """Tells the scheduler the stages: in its dashboard and `client.get_events("glisson")`."""

    def __init__(self, slide: str) -> None:
        self._slide = slide

    def stage_started(self, stage: str) -> None:
        """Log it."""
        worker = _distributed().get_worker()
        worker.log_event(_TOPIC, {"slide": self._slide, "stage": stage})
