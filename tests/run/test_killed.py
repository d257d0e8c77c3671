"""`kill -9` at any moment, then the same command: the results of an undisturbed run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.run.test_shards import outputs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills a group of processes")

SLIDES = ("a", "b", "c")


@pytest.fixture
def slides(scene: Path) -> Path:
    for name in SLIDES:
        shutil.copyfile(scene, scene.with_name(f"{name}.svs"))
    scene.unlink()
    return scene.parent


def command(slides: Path, out: Path) -> list[str]:
    program = "from glisson.cli import main; main()"
    return [sys.executable, "-c", program, "segment", str(slides), "-o", str(out)]


def start(slides: Path, out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(slides, out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_mind_ctrl_c,
    )


def _mind_ctrl_c() -> None:
    """Tests started in a shell's background inherit that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(slides: Path, out: Path) -> None:
    process = start(slides, out)
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()


def kill_when(process: subprocess.Popen[bytes], out: Path, pattern: str) -> None:
    """Kill the run and its worker as soon as a file is there."""
    while process.poll() is None and not list(out.glob(pattern)):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_ctrl_c_in_a_series_leaves_no_trace(slides: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(slides, out)
    while process.poll() is None and not list(out.glob(".b.unfinished-*")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130, errors.decode()
    assert b"finished slides stay" in errors
    assert not list(out.glob(".*"))
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert run["status"] == "interrupted"
    assert [(slide["name"], slide["outcome"]) for slide in run["slides"]] == [
        ("a", "done"), ("b", "waiting"), ("c", "waiting"),
    ]  # fmt: skip


@pytest.mark.slow
def test_killed_twice_and_gone_on_is_undisturbed(slides: Path, tmp_path: Path) -> None:
    finish(slides, tmp_path / "whole")
    out = tmp_path / "killed"
    kill_when(start(slides, out), out, ".a.unfinished-*/*")
    assert [path.name for path in (out / "a").iterdir()] == ["failed.json"]
    kill_when(start(slides, out), out, ".b.unfinished-*/*")
    stamp = (out / "a" / "manifest.json").stat().st_mtime_ns
    finish(slides, out)
    assert (out / "a" / "manifest.json").stat().st_mtime_ns == stamp
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert [slide["outcome"] for slide in run["slides"]] == ["done", "done", "done"]
    assert outputs(out) == outputs(tmp_path / "whole")
    assert not list(out.glob(".*"))
