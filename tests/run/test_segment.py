"""A run leaves whole results, or none."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import tifffile

from glisson.cli.summary import adequacy_line
from glisson.errors import (
    DamagedSlide,
    MissingPixelSize,
    ModelNotFound,
    OutputError,
    SettingsError,
    SlideNotFound,
)
from glisson.exchange import find_geojson_errors, read_geojson
from glisson.record import BiopsyRecord, RunRecord
from glisson.record.schema import read_schema
from glisson.results import name_folders
from glisson.results.folder import find_redo_reason, read_manifest
from glisson.run.segment import segment
from glisson.run.settings import RunSettings
from glisson.slides import InMemorySlide
from tests.run.conftest import scene_pixels, write_scene

SLIDE_FILES = {
    "tracts.geojson", "biopsy.json", "classes.ome.tif", "overview.png", "manifest.json",
    "artefacts.geojson", "thumbnails",
}  # fmt: skip


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def leftovers(out: Path) -> list[str]:
    return [path.name for path in out.rglob(".*")]


def test_the_results_folder(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = segment(scene, out)
    assert [slide.outcome for slide in result.slides] == ["done"]
    assert {path.name for path in (out / "case 1").iterdir()} == SLIDE_FILES
    top = {path.name for path in out.iterdir()}
    tables = {"biopsies.csv", "tracts.csv", "candidates.csv"}
    assert top == {"case 1", "report.html", "run.json", "qupath"} | tables
    assert leftovers(out) == []
    record = json.loads((out / "case 1" / "biopsy.json").read_text("utf-8"))
    jsonschema.validate(record, read_schema(BiopsyRecord))
    jsonschema.validate(json.loads((out / "run.json").read_text("utf-8")), read_schema(RunRecord))
    assert record == json.loads(json.dumps(BiopsyRecord.read(out / "case 1").content()))
    assert result.slides[0].biopsy.tract_count_total == 4
    assert record["biopsy"]["tract_count_total"] == 4
    assert record["biopsy"]["tract_count_complete"] == 3
    assert record["biopsy"]["tissue_area_mm2"] == pytest.approx(1.1, rel=0.02)
    assert record["biopsy"]["portal_percent_uncertainty"] == 0  # this model has no doubts
    assert "portal_percent_uncertainty" in (out / "biopsies.csv").read_text("utf-8")
    assert set(record["seconds_per_stage"]) == {
        "tissue", "segment", "plausibility", "outline", "measure", "write",
    }  # fmt: skip
    outlines = json.loads((out / "case 1" / "tracts.geojson").read_text("utf-8"))
    assert find_geojson_errors(outlines) == []
    assert len(read_geojson(out / "case 1" / "tracts.geojson").areas) == 5
    artefacts = json.loads((out / "case 1" / "artefacts.geojson").read_text("utf-8"))
    assert find_geojson_errors(artefacts) == []
    assert record["artefacts"]["focus_measured"]
    assert all(tract["on_artefact"] == [] for tract in record["tracts"])
    pictures = {path.name for path in (out / "case 1" / "thumbnails").iterdir()}
    assert pictures == {f"PT-{number:03d}.jpg" for number in range(1, 5)}
    manifest = read_manifest(out / "case 1")
    assert manifest is not None
    assert manifest["settings_hash"] == record["settings_hash"]
    classes = tifffile.imread(out / "case 1" / "classes.ome.tif")
    assert set(np.unique(classes)) == {0, 1, 2}


def test_a_done_slide_is_kept_and_changed_settings_redo_it(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    segment(scene, out)
    stamp = (out / "case 1" / "manifest.json").stat().st_mtime_ns
    assert segment(scene, out).slides[0].outcome == "kept"
    assert (out / "case 1" / "manifest.json").stat().st_mtime_ns == stamp
    changed = RunSettings(min_tract_area_um2=9000)
    again = segment(scene, out, settings=changed).slides[0]
    assert again.outcome == "done"
    assert (again.biopsy.tract_count_total or 0) < 4


def test_a_pathologists_corrections_are_never_lost(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    segment(scene, out)
    edited = out / "case 1" / "tracts.geojson"
    edited.write_text(edited.read_text("utf-8").replace("PT 1", "my own tract"), encoding="utf-8")
    segment(scene, out, settings=RunSettings(overwrite=True))
    kept = (out / "case 1.edited-1" / "tracts.geojson").read_text("utf-8")
    assert "my own tract" in kept
    assert "my own tract" not in edited.read_text("utf-8")


def test_one_bad_slide_costs_itself_only(scene: Path, tmp_path: Path) -> None:
    bad = scene.with_name("broken.svs")
    bad.write_bytes(scene.read_bytes()[:5000])
    result = segment([bad, scene], tmp_path / "out")
    assert [slide.outcome for slide in result.slides] == ["failed", "done"]
    run = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert run["status"] == "finished"
    assert "broken.svs" in run["slides"][0]["error"]
    assert files_of(tmp_path / "out" / "broken") == ["failed.json"]
    assert "failed" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_a_slide_that_is_mostly_unreadable_fails(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glisson.run import journey

    monkeypatch.setattr(journey, "MOST_UNREADABLE", -1.0)
    with pytest.raises(DamagedSlide, match="cannot be read"):
        segment(scene, tmp_path / "out")
    assert files_of(tmp_path / "out" / "case 1") == ["failed.json"]


@pytest.mark.parametrize(("first", "message"), [(0.0, "100% of it"), (0.6, r"\d\d% of it")])
def test_a_slide_of_which_too_much_cannot_be_read_fails(
    scene: Path, tmp_path: Path, first: float, message: str
) -> None:
    """It is no empty slide, and what the finder cannot read may be tissue.

    Tiles of every level are blanked from a part `first` of the level on.
    """
    with tifffile.TiffFile(scene) as file:
        places = [
            place
            for page in file.pages
            for place in list(zip(page.dataoffsets, page.databytecounts, strict=True))[
                int(first * len(page.dataoffsets)) :
            ]
        ]
    with scene.open("r+b") as written:
        for offset, count in places:
            written.seek(offset)
            written.write(bytes(count))
    with pytest.raises(DamagedSlide, match=f"{message} cannot be read"):
        segment(scene, tmp_path / "out")
    assert files_of(tmp_path / "out" / "case 1") == ["failed.json"]


def test_an_empty_slide_is_a_result(tmp_path: Path) -> None:
    from glisson.frames import PixelSize, Size
    from glisson_phantom.writing import write_pyramid

    glass = np.full((2000, 3000, 3), 244, np.uint8)
    write_pyramid(tmp_path / "empty.svs", glass, Size(3000, 2000), PixelSize(0.5, 0.5))
    (slide,) = segment(tmp_path / "empty.svs", tmp_path / "out").slides
    assert slide.outcome == "done"
    assert slide.record is not None
    assert slide.biopsy.tract_count_total == 0
    assert {each.verdict for each in slide.record.adequacy} == {"not assessable"}
    with (tmp_path / "out" / "biopsies.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert {row[key] for key in row if key.startswith("adequacy_")} == {"not assessable"}
    shown = adequacy_line(slide.record)
    assert shown == "AASLD 2009 not assessable, RCPath optimum not assessable"
    assert any("No tissue" in warning for warning in slide.record.warnings)


def test_a_crop_says_that_its_numbers_are_of_a_part(tmp_path: Path) -> None:
    from glisson.frames import PixelSize, Size
    from glisson_phantom.writing import write_pyramid

    cut = np.ascontiguousarray(scene_pixels()[:, 1000:3000])
    write_pyramid(tmp_path / "cut.svs", cut, Size(2000, 1400), PixelSize(0.5, 0.5), quality=95)
    (slide,) = segment(tmp_path / "cut.svs", tmp_path / "out").slides
    assert slide.record is not None
    said = " ".join(slide.record.warnings)
    assert "length, counts and adequacy are of a part of the biopsy" in said
    assert "the picture would show" not in said  # a crop may be small


def test_a_scan_of_impossible_size_doubts_its_pixel_size(scene: Path, tmp_path: Path) -> None:
    """2.4 x 0.7 mm with glass on every side."""
    (slide,) = segment(scene, tmp_path / "out").slides
    assert slide.record is not None
    assert any("would show 2.4 x 0.7 mm" in each for each in slide.record.warnings)
    assert not any("of a part" in each for each in slide.record.warnings)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interruption_leaves_no_half_result(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    from glisson.run import journey

    def stop(*_: object, **__: object) -> None:
        raise error

    other = write_scene(scene.with_name("case 2.svs"))
    out = tmp_path / "out"
    segment(scene, out)
    monkeypatch.setattr(journey, "write_overview", stop)
    with pytest.raises(error):
        segment([scene, other], out)
    assert (out / "case 1").is_dir()
    assert files_of(out / "case 2") == ["failed.json"]
    assert leftovers(out) == []
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert run["status"] == "interrupted"
    assert [slide["outcome"] for slide in run["slides"]] == ["done", "waiting"]


def test_a_full_disk_is_said_and_leaves_nothing(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glisson.run import journey

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journey, "write_class_map", full)
    with pytest.raises(OutputError, match="No space left"):
        segment(scene, tmp_path / "out")
    assert files_of(tmp_path / "out" / "case 1") == ["failed.json"]
    assert leftovers(tmp_path / "out") == []


def test_wrong_input_fails_before_any_work(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    image = tmp_path / "plain.png"
    from PIL import Image

    Image.new("RGB", (60, 50), (230, 200, 220)).save(image)
    with pytest.raises(SlideNotFound):
        segment(tmp_path / "none.svs", out)
    with pytest.raises(MissingPixelSize):
        segment(image, out)
    with pytest.raises(ModelNotFound):
        segment(scene, out, model="unheard-of")
    with pytest.raises(SettingsError):
        segment([], out)
    assert not out.exists()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        segment(scene, tmp_path / "file")


def test_manifest_of_other_settings_is_not_done(scene: Path, tmp_path: Path) -> None:
    segment(scene, tmp_path / "out")
    folder = tmp_path / "out" / "case 1"
    manifest = read_manifest(folder)
    assert manifest is not None
    parts = manifest["made_from"]
    assert find_redo_reason(folder, parts) is None
    assert find_redo_reason(folder, parts | {"settings": "0" * 64}) == "changed: settings"
    (folder / "overview.png").unlink()
    assert find_redo_reason(folder, parts) == "missing or damaged: overview.png"


def test_result_names() -> None:
    assert name_folders([Path("a/x.svs"), Path("b/y.svs")]) == ["x", "y"]
    assert name_folders([Path("x.svs"), Path("x.ndpi")]) == ["x.svs", "x.ndpi"]
    with pytest.raises(SettingsError, match=r"x\.svs"):
        name_folders([Path("a/x.svs"), Path("b/x.svs")])


@pytest.mark.parametrize("bad", [{"overlap": 0.9}, {"min_tract_area_um2": -1}, {"threads": 0}])
def test_impossible_settings_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        RunSettings(**bad)  # type: ignore[arg-type]


def test_in_memory_slides_have_a_name() -> None:
    slide = InMemorySlide(np.zeros((4, 4, 3), np.uint8), pixel_size=_pixel())
    assert slide.info.name == "memory"


def _pixel():
    from glisson.frames import PixelSize

    return PixelSize(1, 1)
