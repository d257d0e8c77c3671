"""A run on a real Dask cluster of several processes gives what a run here gives."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from glisson.errors import ClusterError
from glisson.model import find_model
from glisson.run.observer import SilentObserver
from glisson.run.segment import segment
from glisson.run.settings import RunSettings
from tests.cli.test_cli import glisson
from tests.run.test_shards import outputs

pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")

DASK = [sys.executable, "-m", "dask"]
Start = Callable[[int], tuple[Path, "subprocess.Popen[bytes]"]]


@pytest.fixture
def scans(scene: Path) -> Path:
    shutil.copyfile(scene, scene.with_name("two.svs"))
    scene.with_name("bad.svs").write_bytes(scene.read_bytes()[:3000])
    return scene.parent


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a scheduler and workers, as `dask scheduler` and `dask worker` do."""
    with ExitStack() as ending:

        def started(workers: int) -> tuple[Path, subprocess.Popen[bytes]]:
            file = tmp_path / "scheduler.json"
            file.unlink(missing_ok=True)
            local = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
            scheduler = subprocess.Popen(
                [*DASK, "scheduler", *local, "--scheduler-file", str(file)]
            )
            ending.callback(_end, scheduler)
            if not workers:
                return file, scheduler
            worker = subprocess.Popen(
                [*DASK, "worker", "--scheduler-file", str(file), "--nworkers", str(workers),
                 "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
                 "--local-directory", str(tmp_path)]
            )  # fmt: skip
            ending.callback(_end, worker)
            _wait_for_workers(file, workers)
            return file, scheduler

        yield started


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


def _wait_for_workers(file: Path, count: int) -> None:
    from distributed import Client

    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    with Client(scheduler_file=str(file), timeout=60) as client:
        client.wait_for_workers(count, timeout=60)


class Told(SilentObserver):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, ...]] = []

    def slide_started(self, name: str, number: int, total: int) -> None:
        self.said.append((name, "started", f"{number} of {total}"))

    def stage_started(self, name: str, stage: str) -> None:
        self.said.append((name, stage))

    def slide_finished(self, name: str, outcome: str) -> None:
        self.said.append((name, outcome))


def test_on_a_cluster_it_is_the_same_run(scans: Path, start: Start, tmp_path: Path) -> None:
    file, _ = start(2)
    done = glisson("segment", scans, "-o", tmp_path / "cluster", "--dask", file)
    assert done.returncode == 1, done.stderr  # one slide is broken
    assert "3 of 3, 1 failed" in " ".join(done.stderr.split())
    assert glisson("segment", scans, "-o", tmp_path / "here").returncode == 1
    assert outputs(tmp_path / "cluster") == outputs(tmp_path / "here")
    assert not list((tmp_path / "cluster").glob(".*"))

    # another run's slides of the same names, still in the scheduler's memory, are not this run's
    told = Told()
    again = segment(scans, tmp_path / "again", executor=str(file), observer=told)
    assert {each.outcome for each in again.slides} == {"done", "failed"}
    of_two = [said[1:] for said in told.said if said[0] == "two"]
    assert of_two[0][0] == "started"
    assert of_two[-1] == ("done",)
    assert ("segment",) in of_two


def test_relative_paths_are_those_of_the_run_and_not_of_its_workers(
    scene: Path, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(find_model().folder, tmp_path / "model")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    file, _ = start(1)
    monkeypatch.chdir(tmp_path)
    run = segment("slides", "out", "model", executor=file.name)
    assert [(each.name, each.outcome) for each in run.slides] == [("case 1", "done")]
    assert (tmp_path / "out" / "case 1" / "manifest.json").is_file()
    (image,) = json.loads((tmp_path / "out" / "qupath" / "project.qpproj").read_text())["images"]
    assert image["serverBuilder"]["uri"] == scene.as_uri()
    assert not list(elsewhere.iterdir())


@pytest.mark.slow
def test_two_runs_on_one_cluster_do_not_mix(scene: Path, start: Start, tmp_path: Path) -> None:
    """Their slides have the same names and numbers."""
    from threading import Thread

    file, _ = start(1)
    outs = [tmp_path / "one", tmp_path / "other"]

    def one(out: Path, width: float) -> None:
        segment(scene, out, settings=RunSettings(interface_width_um=width), executor=str(file))

    threads = [Thread(target=one, args=(out, 10 + 10 * n)) for n, out in enumerate(outs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((out / "case 1" / "manifest.json").is_file() for out in outs)


def test_a_lost_scheduler_is_said_and_the_run_goes_on(
    scans: Path, start: Start, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    file, scheduler = start(1)
    run = subprocess.Popen(
        [sys.executable, "-c", "from glisson.cli import main; main()", "segment", str(scans),
         "-o", str(out), "--dask", str(file)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    while run.poll() is None and not list(out.glob(".case 1.unfinished-*")):
        time.sleep(0.01)
    scheduler.send_signal(signal.SIGKILL)
    _, errors = run.communicate(timeout=120)
    said = " ".join(errors.decode().split())
    assert run.returncode == 3, said
    assert "run the same command again" in said
    assert "Traceback" not in said
    file, _ = start(1)
    assert glisson("segment", scans, "-o", out, "--dask", file).returncode == 1
    run_json = json.loads((out / "run.json").read_text("utf-8"))
    bad, first, two = (each["outcome"] for each in run_json["slides"])
    assert bad == "failed"
    assert {first, two} <= {"kept", "done"}  # a worker ends the slide that it has begun
    assert not list(out.glob(".*"))


def test_without_workers_it_says_so(
    scene: Path, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glisson.run.executors.on_dask.NO_WORKERS_S", 0.1)
    monkeypatch.setattr("glisson.run.executors.on_dask._LISTEN_S", 0.1)
    file, _ = start(0)  # the scheduler may write its file later than the run begins
    with pytest.raises(ClusterError, match="has had no workers"):
        segment(scene, tmp_path / "out", executor=str(file))
    assert not list((tmp_path / "out").glob(".*"))


def test_without_a_scheduler_it_says_so(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glisson.run.executors.on_dask._CONNECT_S", 1)
    with pytest.raises(ClusterError, match="No Dask scheduler answers"):
        segment(scans, tmp_path / "out", executor="tcp://127.0.0.1:9")


@pytest.mark.parametrize("content", [None, "", "{}", '{"address"', "[]"])
def test_a_file_that_no_scheduler_writes_is_named(
    content: str | None, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glisson.run.executors.on_dask._CONNECT_S", 0.3)
    file = tmp_path / "shceduler.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ClusterError, match=r"written its address to .*shceduler\.json"):
        segment(scans, tmp_path / "out", executor=str(file))
