"""Shards of a run, joined, are the run; what is done stays, and why it does not is said."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glisson.errors import SettingsError
from glisson.exchange import broken_project_rules
from glisson.files.atomic import _this_host
from glisson.frames import PixelSize, Size
from glisson.inputs import AskedSlide, asked_slides
from glisson.results import Shard
from glisson.run.gather import gather
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
        segment(slides, out, shard=Shard(number, 2))


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
    asked = asked_slides([slides], table)
    whole = segment(asked, tmp_path / "whole")
    for number in (2, 1):
        segment(asked, tmp_path / "parts", shard=Shard(number, 2))
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
    assert broken_project_rules(project.parent) == []
    assert len(json.loads(project.read_text("utf-8"))["images"]) == 3


def test_a_missing_shard_is_named(slides: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no shards"):
        gather(tmp_path)
    segment(slides, tmp_path / "parts", shard=Shard(1, 3))
    with pytest.raises(SettingsError, match=r"2 shard.* have not been run: 2, 3"):
        gather(tmp_path / "parts")


def white_slides(folder: Path, names: str) -> Path:
    """Slides without tissue, which take no time, each with bytes of its own."""
    folder.mkdir(exist_ok=True)
    for name in names:
        glass = np.full((300, 400 + ord(name), 3), 245, np.uint8)
        size = Size(glass.shape[1], glass.shape[0])
        write_pyramid(folder / f"{name}.svs", glass, size, PixelSize(0.5, 0.5))
    return folder


def part_file(out: Path, number: int) -> Path:
    return out / "shards" / f"run-{number}-of-2.json"


def change_part(out: Path, number: int, **changed: Any) -> None:
    path = part_file(out, number)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changed), encoding="utf-8")


def as_older(out: Path, number: int) -> None:
    """A part as versions wrote it that did not say of what run it is."""
    change_part(out, number, shard={"number": number, "count": 2})


def test_parts_of_different_slides_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "bc")
    segment(slides, out, shard=Shard(1, 2))
    white_slides(slides, "a")
    wider = RunSettings(interface_width_um=50)
    segment(slides, out, settings=wider, shard=Shard(2, 2))
    with pytest.raises(SettingsError) as told:
        gather(out)
    assert "shard(s) 2 differ from shard 1 in the number of slides (3, not 2)" in str(told.value)
    assert "the setting interface_width_um (50, not 25.0)" in str(told.value)
    assert "Run again" in str(told.value)
    assert not (out / "run.json").exists()
    segment(slides, out, settings=wider, shard=Shard(1, 2))
    assert [each.name for each in gather(out).slides] == ["a", "b", "c"]


def test_parts_of_as_many_other_slides_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "bcd")
    segment(slides, out, shard=Shard(1, 2))
    (slides / "d.svs").rename(slides / "a.svs")
    segment(slides, out, shard=Shard(2, 2))
    with pytest.raises(SettingsError, match=r"shard\(s\) 2 differ from shard 1 in the list of sl"):
        gather(out)


def test_parts_of_models_of_one_name_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "ab")
    in_two_parts(slides, out)
    model = json.loads(part_file(out, 2).read_text("utf-8"))["model"]
    change_part(out, 2, model=model | {"files_sha256": {"model.onnx": "0" * 64}})
    with pytest.raises(SettingsError, match="shard 1 in the model's files_sha256"):
        gather(out)


def test_older_parts_are_joined_unless_a_slide_is_in_two(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "bc")
    in_two_parts(slides, out)
    as_older(out, 1)
    assert [each.name for each in gather(out).slides] == ["b", "c"]
    white_slides(slides, "a")
    segment(slides, out, shard=Shard(2, 2))
    as_older(out, 2)
    with pytest.raises(SettingsError, match=r"the slide b is listed 2 times, by shard\(s\) 1, 2"):
        gather(out)


def test_a_part_that_lost_a_slide_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slides = white_slides(tmp_path / "slides", "abc")
    in_two_parts(slides, out)
    kept = json.loads(part_file(out, 1).read_text("utf-8"))["slides"][:1]
    change_part(out, 1, slides=kept)
    with pytest.raises(SettingsError, match=r"shard 1 does not list its 2 slide\(s\)"):
        gather(out)


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
    asked = AskedSlide(scene, mpp=0.25, sections=2)
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
