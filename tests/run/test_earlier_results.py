"""What an earlier run left in the same folder stays, and stands in tables and report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from glisson.errors import SettingsError
from glisson.run.gather import gather
from glisson.run.observer import SilentObserver
from glisson.run.remeasure import measure
from glisson.run.segment import segment
from glisson.run.settings import RunSettings
from glisson.storage import Url
from tests.run.conftest import slides_in_table, write_series
from tests.stores import memory

__all__ = ["memory"]

TABLES = ("biopsies.csv", "tracts.csv", "candidates.csv", "failures.csv", "report.html")


class CtrlC(SilentObserver):
    """Stops the run when a slide begins."""

    def __init__(self, name: str) -> None:
        self.name = name

    def slide_started(self, name: str, number: int, total: int) -> None:
        """As a user does."""
        if name == self.name:
            raise KeyboardInterrupt


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Slides called broken, one and two, of which the first fails."""
    (tmp_path / "scans").mkdir()
    return write_series(tmp_path / "scans")


def interrupted(scans: Path, out: Path | str, name: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        segment(scans, out, observer=CtrlC(name))


def run_of(out: Path) -> dict[str, Any]:
    run: dict[str, Any] = json.loads((out / "run.json").read_text("utf-8"))
    return run


@pytest.mark.parametrize("name", ["broken", "two"])
def test_an_interrupted_run_leaves_the_tables_of_all_that_is_done(
    scans: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    segment(scans, out)
    before = {each: (out / each).read_bytes() for each in TABLES}
    interrupted(scans, out, name)
    assert {each: (out / each).read_bytes() for each in TABLES} == before
    shutil.rmtree(out / "broken")
    assert gather(out).warnings == ()
    assert slides_in_table(out) == ["one", "two"]
    assert not (out / "failures.csv").exists()


def test_a_first_run_that_is_interrupted_names_what_is_not_done(
    scans: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    interrupted(scans, out, "two")
    assert slides_in_table(out) == ["one"]
    run = run_of(out)
    assert run["status"] == "interrupted"
    assert [(each["name"], each["outcome"]) for each in run["slides"]] == [
        ("broken", "failed"), ("one", "done"), ("two", "waiting"),
    ]  # fmt: skip
    assert "1 slide(s) are not done yet: two" in run["warnings"][0]
    assert run["warnings"][0] in (out / "report.html").read_text("utf-8")
    segment(scans, out)
    assert run_of(out)["status"] == "finished"


def test_so_on_a_store(scans: Path, memory: Any, tmp_path: Path) -> None:
    out, settings = "memory://results", RunSettings(cache=tmp_path / "cache")
    segment(scans, out, settings=settings)
    before = {each: memory.cat_file(f"/results/{each}") for each in TABLES}
    interrupted(scans, out, "two")
    assert {each: memory.cat_file(f"/results/{each}") for each in TABLES} == before


def test_corrected_results_and_those_set_aside_are_no_other_slides(
    scans: Path, tmp_path: Path
) -> None:
    out, slide = tmp_path / "out", scans / "one.svs"
    segment(slide, out)
    measure(out, out / "one" / "tracts.geojson")
    outlines = out / "one" / "tracts.geojson"
    outlines.write_text(outlines.read_text("utf-8").replace("PT 1", "mine"), encoding="utf-8")
    (out / "notes").mkdir()
    done = segment(slide, out, settings=RunSettings(overwrite=True))
    assert (out / "one.edited-1" / "manifest.json").is_file()
    assert (out / "one.edited" / "manifest.json").is_file()
    assert done.warnings == ()


def test_runs_on_a_store_add_up(scans: Path, memory: Any, tmp_path: Path) -> None:
    out, settings = Url("memory://results"), RunSettings(cache=tmp_path / "cache")
    memory.pipe("/results/scans/a.svs", b"no results")
    for name in ("one", "two"):
        assert segment(scans / f"{name}.svs", out, settings=settings).warnings == ()
    table = memory.cat_file("/results/biopsies.csv").decode()
    assert [line.split(",")[0] for line in table.splitlines()] == ["slide", "one", "two"]
    wider = RunSettings(cache=tmp_path / "cache", interface_width_um=50)
    with pytest.raises(SettingsError, match=r"memory://results holds 1 slide\(s\) \(two\)"):
        segment(scans / "one.svs", out, settings=wider)
