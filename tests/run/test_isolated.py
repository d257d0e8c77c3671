"""A slide that takes its process down costs itself only."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from glisson.errors import InvalidBundle, OutputError
from glisson.inputs import SlideEntry
from glisson.model import ModelBundle, find_model
from glisson.run.executors import InProcess, IsolatedProcess, Work, find_executor
from glisson.run.executors.isolated import Worker
from glisson.run.executors.worker import Serve
from glisson.run.observer import SilentObserver
from glisson.run.settings import RunSettings
from glisson.run.task import SlideTask

WORK = Work(find_model(), RunSettings(), SilentObserver())


def serve(connection: Connection, _: ModelBundle, __: RunSettings) -> None:
    """Does to itself what the task's name says."""
    while True:
        task = connection.recv()
        tries = task.out / f"{task.name}.tries"
        tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
        if task.name == "crash" or (task.name == "crash once" and tries.read_text() == "x"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if task.name == "too large":
            os.kill(os.getpid(), signal.SIGKILL)
        if task.name == "stall":
            time.sleep(600)
        if task.name == "full disk":
            connection.send(("error", OutputError("the disk is full")))
            continue
        connection.send(("stage", (task.name, "tissue")))
        result = task.make_result("done", folder=task.out, because=f"{os.getpid()}")
        connection.send(("done", result))


def serve_without_memory(
    connection: Connection, bundle: ModelBundle, settings: RunSettings
) -> None:
    """The real one, with a task that memory is never enough for."""
    from glisson.run.executors import worker

    def do_task(*_: object) -> None:
        raise MemoryError

    worker.do_task = do_task  # type: ignore[assignment]
    worker.serve(connection, bundle, settings)


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(WORK, 60.0, serve)
    yield made
    made.close()


def task(name: str, out: Path, number: int = 1) -> SlideTask:
    return SlideTask(SlideEntry(Path(f"{name}.svs"), patient="P"), name, number, out, RunSettings())


def tries(out: Path, name: str) -> int:
    return len((out / f"{name}.tries").read_text())


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")


def test_one_process_does_slide_after_slide(worker: Worker, tmp_path: Path) -> None:
    first, second = (worker.do(task(name, tmp_path)) for name in ("a", "b"))
    assert first.because == second.because != f"{os.getpid()}"
    assert first.case == ("P", None)


@pytest.mark.parametrize(("name", "said"), [("crash", "SIGSEGV"), ("too large", "memory runs out")])
def test_a_slide_that_crashes_twice_has_failed(
    worker: Worker, tmp_path: Path, name: str, said: str
) -> None:
    failed = worker.do(task(name, tmp_path, 7))
    assert (failed.outcome, failed.number) == ("failed", 7)
    assert failed.error is not None
    assert said in failed.error
    assert tries(tmp_path, name) == 2
    assert worker.do(task("next", tmp_path)).outcome == "done"


def test_a_slide_that_crashes_once_is_done(worker: Worker, tmp_path: Path) -> None:
    assert worker.do(task("crash once", tmp_path)).outcome == "done"
    assert tries(tmp_path, "crash once") == 2


def test_a_slide_that_stalls_has_failed(worker: Worker, tmp_path: Path) -> None:
    assert worker.do(task("before", tmp_path)).outcome == "done"
    worker.stalled_s = 0.5
    error = worker.do(task("stall", tmp_path)).error
    assert error is not None
    assert "was silent" in error
    worker.stalled_s = 60.0
    assert worker.do(task("next", tmp_path)).outcome == "done"


def test_a_full_disk_ends_the_run(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="disk is full"):
        worker.do(task("full disk", tmp_path))


def test_a_slide_that_memory_is_too_small_for_has_failed(tmp_path: Path) -> None:
    worker = Worker(WORK, 60.0, serve_without_memory)
    try:
        failed = worker.do(task("large", tmp_path))
    finally:
        worker.close()
    assert failed.outcome == "failed"
    assert failed.error is not None
    assert "ran out of memory, twice" in failed.error


def serve_a_model_without_end(connection: Connection, _: ModelBundle, __: RunSettings) -> None:
    time.sleep(600)


def serve_a_model_that_eats(connection: Connection, _: ModelBundle, __: RunSettings) -> None:
    eaten = bytearray(400 << 20)
    time.sleep(600)
    del eaten


@pytest.mark.parametrize(
    ("serve", "limits", "reason"),
    [
        (serve_a_model_without_end, {"opening_s": 1.0}, "silent for 1 s in its self-test"),
        (serve_a_model_that_eats, {"most_bytes": 300 << 20}, "took more than 0.293 GiB"),
    ],
)
def test_a_model_of_others_is_stopped_and_ends_the_run(
    serve: Serve, limits: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    strange = Work(replace(WORK.bundle, folder=tmp_path), WORK.settings, WORK.observer)
    worker = Worker(strange, 60.0, serve, **limits)
    try:
        with pytest.raises(InvalidBundle, match=reason):
            worker.do(task("a", tmp_path))
    finally:
        worker.close()


def test_one_slide_has_a_process_of_its_own_with_a_model_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("glisson.run.executors.choice.SEVERAL", "process")
    assert isinstance(find_executor(None, 1), InProcess)
    assert isinstance(find_executor(None, 1, is_trusted=False), IsolatedProcess)
