"""Corrected outlines give corrected numbers, and the model's own stay as they are."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.affinity import translate

from glisson.errors import AnnotationError, SettingsError
from glisson.exchange import find_geojson_errors
from glisson.results.reading import read_edited_records
from glisson.run.executors import in_process
from glisson.run.remeasure import EditedSlide, measure
from glisson.run.segment import segment
from glisson.run.settings import RunSettings
from tests.run.conftest import write_scene
from tests.scenes import ColourModel

Edit = Callable[[list[dict[str, Any]]], None]
UM_PER_L0 = 0.5


@pytest.fixture(scope="module")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of two slides that are gone: correcting needs no slide."""
    slides, out = tmp_path_factory.mktemp("slides"), tmp_path_factory.mktemp("results")
    first = write_scene(slides / "case 1.svs")
    shutil.copy(first, slides / "case 2.svs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_process, "OpeningRuntime", lambda *_, **__: ColourModel())
        segment([first, slides / "case 2.svs"], out, executor=in_process.InProcess())
    shutil.rmtree(slides)
    return out


@pytest.fixture
def out(segmented: Path, tmp_path: Path) -> Path:
    """Results of one slide."""
    shutil.copytree(segmented, tmp_path / "out", ignore=shutil.ignore_patterns("case 2"))
    return tmp_path / "out"


def outlines(out: Path) -> dict[str, Any]:
    return json.loads((out / "case 1" / "tracts.geojson").read_text("utf-8"))


def square(x: float, y: float, side: float, class_name: str = "Portal tract") -> dict[str, Any]:
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return feature({"type": "Polygon", "coordinates": [ring]}, class_name)


def feature(geometry: dict[str, Any], class_name: str = "Portal tract") -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": str(uuid.uuid4()),
        "geometry": geometry,
        "properties": {"name": "mine", "classification": {"name": class_name}},
    }


def edited(out: Path, edit: Edit, name: str = "case 1.svs.geojson") -> Path:
    """The slide's outlines, edited, where QuPath's export script puts them."""
    document = outlines(out)
    edit(document["features"])
    path = out / "qupath" / "edited" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def content_of(slide: EditedSlide) -> dict[str, Any]:
    assert slide.record is not None
    return slide.record.content()


def test_untouched_outlines_change_nothing(out: Path) -> None:
    edited(out, lambda features: None)
    (slide,) = measure(out).slides
    comparison = content_of(slide)["comparison"]
    assert comparison["tracts_unchanged"] == 4
    assert comparison["tracts_added"] + comparison["tracts_removed"] == 0
    for key, change in comparison["biopsy"].items():
        if "count" in key:
            assert change["change"] in (0, None), key
        else:
            assert change["after"] == pytest.approx(change["before"], rel=0.005), key


def test_the_class_decides_which_outlines_count(out: Path) -> None:
    """One tract is taken out of the count; a narrow one that a person drew is in it."""

    def correct(features: list[dict[str, Any]]) -> None:
        features[1]["properties"]["classification"]["name"] = "Portal tract: not counted"
        features.append(square(3400, 500, 80))

    edited(out, correct)
    (slide,) = measure(out).slides
    biopsy = content_of(slide)["comparison"]["biopsy"]
    counts = [biopsy["tract_count_total"][when] for when in ("before", "after")]
    uncounted = [biopsy["uncounted_area_count"][when] for when in ("before", "after")]
    assert (counts, uncounted) == ([4, 4], [0, 1])
    assert biopsy["portal_area_mm2"]["change"] == pytest.approx(40**2 * 1e-6, rel=0.1)
    assert [tract["is_counted"] for tract in content_of(slide)["tracts"]].count(False) == 1
    assert any(text.startswith("1 outline(s) of class") for text in content_of(slide)["warnings"])
    written = json.loads((out / "case 1.edited" / "tracts.geojson").read_text("utf-8"))
    classes = [each["properties"]["classification"]["name"] for each in written["features"]]
    assert classes.count("Portal tract: not counted") == 1
    assert classes.count("Portal tract") == 4


def test_corrections_are_measured_and_compared(out: Path) -> None:
    before = hashes(out / "case 1")

    def correct(features: list[dict[str, Any]]) -> None:
        del features[1]  # PT 1
        shape = shapely.geometry.shape(features[1]["geometry"])
        features[1]["geometry"] = shapely.geometry.mapping(translate(shape, 60, 0))
        features.append(square(3400, 500, 200))

    file = edited(out, correct)
    (slide,) = measure(out).slides
    record = json.loads((out / "case 1.edited" / "biopsy.json").read_text("utf-8"))
    assert record == json.loads(json.dumps(content_of(slide)))
    assert record["source"] == "edited"
    assert record["edited"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert record["edited"]["file"] == "case 1.svs.geojson"
    kinds = {k: record["comparison"][f"tracts_{k}"]
             for k in ("added", "removed", "changed", "unchanged")}  # fmt: skip
    assert kinds == {"added": 1, "removed": 1, "changed": 1, "unchanged": 2}
    (added,) = [t for t in record["comparison"]["tracts"] if t["change"] == "added"]
    assert added["area_after_um2"] == pytest.approx(200**2 * UM_PER_L0**2)
    assert record["biopsy"]["tract_count_total"] == 4
    portal_um2 = sum(tract["area_um2"] for tract in record["tracts"])
    assert record["biopsy"]["portal_area_mm2"] == pytest.approx(portal_um2 * 1e-6)
    assert len(record["adequacy"]) == 6
    assert hashes(out / "case 1") == before
    written = json.loads((out / "case 1.edited" / "tracts.geojson").read_text("utf-8"))
    assert find_geojson_errors(written) == []
    with (out / "biopsies_edited.csv").open(encoding="utf-8") as table:
        (row,) = csv.DictReader(table)
    assert row["slide"] == "case 1"
    assert row["source"] == "edited: case 1.svs.geojson"
    assert row["adequacy_rcpath_minimum"] == "inadequate"


def test_no_tracts_are_zero_tracts(out: Path) -> None:
    edited(out, lambda features: features.__delitem__(slice(1, None)))
    (slide,) = measure(out).slides
    assert content_of(slide)["biopsy"]["tract_count_total"] == 0
    assert content_of(slide)["biopsy"]["portal_area_mm2"] == 0
    assert content_of(slide)["comparison"]["tracts_removed"] == 4


def test_without_drawn_tissue_the_class_map_says_where_it_is(out: Path) -> None:
    edited(out, lambda features: features.__delitem__(0))
    (slide,) = measure(out).slides
    change = content_of(slide)["comparison"]["biopsy"]["tissue_area_mm2"]
    assert change["change"] == pytest.approx(0, abs=1e-9)
    assert any("class map" in warning for warning in content_of(slide)["warnings"])


def test_drawn_tissue_is_measured_as_drawn(out: Path) -> None:
    def halve(features: list[dict[str, Any]]) -> None:
        tissue = shapely.geometry.shape(features[0]["geometry"])
        half = shapely.clip_by_rect(tissue, 0, 0, 2400, 5000)
        features[0]["geometry"] = shapely.geometry.mapping(half)

    edited(out, halve)
    (slide,) = measure(out).slides
    change = content_of(slide)["comparison"]["biopsy"]["tissue_area_mm2"]
    assert change["after"] == pytest.approx(0.5 * change["before"], rel=0.01)
    assert content_of(slide)["biopsy"]["tract_count_total"] == 2
    assert any("outside the tissue" in warning for warning in content_of(slide)["warnings"])


def test_what_is_odd_is_put_right_and_said(out: Path) -> None:
    bow_tie = [[3300, 500], [3500, 700], [3500, 500], [3300, 700], [3300, 500]]

    def scribble(features: list[dict[str, Any]]) -> None:
        features.append(feature({"type": "Polygon", "coordinates": [bow_tie]}))
        features.append(square(3400, 900, 100, ""))
        features.append(feature({"type": "Point", "coordinates": [9, 9]}))
        features.append(square(10, 1250, 100))
        features.append(features[1] | {"id": str(uuid.uuid4())})

    edited(out, scribble)
    (slide,) = measure(out).slides
    said = " ".join(content_of(slide)["warnings"])
    for text in ("crossed itself", "without a class", "Point", "outside the tissue", "one tract"):
        assert text in said, text
    assert content_of(slide)["biopsy"]["tract_count_total"] == 6  # 4 and the halves of the bow tie


@pytest.mark.parametrize("style", ["bare list", "gzip", "in place"])
def test_other_ways_to_save_are_read(out: Path, style: str) -> None:
    document = outlines(out)
    document["features"] = document["features"][:-1]
    path = out / "case 1" / "tracts.geojson"
    if style == "bare list":  # QuPath 0.2 and 0.3
        path = out / "drawn.json"
        path.write_text(json.dumps(document["features"]), encoding="utf-8")
    elif style == "gzip":
        import gzip

        path = out / "case 1.geojson.gz"
        path.write_bytes(gzip.compress(json.dumps(document).encode()))
    else:
        path.write_text(json.dumps(document), encoding="utf-8")
    (slide,) = measure(out / "case 1", path).slides
    assert slide.name == "case 1"
    assert content_of(slide)["biopsy"]["tract_count_total"] == 3


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"width": 4000, "height": 1400}, "4000 x 1400"),
        ({"boundsX": 512}, "another slide"),
        ({"image": "other.svs"}, "no slide"),
    ],
)
def test_outlines_of_another_image_are_refused(
    out: Path, block: dict[str, object], message: str
) -> None:
    document = outlines(out)
    document["glisson"] |= block
    path = out / "drawn.geojson"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(AnnotationError, match=message):
        measure(out, path)
    assert not (out / "case 1.edited").exists()


def test_outlines_beyond_the_slide_are_refused(out: Path) -> None:
    path = edited(out, lambda features: features.append(square(9000, 100, 50)))
    with pytest.raises(AnnotationError, match="outside case 1"):
        measure(out, path)


def test_a_bad_file_costs_only_itself(out: Path) -> None:
    edited(out, lambda features: None)
    (out / "qupath" / "edited" / "broken.svs.geojson").write_text("{", encoding="utf-8")
    run = measure(out)
    assert [slide.error is None for slide in run.slides] == [False, True]
    assert "broken.svs.geojson" in (run.failed[0].error or "")
    assert (out / "case 1.edited" / "biopsy.json").is_file()


def test_every_slide_gets_its_own_file(segmented: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(segmented, tmp_path / "out"))
    shutil.copy(out / "case 2" / "tracts.geojson", tmp_path / "case 2.svs.geojson")
    (slide,) = measure(out, tmp_path / "case 2.svs.geojson").slides
    assert slide.name == "case 2"
    edited(out, lambda features: features.pop())
    assert [each.name for each in measure(out).slides] == ["case 1"]
    with (out / "biopsies_edited.csv").open(encoding="utf-8") as table:
        assert [row["slide"] for row in csv.DictReader(table)] == ["case 1", "case 2"]


def both(segmented: Path, tmp_path: Path) -> Path:
    """Results of two slides, and both slides' outlines where the export script puts them."""
    out = Path(shutil.copytree(segmented, tmp_path / "out"))
    for name in ("case 1", "case 2"):
        file = out / "qupath" / "edited" / f"{name}.svs.geojson"
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(out / name / "tracts.geojson", file)
    return out


def test_one_slides_folder_takes_its_own_file(segmented: Path, tmp_path: Path) -> None:
    out = both(segmented, tmp_path)
    assert [(s.name, s.error) for s in measure(out / "case 1").slides] == [("case 1", None)]
    assert not (out / "case 2.edited").exists()


def test_a_slides_folder_stands_for_its_outlines(out: Path) -> None:
    """Beside them lie artefacts and records, which are no corrected outlines."""
    (slide,) = measure(out, out / "case 1").slides
    assert slide.file.name == "tracts.geojson"
    assert content_of(slide)["biopsy"]["tract_count_total"] == 4


def test_outlines_of_unknown_name_go_to_a_slide_only_when_chosen(out: Path) -> None:
    place = out / "drawn"
    place.mkdir()
    (place / "case 9.geojson").write_text(json.dumps(outlines(out)["features"]), encoding="utf-8")
    with pytest.raises(AnnotationError, match="case 9"):
        measure(out / "case 1", place)
    assert measure(out / "case 1", place / "case 9.geojson").slides[0].name == "case 1"


def test_the_folder_of_a_slide_says_whose_outlines_they_are(
    segmented: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = both(segmented, tmp_path)
    path = out / "case 2" / "mine.geojson"
    path.write_text(json.dumps(outlines(out)["features"]), encoding="utf-8")
    monkeypatch.chdir(out)
    assert [slide.name for slide in measure(".", path.resolve()).slides] == ["case 2"]


def test_results_that_a_newer_run_set_aside_are_no_second_slide(out: Path) -> None:
    edited(out, lambda features: None)
    shutil.copytree(out / "case 1", out / "case 1.edited-1")
    assert [(slide.name, slide.error) for slide in measure(out).slides] == [("case 1", None)]


def test_a_slide_called_edited_is_not_replaced(out: Path) -> None:
    edited(out, lambda features: None)
    shutil.copytree(out / "case 1", out / "case 1.edited")
    record = json.loads((out / "case 1.edited" / "biopsy.json").read_text("utf-8"))
    record["slide"]["file"] = "case 1.edited.svs"
    (out / "case 1.edited" / "biopsy.json").write_text(json.dumps(record), encoding="utf-8")
    before = hashes(out / "case 1.edited")
    with pytest.raises(SettingsError, match="another slide"):
        measure(out)
    assert hashes(out / "case 1.edited") == before
    assert read_edited_records(out) == []


def test_sections_and_interface_can_be_said(out: Path) -> None:
    edited(out, lambda features: None)
    (slide,) = measure(out, interface_width_um=50, sections=2).slides
    biopsy = content_of(slide)["biopsy"]
    assert (biopsy["section_count"], biopsy["section_count_given"]) == (2, True)
    assert biopsy["interface_width_um"] == 50
    assert biopsy["tract_count_per_section"] == 2
    with pytest.raises(SettingsError, match="--sections"):
        measure(out, sections=0)


def test_nothing_to_measure_is_said(out: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="export_glisson"):
        measure(out)
    with pytest.raises(SettingsError, match="no results"):
        measure(tmp_path / "nowhere")
    edited(out, lambda features: None)
    (out / "case 1" / "classes.ome.tif").write_bytes(b"no map")
    with pytest.raises(SettingsError, match="Segment the slide again"):
        measure(out)


def test_a_class_map_is_read_back(out: Path) -> None:
    import tifffile

    from glisson.exchange import read_class_map
    from glisson.frames import BoxPx, PixelSize

    path = out / "case 1" / "classes.ome.tif"
    stored = read_class_map(path, PixelSize(UM_PER_L0, UM_PER_L0))
    whole = tifffile.imread(path)
    box = BoxPx(0, 0, whole.shape[1], whole.shape[0])
    assert np.array_equal(stored.crop(box).labels, whole)
    assert stored.size_px.width == whole.shape[1]


def test_numbers_that_neither_has_are_compared_as_such() -> None:
    from glisson.frames import Frame, PixelSize
    from glisson.measurement import compare, measure_biopsy
    from glisson.regions import regions_from_drawn

    pixel_size = PixelSize(1, 1)
    empty, _ = regions_from_drawn(Frame(pixel_size, 1.0), [], [])
    measured = measure_biopsy(empty, pixel_size)
    change = compare(empty, measured, empty, measured).biopsy["portal_percent"]
    assert (change.before, change.after, change.change) == (None, None, None)


def test_a_later_run_shows_corrections_beside_the_models_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_process, "OpeningRuntime", lambda *_, **__: ColourModel())
    slide, out = write_scene(tmp_path / "case 1.svs"), tmp_path / "out"
    segment(slide, out)
    edited(out, lambda features: features.append(square(200, 200, 300)))
    measure(out)
    segment(slide, out)
    table = '<table class="corrected">'
    assert table in (out / "report.html").read_text("utf-8")
    segment(slide, out, settings=RunSettings(interface_width_um=40.0))
    assert table not in (out / "report.html").read_text("utf-8")


def test_the_report_shows_the_corrected_numbers_at_once(out: Path) -> None:
    before = (out / "report.html").read_text("utf-8")
    edited(out, lambda features: features.append(square(3400, 500, 200)))
    run = measure(out)
    assert run.report == out / "report.html"
    after = run.report.read_text("utf-8")
    assert "Corrected by hand" in after
    assert "Corrected by hand" not in before
    assert "case 2" not in after  # somebody took its folder away, and the folder is the state


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"started": "today"}', '{"slides": [{"name": "../x"}]}']
)
def test_a_report_needs_no_word_of_the_run_record(out: Path, content: str) -> None:
    (out / "run.json").write_text(content, "utf-8")
    edited(out, lambda features: None)
    run = measure(out)
    assert not run.failed
    assert run.report == out / "report.html"
    assert "Corrected by hand" in run.report.read_text("utf-8")
    assert (out / "run.json").read_text("utf-8") == content


def test_without_a_run_there_is_no_report(out: Path) -> None:
    (out / "run.json").unlink()
    (out / "report.html").unlink()
    edited(out, lambda features: None)
    assert measure(out).report is None
    assert not (out / "report.html").exists()


CELL = {"objectType": "cell"}


@pytest.mark.parametrize(
    "kind", [{"objectType": "cell"}, {"objectType": "tile"}, {"object_type": "DETECTION"}]
)
def test_only_annotations_are_tracts(out: Path, kind: dict[str, str]) -> None:
    def add_objects(features: list[dict[str, Any]]) -> None:
        for number in range(30):
            features.append(square(1000 + 20 * number, 500, 16))
            features[-1]["properties"] |= kind

    edited(out, add_objects)
    (slide,) = measure(out).slides
    assert content_of(slide)["biopsy"]["tract_count_total"] == 4
    assert content_of(slide)["comparison"]["tracts_unchanged"] == 4
    (said,) = [text for text in content_of(slide)["warnings"] if "left out" in text]
    assert said.startswith(f"30 {next(iter(kind.values())).lower()}s left out")


def test_a_file_of_cells_alone_is_refused(out: Path) -> None:
    def keep_cells(features: list[dict[str, Any]]) -> None:
        features[:] = [square(1000, 500, 16)]
        features[0]["properties"] |= CELL

    edited(out, keep_cells)
    with pytest.raises(AnnotationError, match=r"no outline of tissue or tracts\. 1 cell left out"):
        measure(out)


@pytest.mark.parametrize(
    "move",
    [
        lambda shape: shapely.affinity.scale(shape, 0.25, 0.25, origin=(0, 0)),
        lambda shape: translate(shape, 0, -150),
        lambda shape: translate(shape, 0, -199),
    ],
)
def test_outlines_of_a_copy_are_refused(out: Path, move: Callable[[Any], Any]) -> None:
    """QuPath's plain export does not name the image's size."""
    document = outlines(out)
    del document["glisson"]
    for each in document["features"]:
        each["geometry"] = shapely.geometry.mapping(
            shapely.clip_by_rect(move(shapely.geometry.shape(each["geometry"])), 0, 0, 4800, 1400)
        )
    path = out / "case 1.geojson"
    document["features"] = [f for f in document["features"] if f["geometry"]["coordinates"]]
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"of the drawn outlines overlap.*--force"):
        measure(out, path)
    assert not (out / "case 1.edited").exists()
    (slide,) = measure(out, path, force=True).slides
    assert any("drawn outlines overlap" in text for text in content_of(slide)["warnings"])


def test_of_a_duplicated_image_its_own_file_is_measured(out: Path) -> None:
    edited(out, lambda features: features.__delitem__(1))
    edited(out, lambda features: None, "case 1.svs (image 4).geojson")
    run = measure(out)
    (failed,) = run.failed
    assert failed.file.name == "case 1.svs (image 4).geojson"
    assert "case 1.svs.geojson is measured" in (failed.error or "")
    (slide,) = [slide for slide in run.slides if slide.error is None]
    assert slide.file.name == "case 1.svs.geojson"
    assert content_of(slide)["biopsy"]["tract_count_total"] == 3


def test_of_duplicates_without_the_own_file_none_is_measured(out: Path) -> None:
    for number in (4, 5):
        edited(out, lambda features: None, f"case 1.svs (image {number}).geojson")
    run = measure(out)
    assert len(run.failed) == 2
    assert all("no file of them is measured" in (slide.error or "") for slide in run.failed)
    assert not (out / "case 1.edited").exists()


def test_a_row_and_a_message_name_the_outline_in_qupath(out: Path) -> None:
    document = outlines(out)["features"]

    def rename(features: list[dict[str, Any]]) -> None:
        del features[1]  # PT 1: rows are numbered anew
        features[1]["properties"]["name"] = "hilar"
        features.append(square(10, 1250, 100))

    edited(out, rename)
    (slide,) = measure(out).slides
    with (out / "tracts_edited.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [(row["number"], row["qupath_name"]) for row in rows] == [
        ("1", "hilar"), ("2", "PT 3"), ("3", "PT 4"),
    ]  # fmt: skip
    assert [row["qupath_id"] for row in rows] == [each["id"] for each in document[2:]]
    (said,) = [text for text in content_of(slide)["warnings"] if "outside the tissue" in text]
    assert said.startswith("mine (at x 30 µm, y 650 µm, id ")


def test_a_change_of_the_tissue_is_said(out: Path) -> None:
    def cut(features: list[dict[str, Any]]) -> None:
        tissue = shapely.geometry.shape(features[0]["geometry"])
        left, top, right, bottom = tissue.bounds
        part = shapely.clip_by_rect(tissue, left + 0.1 * (right - left), top, right, bottom)
        features[0]["geometry"] = shapely.geometry.mapping(part)

    edited(out, cut)
    (slide,) = measure(out).slides
    assert any(text.startswith("The tissue changed from") for text in content_of(slide)["warnings"])
    edited(out, lambda features: None)
    (slide,) = measure(out).slides
    said = content_of(slide)["warnings"]
    assert not any("The tissue changed" in text or "overlap" in text for text in said)
