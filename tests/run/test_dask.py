"""A run on a real Dask cluster of several processes gives what a run here gives."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from glisson.errors import SettingsError
from glisson.run import segment
from tests.cli.test_cli import glisson
from tests.run.test_shards import outputs

pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def scans(scene: Path) -> Path:
    shutil.copyfile(scene, scene.with_name("two.svs"))
    scene.with_name("bad.svs").write_bytes(scene.read_bytes()[:3000])
    return scene.parent


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Path]:
    """A scheduler and two workers, as `dask scheduler` and `dask worker` start them."""
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    local = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    started = [
        subprocess.Popen([*dask, "scheduler", *local, "--scheduler-file", str(file)]),
        subprocess.Popen(
            [*dask, "worker", "--scheduler-file", str(file), "--nworkers", "2", "--nthreads", "1",
             "--no-dashboard", "--host", "127.0.0.1", "--local-directory", str(tmp_path)]
        ),
    ]  # fmt: skip
    try:
        _wait_for_workers(file, 2)
        yield file
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(20)


def _wait_for_workers(file: Path, count: int) -> None:
    import time

    from distributed import Client

    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    with Client(scheduler_file=str(file), timeout=60) as client:
        client.wait_for_workers(count, timeout=60)


def test_on_a_cluster_it_is_the_same_run(scans: Path, scheduler: Path, tmp_path: Path) -> None:
    done = glisson("segment", scans, "-o", tmp_path / "cluster", "--dask", scheduler)
    assert done.returncode == 1, done.stderr  # one slide is broken
    assert "3 of 3, 1 failed" in " ".join(done.stderr.split())
    assert glisson("segment", scans, "-o", tmp_path / "here").returncode == 1
    assert outputs(tmp_path / "cluster") == outputs(tmp_path / "here")


def test_without_a_scheduler_it_says_so(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glisson.run.on_dask._CONNECT_S", 1)
    with pytest.raises(SettingsError, match="No Dask scheduler answers"):
        segment(scans, tmp_path / "out", dask="tcp://127.0.0.1:9")
