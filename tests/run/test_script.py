"""A script without `if __name__ == "__main__":` segments slides in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from glisson.frames import PixelSize, Size
from glisson_phantom.writing import write_pyramid

SCRIPT = """\
from pathlib import Path

import glisson


class Observer:
    def slide_started(self, name, number, total):
        print("started", name, number, total)

    def stage_started(self, name, stage):
        print("stage", name, stage)

    def stage_progressed(self, name, done, total):
        pass

    def slide_finished(self, name, outcome):
        print(outcome, name)


print("main runs")
Path("numpy.py").write_text("raise SystemExit('the working folder hides numpy')")
result = glisson.segment("slides", "out", observer=Observer())
print("outcomes", [slide.outcome for slide in result.slides])
"""


def test_a_script_needs_no_guard_of_its_main_module(tmp_path: Path) -> None:
    (tmp_path / "slides").mkdir()
    for name in "ab":
        glass = np.full((300, 400, 3), 245, np.uint8)
        write_pyramid(
            tmp_path / "slides" / f"{name}.svs", glass, Size(400, 300), PixelSize(0.5, 0.5)
        )
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "run.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "scripts/run.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines.count("main runs") == 1
    assert lines[-1] == "outcomes ['done', 'done']"
    assert "stage b tissue" in lines
    assert "started b 2 2" in lines
