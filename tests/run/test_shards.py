"""A results folder is its own state: shards, later runs and `gather` make the same files."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glisson.errors import ResultError, SettingsError
from glisson.exchange import find_project_errors
from glisson.files.atomic import _this_host
from glisson.frames import PixelSize, Size
from glisson.inputs import SlideEntry, list_slides
from glisson.results.state import read_states
from glisson.run.executors import Shard
from glisson.run.gather import gather
from glisson.run.remeasure import measure
from glisson.run.segment import segment
from glisson.run.settings import RunSettings
from glisson_phantom.writing import write_pyramid

TIMES = ("seconds_per_stage", "cpu_seconds_per_stage", "peak_memory_mb")


@pytest.fixture
def slides(scene: Path) -> Path:
    """Three slides and a broken one."""
    for number in (2, 3):
        shutil.copyfile(scene, scene.with_name(f"case {number}.svs"))
    scene.with_name("case 4.svs").write_bytes(scene.read_bytes()[:4000])
    return scene.parent


def in_two_parts(slides: Path | str, out: Path | str) -> None:
    for number in (1, 2):
        segment(slides, out, executor=Shard(number, 2))


def outputs(out: Path) -> dict[str, Any]:
    """Every file of a run, but for what tells when and how long."""
    found: dict[str, Any] = {}
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        name = path.relative_to(out).as_posix()
        if path.name == "biopsy.json":
            record = json.loads(path.read_text("utf-8"))
            found[name] = {key: value for key, value in record.items() if key not in TIMES}
        elif path.suffix in (".csv", ".geojson", ".png", ".jpg") or name.endswith(".ome.tif"):
            found[name] = path.read_bytes()
    return found


def test_shards_joined_are_the_run(slides: Path, tmp_path: Path) -> None:
    table = tmp_path / "slides.csv"
    table.write_text("slide,patient\nslides/case 2.svs,P7\n", encoding="utf-8")
    asked = list_slides([slides], table)
    whole = segment(asked, tmp_path / "whole")
    for number in (2, 1):
        segment(asked, tmp_path / "parts", executor=Shard(number, 2))
    joined = gather(tmp_path / "parts")
    assert [each.outcome for each in joined.slides] == ["done", "done", "done", "failed"]
    assert [each.name for each in joined.slides] == [each.name for each in whole.slides]
    one, other = outputs(tmp_path / "whole"), outputs(tmp_path / "parts")
    assert one == other
    with (tmp_path / "parts" / "biopsies.csv").open(encoding="utf-8", newline="") as file:
        assert [row["patient"] for row in csv.DictReader(file)] == ["", "P7", ""]
    with (tmp_path / "parts" / "failures.csv").open(encoding="utf-8", newline="") as file:
        (failed,) = csv.DictReader(file)
    assert failed["slide"] == "case 4"
    assert "case 4.svs" in failed["error"]


def test_the_project_of_joined_shards_opens(slides: Path, tmp_path: Path) -> None:
    in_two_parts(slides, tmp_path / "parts")
    gather(tmp_path / "parts")
    project = tmp_path / "parts" / "qupath" / "project.qpproj"
    assert find_project_errors(project.parent) == []
    assert len(json.loads(project.read_text("utf-8"))["images"]) == 3


def test_slides_of_a_missing_shard_are_named(slides: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no slides of a run"):
        gather(tmp_path / "none")
    segment(slides, tmp_path / "parts", executor=Shard(1, 3))
    with pytest.raises(SettingsError, match=r"2 slide\(s\) are not done yet: case 2, case 3"):
        gather(tmp_path / "parts")
    assert not (tmp_path / "parts" / "run.json").exists()


def white_slides(folder: Path, names: str) -> Path:
    """Slides without tissue, which take no time, each with bytes of its own."""
    folder.mkdir(exist_ok=True)
    for name in names:
        glass = np.full((300, 400 + ord(name), 3), 245, np.uint8)
        size = Size(glass.shape[1], glass.shape[0])
        write_pyramid(folder / f"{name}.svs", glass, size, PixelSize(0.5, 0.5))
    return folder


WIDER = RunSettings(interface_width_um=50)


def test_parts_of_different_slides_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "bc")
    segment(slides, out, executor=Shard(1, 2))
    white_slides(slides, "a")
    segment(slides, out, executor=Shard(2, 2))
    with pytest.raises(SettingsError, match=r"2 slide\(s\) are not done yet: a, c.* or delete"):
        gather(out)
    segment(slides, out, executor=Shard(1, 2))
    assert [each.name for each in gather(out).slides] == ["a", "b", "c"]


def test_parts_of_as_many_other_slides_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "bcd")
    segment(slides, out, executor=Shard(1, 2))
    (slides / "c.svs").rename(slides / "a.svs")
    segment(slides, out, executor=Shard(2, 2))
    with pytest.raises(SettingsError, match=r"2 slide\(s\) are not done yet: a, c\."):
        gather(out)


def test_parts_of_other_settings_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "abc")
    segment(slides, out, executor=Shard(1, 2))
    segment(slides, out, settings=WIDER, executor=Shard(2, 2))
    with pytest.raises(SettingsError, match=r"1 slide\(s\) \(b\) that differ in the setting inter"):
        gather(out)
    assert not (out / "run.json").exists()
    joined = gather(out, keep_old=True)
    assert "1 of 3 slides differ in the setting interface_width_um (50" in joined.warnings[0]
    segment(slides, out, executor=Shard(2, 2))
    assert gather(out).warnings == ()


def test_parts_of_models_of_one_name_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    in_two_parts(white_slides(tmp_path / "slides", "ab"), out)
    record = json.loads((out / "b" / "biopsy.json").read_text("utf-8"))
    record["model"]["files_sha256"] = {"model.onnx": "0" * 64}
    (out / "b" / "biopsy.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(SettingsError, match="differ in the model's files_sha256"):
        gather(out)


def test_results_that_lost_their_manifest_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    in_two_parts(white_slides(tmp_path / "slides", "ab"), out)
    (out / "a" / "manifest.json").unlink()
    with pytest.raises(SettingsError, match=r"1 slide\(s\) are not done yet: a"):
        gather(out)


def test_a_failure_goes_when_the_slide_is_done(scene: Path, tmp_path: Path) -> None:
    whole, out = scene.read_bytes(), tmp_path / "out"
    scene.write_bytes(whole[:4000])
    white_slides(scene.parent, "b")
    segment(scene.parent, out)
    failure = json.loads((out / "case 1" / "failed.json").read_text("utf-8"))
    assert failure["status"] == "failed"
    assert "case 1.svs" in failure["error"]
    assert set(failure) == {"status", "error", "when", "request"}
    scene.write_bytes(whole)
    again = segment(scene.parent, out).slides
    assert [(each.outcome, each.because) for each in again] == [("kept", None), ("done", None)]
    assert not (out / "case 1" / "failed.json").exists()
    assert not (out / "failures.csv").exists()


def columns_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_later_run_adds_to_tables_report_and_project(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "ab")
    segment(slides / "b.svs", out)
    segment(slides / "a.svs", out)
    whole = tmp_path / "whole"
    segment(slides, whole)
    assert outputs(out) == outputs(whole)
    assert [each["slide"] for each in columns_of(out / "biopsies.csv")] == ["a", "b"]
    assert len(images_of(out)) == 2
    before = outputs(out)
    gather(out)
    assert outputs(out) == before


def test_other_slides_of_other_settings_are_refused_or_told_apart(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "ab")
    segment(slides / "a.svs", out)
    with pytest.raises(SettingsError, match=r"\(a\).*width_um.*redoes them.*--keep-old"):
        segment(slides / "b.svs", out, settings=WIDER)
    assert not (out / "b").exists()
    keep = RunSettings(interface_width_um=50, keep_old=True)
    mixed = segment(slides / "b.svs", out, settings=keep)
    assert "differ in the setting interface_width_um" in mixed.warnings[0]
    rows = columns_of(out / "biopsies.csv")
    assert len({row["settings"] for row in rows}) == 2
    assert "settings" in (out / "tracts.csv").read_text("utf-8").splitlines()[0].split(",")
    assert mixed.warnings[0] in json.loads((out / "run.json").read_text("utf-8"))["warnings"]
    assert "tells them apart" in (out / "report.html").read_text("utf-8")
    both = segment(slides, out, settings=keep)
    assert [each.outcome for each in both.slides] == ["kept", "kept"]
    redone = segment(slides, out, settings=WIDER)
    assert [(each.name, each.because) for each in redone.slides] == [
        ("a", "changed: settings"), ("b", None),
    ]  # fmt: skip
    assert redone.warnings == ()
    assert "settings" not in columns_of(out / "biopsies.csv")[0]


def images_of(out: Path) -> list[Any]:
    return list(json.loads((out / "qupath" / "project.qpproj").read_text("utf-8"))["images"])


def test_joined_shards_name_links_and_dicom_as_the_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slides = white_slides(tmp_path / "slides", "a")
    (slides / "a.svs").rename(tmp_path / "blob-17")
    (slides / "a.svs").symlink_to(tmp_path / "blob-17")
    glass = np.full((300, 400, 3), 245, np.uint8)
    write_pyramid(slides / "case.7", glass, Size(400, 300), PixelSize(0.5, 0.5), "dicom")
    monkeypatch.chdir(tmp_path)
    segment("slides", "whole")
    in_two_parts("slides", "parts")
    gather("parts")
    whole = images_of(tmp_path / "whole")
    assert images_of(tmp_path / "parts") == whole
    uris = sorted(each["serverBuilder"]["uri"].rsplit("/slides/")[1] for each in whole)
    assert uris == ["a.svs", "case.7/case.7-level-0.dcm"]


@pytest.mark.parametrize("text", ["0/2", "3/2", "a/b", "2", "1/0"])
def test_impossible_shards_are_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        Shard.parse(text)


def test_a_slide_with_its_own_settings(scene: Path, tmp_path: Path) -> None:
    asked = SlideEntry(scene, mpp=0.25, sections=2)
    (done,) = segment([asked], tmp_path / "out").slides
    assert done.record is not None
    assert done.record.slide.pixel_width_um == 0.25
    assert done.record.settings.sections == 2


def test_why_a_slide_is_done_again_is_said(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def again(**settings: Any) -> tuple[str, str | None]:
        (slide,) = segment(scene, out, settings=RunSettings(**settings)).slides
        return slide.outcome, slide.because

    assert again() == ("done", None)
    assert again() == ("kept", None)
    assert again(interface_width_um=50) == ("done", "changed: settings")
    (out / "case 1" / "overview.png").write_bytes(b"half")
    assert again(interface_width_um=50) == ("done", "missing or damaged: overview.png")
    scene.write_bytes(scene.read_bytes() + b" ")
    assert again(interface_width_um=50) == ("done", "changed: slide")
    assert again(overwrite=True) == ("done", "asked to overwrite")
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert run["slides"][0]["because"] == "asked to overwrite"


def test_outlines_corrected_in_place_are_no_damage(scene: Path, tmp_path: Path) -> None:
    segment(scene, tmp_path / "out")
    outlines = tmp_path / "out" / "case 1" / "tracts.geojson"
    outlines.write_text(outlines.read_text("utf-8").replace("PT 1", "mine"), encoding="utf-8")
    (slide,) = segment(scene, tmp_path / "out").slides
    assert slide.outcome == "kept"
    assert "mine" in outlines.read_text("utf-8")


def test_what_a_killed_run_left_goes_and_what_others_do_stays(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    dead, alive, elsewhere = (
        out / f".case 1.unfinished-{host}-{number}-x"
        for host, number in ((_this_host(), 2**22 + 1), (_this_host(), os.getpid()), ("far", 1))
    )
    for folder in (dead, alive, elsewhere):
        folder.mkdir()
    segment(scene, out)
    assert not dead.exists()
    assert alive.exists()
    assert elsewhere.exists()


def test_files_of_others_beside_the_results_stay(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    segment(scene, out)
    folder = out / "case 1"
    (folder / "my-corrections.geojson").write_text("{}")
    (folder / "notes").mkdir()
    (folder / "notes" / "a.txt").write_text("mine")
    (folder / "failed.json").write_text("{}")
    segment(scene, out, settings=RunSettings(interface_width_um=30))
    assert (folder / "my-corrections.geojson").read_text() == "{}"
    assert (folder / "notes" / "a.txt").read_text() == "mine"
    assert not (folder / "failed.json").exists()
    assert [path.name for path in out.iterdir() if path.name.startswith(("case 1", "."))] == [
        "case 1"
    ]


def test_results_that_hold_links_are_refused(scene: Path, tmp_path: Path) -> None:
    out, secret = tmp_path / "out", tmp_path / "secret.txt"
    segment(scene, out)
    secret.write_text("a password")
    thumbnail = next((out / "case 1" / "thumbnails").iterdir())
    thumbnail.unlink()
    thumbnail.symlink_to(secret)
    with pytest.raises(ResultError, match=rf"{thumbnail.name} is a symbolic link"):
        measure(out, out / "case 1" / "tracts.geojson")
    (state,) = read_states(out)
    assert state.is_waiting
    assert "symbolic link" in str(state.error)
