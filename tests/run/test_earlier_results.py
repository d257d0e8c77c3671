"""What an earlier run left in the same folder: an interrupted one spoils none, the rest is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from glisson.run.executors import Shard
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
def test_an_interrupted_run_leaves_the_tables_of_the_one_before(
    scans: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    segment(scans, out)
    before = {each: (out / each).read_bytes() for each in TABLES}
    interrupted(scans, out, name)
    assert {each: (out / each).read_bytes() for each in TABLES} == before
    assert run_of(out)["status"] == "interrupted"
    assert not run_of(out)["tables_of_this_run"]
    (scans / "broken.svs").unlink()
    segment(scans, out)
    assert slides_in_table(out) == ["one", "two"]
    assert run_of(out)["tables_of_this_run"]
    assert not (out / "failures.csv").exists()


def test_nor_is_their_report_written_anew_from_what_it_did(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    segment(scans, out)
    interrupted(scans, out, "two")
    before = (out / "report.html").read_bytes()
    assert measure(out, out / "one" / "tracts.geojson").report is None
    assert (out / "report.html").read_bytes() == before


def test_where_there_are_none_it_leaves_its_own(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    interrupted(scans, out, "two")
    assert slides_in_table(out) == ["one"]
    assert (out / "report.html").is_file()
    assert run_of(out)["tables_of_this_run"]


def test_so_on_a_store(scans: Path, memory: Any, tmp_path: Path) -> None:
    out, settings = "memory://results", RunSettings(cache=tmp_path / "cache")
    segment(scans, out, settings=settings)
    before = {each: memory.cat_file(f"/results/{each}") for each in TABLES}
    interrupted(scans, out, "two")
    assert {each: memory.cat_file(f"/results/{each}") for each in TABLES} == before
    assert json.loads(memory.cat_file("/results/run.json"))["status"] == "interrupted"


def test_results_of_other_slides_are_told(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert segment(scans / "one.svs", out).warnings == ()
    (said,) = segment(scans / "two.svs", out).warnings
    assert "results of 1 slide(s) that this run did not have" in said
    assert "hold its own 1 slide(s) alone" in said
    assert "give all slides in one command" in said
    assert run_of(out)["warnings"] == [said]
    assert segment(scans, out).warnings == ()
    assert slides_in_table(out) == ["one", "two"]
    assert run_of(out)["warnings"] == []


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


def test_parts_say_nothing_and_the_whole_does(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    segment(shutil.copyfile(scans / "one.svs", tmp_path / "old.svs"), out)
    for number in (1, 2):
        assert segment(scans, out, executor=Shard(number, 2)).warnings == ()
    (said,) = gather(out).warnings
    assert "results of 1 slide(s)" in said
    assert run_of(out)["warnings"] == [said]


def test_results_of_other_slides_on_a_store_are_told(
    scans: Path, memory: Any, tmp_path: Path
) -> None:
    out, settings = Url("memory://results"), RunSettings(cache=tmp_path / "cache")
    memory.pipe("/results/scans/a.svs", b"no results")
    assert segment(scans / "one.svs", out, settings=settings).warnings == ()
    (said,) = segment(scans / "two.svs", out, settings=settings).warnings
    assert "memory://results also holds the results of 1 slide(s)" in said
