"""What can befall a run of many slides: it costs a slide, or is said, and is never silent."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from glisson.errors import OutputError
from glisson.results.folder import Origin, slide_folder
from glisson.run.segment import segment
from tests.run.conftest import slides_in_table
from tests.run.test_killed import command, start

linux_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux"
)


@pytest.fixture
def slides(scene: Path) -> Path:
    for name in ("a", "b", "c"):
        shutil.copyfile(scene, scene.with_name(f"{name}.svs"))
    scene.unlink()
    return scene.parent


def run_of(out: Path) -> dict[str, dict[str, Any]]:
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert run["status"] == "finished"
    return {slide["name"]: slide for slide in run["slides"]}


def the_failure(out: Path) -> str:
    """The reason of the only failed slide, b, which every list gives alike."""
    run = run_of(out)
    assert {name: slide["outcome"] for name, slide in run.items() if name != "b"} == {
        "a": "done", "c": "done",
    }  # fmt: skip
    with (out / "failures.csv").open(encoding="utf-8", newline="") as file:
        ((slide, error),) = [(row["slide"], row["error"]) for row in csv.DictReader(file)]
    assert (slide, error) == ("b", run["b"]["error"])
    assert slides_in_table(out) == ["a", "c"]
    assert not list(out.glob(".*"))
    return error


def ended(process: subprocess.Popen[bytes], code: int) -> str:
    _, errors = process.communicate(timeout=300)
    said = " ".join(errors.decode().split())
    assert process.returncode == code, said
    assert "Traceback" not in said
    return said


def test_a_slide_that_goes_while_it_is_worked_on(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glisson.run import journey

    find = journey.find_tissue

    def find_and_lose(slide: Any, *more: Any) -> Any:
        if slide.info.name == "b":
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(slide.info.path))
        return find(slide, *more)

    monkeypatch.setattr(journey, "find_tissue", find_and_lose)
    result = segment(slides, tmp_path / "out")
    assert [each.name for each in result.failed] == ["b"]
    error = the_failure(tmp_path / "out")
    assert "b.svs cannot be read: No such file or directory" in error


def test_a_slide_that_goes_before_its_turn(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glisson.run import journey

    write = journey.write_overview

    def write_and_delete(path: Path, slide: Any, *more: Any) -> None:
        write(path, slide, *more)
        slide.info.path.with_name("b.svs").unlink(missing_ok=True)

    monkeypatch.setattr(journey, "write_overview", write_and_delete)
    result = segment(slides, tmp_path / "out")
    assert [each.name for each in result.failed] == ["b"]
    assert "b.svs does not exist" in the_failure(tmp_path / "out")


def test_whose_error_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk's of the results ends the run; the slide's does not, though it lies beside them."""
    monkeypatch.chdir(tmp_path)
    out, slide = Path("out"), Path("out/slide.svs")
    with pytest.raises(OutputError, match="cannot be written"), slide_folder(out, "a", Origin("")):
        pass
    out.mkdir()
    with pytest.raises(FileNotFoundError), slide_folder(out, "a", Origin("")):
        slide.open("rb")
    with (
        pytest.raises(OutputError, match="cannot be written"),
        slide_folder(out, "a", Origin("")) as folder,
    ):
        (folder / "none" / "file").open("wb")
    assert not list(out.iterdir())


def test_a_slide_that_nobody_thought_of(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glisson.run import journey

    measure, calls = journey.measure_biopsy, iter(range(3))

    def odd(*arguments: Any) -> Any:
        if next(calls) == 1:
            raise ValueError("a shape like no other")
        return measure(*arguments)

    monkeypatch.setattr(journey, "measure_biopsy", odd)
    segment(slides, tmp_path / "out")
    error = the_failure(tmp_path / "out")
    assert "ValueError: a shape like no other" in error
    assert "report this" in error


def killed_at_work(process: subprocess.Popen[bytes], out: Path, name: str) -> set[int]:
    """Kill whatever process works on a slide, until the run has ended."""
    killed: set[int] = set()
    while process.poll() is None:
        for path in out.glob(f".{name}.unfinished-*"):
            match = re.search(r"-(\d+)-[^-]*$", path.name)
            if match is not None and int(match[1]) not in killed:
                os.kill(int(match[1]), signal.SIGKILL)
                killed.add(int(match[1]))
        time.sleep(0.01)
    return killed


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
def test_a_slide_that_is_killed_for_its_memory(slides: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(slides, out)
    killed = killed_at_work(process, out, "b")
    said = ended(process, 1)
    assert len(killed) == 2
    assert "memory runs out, twice" in the_failure(out)
    assert "memory runs out, twice" in said


@linux_root
def test_a_slide_that_may_not_be_read(slides: Path, tmp_path: Path) -> None:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("no setpriv")
    (slides / "b.svs").chmod(0)
    privileges = "-dac_override,-dac_read_search"  # by which root reads what it may not
    process = subprocess.Popen(
        [setpriv, "--inh-caps", privileges, "--bounding-set", privileges,
         *command(slides, tmp_path / "out")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    ended(process, 1)
    assert "b.svs cannot be read: Permission denied" in the_failure(tmp_path / "out")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 72 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=72m", "tmpfs", str(disk)], check=False,
        capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted: {mounted.stderr.decode()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.slow
@linux_root
def test_a_disk_that_is_full_is_said_and_the_run_goes_on(
    slides: Path, small_disk: Path, tmp_path: Path
) -> None:
    out, ballast = small_disk / "out", small_disk / "ballast"
    process = start(slides, out)
    while process.poll() is None and not (out / "a" / "manifest.json").exists():
        time.sleep(0.01)
    fill(ballast)
    said = ended(process, 2)
    assert "No space left on device" in said
    assert "run again" in said
    assert not list(out.glob(".*"))
    ballast.unlink()
    ended(start(slides, out), 0)
    assert [slide["outcome"] for slide in run_of(out).values()] == ["done", "done", "done"]
    assert not list(out.glob(".*"))
