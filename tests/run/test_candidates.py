"""What the model is unsure of, from the slide to the corrected numbers."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from glisson.cli.app import app
from glisson.exchange import find_geojson_errors
from glisson.frames import PixelSize, Size
from glisson.run.executors import Shard, in_process
from glisson.run.gather import gather
from glisson.run.remeasure import measure
from glisson.run.segment import segment
from glisson_phantom.writing import write_pyramid
from tests.run.conftest import scene_pixels
from tests.scenes import PORTAL, ColourModel

UNSURE = (40, 40, 90)
Features = list[dict[str, Any]]


class UnsureModel(ColourModel):
    """A runtime that calls one colour portal with 0.52: too little evidence for the limit."""

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        answer = super().predict(tiles)
        gap = tiles.astype(int)
        unsure = np.abs(gap - UNSURE).sum(-1) < np.abs(gap - PORTAL).sum(-1)
        answer.transpose(0, 2, 3, 1)[unsure] = (0, 0.48, 0.52)
        return answer


def write_unsure_scene(path: Path) -> Path:
    """The scene, its third tract and the one at the edge in the colour of doubt."""
    rgb = scene_pixels()
    right = rgb[:, 2600:].astype(int)
    portal = np.abs(right - PORTAL).sum(-1) < 120
    right[portal] += np.subtract(UNSURE, PORTAL)
    rgb[:, 2600:] = np.clip(right, 0, 255)
    write_pyramid(path, rgb, Size(4800, 1400), PixelSize(0.5, 0.5), quality=95)
    return path


@pytest.fixture(scope="module")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    slides, out = tmp_path_factory.mktemp("slides"), tmp_path_factory.mktemp("results") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_process, "OpeningRuntime", lambda *_, **__: UnsureModel())
        segment(write_unsure_scene(slides / "case 1.svs"), out)
    return out


@pytest.fixture
def out(segmented: Path, tmp_path: Path) -> Path:
    shutil.copytree(segmented, tmp_path / "out")
    return tmp_path / "out"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record_in(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "biopsy.json").read_text("utf-8"))


def corrected(out: Path, edit: Callable[[Features], None]) -> dict[str, Any]:
    """The record of the slide's outlines, edited and measured."""
    document = json.loads((out / "case 1" / "tracts.geojson").read_text("utf-8"))
    edit(document["features"])
    path = out / "qupath" / "edited" / "case 1.svs.geojson"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    measure(out)
    return record_in(out / "case 1.edited")


def class_of(feature: dict[str, Any]) -> str:
    return str(feature["properties"]["classification"]["name"])


def test_a_run_lists_candidates_and_counts_none(segmented: Path) -> None:
    record = record_in(segmented / "case 1")
    assert record["biopsy"]["tract_count_total"] == len(record["tracts"]) == 2
    portal_um2 = sum(tract["area_um2"] for tract in record["tracts"])
    assert record["biopsy"]["portal_area_mm2"] == pytest.approx(portal_um2 * 1e-6)
    block = record["candidates"]
    assert (block["count"], block["min_sure_area_um2"]) == (2, 1000)
    assert block["area_mm2"] == pytest.approx(sum(a["area_um2"] for a in block["areas"]) * 1e-6)
    whole, partial = block["areas"]
    assert (whole["complete"], partial["complete"]) == (True, False)
    assert whole["area_um2"] == pytest.approx(np.pi * 45**2, rel=0.05)
    assert whole["probability"] == pytest.approx(0.52, abs=0.05)
    assert {"number", "fragment_number", "on_artefact", "centroid_x_l0"} < set(whole)
    assert not any("andidate" in warning for warning in record["warnings"])


def test_every_file_of_a_run_tells_them_from_tracts(segmented: Path) -> None:
    document = json.loads((segmented / "case 1" / "tracts.geojson").read_text("utf-8"))
    assert find_geojson_errors(document) == []
    kinds = [class_of(feature) for feature in document["features"]]
    assert kinds == ["Tissue", "Portal tract", "Portal tract", "Portal tract?", "Portal tract?"]
    (biopsy,) = rows(segmented / "biopsies.csv")
    assert (biopsy["tract_count_total"], biopsy["candidate_count"]) == ("2", "2")
    assert float(biopsy["candidate_area_mm2"]) > 0.006
    assert [row["number"] for row in rows(segmented / "tracts.csv")] == ["1", "2"]
    assert [row["complete"] for row in rows(segmented / "candidates.csv")] == ["True", "False"]
    report = (segmented / "report.html").read_text("utf-8")
    assert "2 candidates, in no count, area or percentage" in report
    pictures = {path.name for path in (segmented / "case 1" / "thumbnails").iterdir()}
    assert pictures == {f"{kind}-00{k}.jpg" for kind in ("PT", "candidate") for k in (1, 2)}
    labels = tifffile.imread(segmented / "case 1" / "classes.ome.tif", level=0)
    assert (labels[:, 1300 * labels.shape[1] // 2400 :] != 2).all(), "lobule in the class map"
    classes = json.loads((segmented / "qupath/classifiers/classes.json").read_text("utf-8"))
    assert "Portal tract?" in [each["name"] for each in classes["pathClasses"]]


def test_untouched_candidates_are_left_out_and_said(out: Path) -> None:
    record = corrected(out, lambda features: None)
    comparison = record["comparison"]
    assert (comparison["tracts_unchanged"], comparison["tracts_added"]) == (2, 0)
    assert record["biopsy"]["tract_count_total"] == 2
    assert record["candidates"]["count"] == 2
    (left_out,) = (w for w in record["warnings"] if "candidate" in w)
    assert left_out.startswith("2 candidates, 0.0")
    assert "(Portal tract?) left out: in no count, area or percentage" in left_out
    assert not any("are not measured" in warning for warning in record["warnings"])
    (biopsy,) = rows(out / "biopsies_edited.csv")
    assert (biopsy["tract_count_total"], biopsy["candidate_count"]) == ("2", "2")
    assert len(rows(out / "candidates_edited.csv")) == 2
    outlines = json.loads((out / "case 1.edited" / "tracts.geojson").read_text("utf-8"))
    assert find_geojson_errors(outlines) == []
    assert [class_of(each) for each in outlines["features"]].count("Portal tract?") == 2
    assert left_out.split(":")[0] in (out / "report.html").read_text("utf-8")


def test_one_accepted_and_one_deleted(out: Path) -> None:
    model = record_in(out / "case 1")

    def decide(features: Features) -> None:
        features[3]["properties"]["classification"]["name"] = "Portal tract"
        del features[4]

    record = corrected(out, decide)
    comparison = record["comparison"]
    assert (comparison["tracts_unchanged"], comparison["tracts_added"]) == (2, 1)
    assert record["biopsy"]["tract_count_total"] == 3
    accepted_mm2 = record["biopsy"]["portal_area_mm2"] - model["biopsy"]["portal_area_mm2"]
    assert accepted_mm2 == pytest.approx(
        model["candidates"]["areas"][0]["area_um2"] * 1e-6, rel=0.1
    )
    assert record["candidates"] == {"count": 0, "area_mm2": 0.0, "areas": []}
    assert not any("andidate" in warning for warning in record["warnings"])


def test_the_terminal_says_how_many(out: Path, tmp_path: Path) -> None:
    kept = CliRunner().invoke(app, ["measure", str(out), "--from", str(out / "case 1")])
    assert kept.exit_code == 0, kept.output
    assert "2 candidates, 0.0" in kept.output
    slide = write_unsure_scene(tmp_path / "case 2.svs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_process, "OpeningRuntime", lambda *_, **__: UnsureModel())
        done = CliRunner().invoke(app, ["segment", str(slide), "-o", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    assert "not counted: accept or delete them in QuPath" in " ".join(done.output.split())


def test_results_of_older_versions_go_on_working(out: Path) -> None:
    """They say `doubtful_portal`, and list no candidates."""
    path = out / "case 1" / "biopsy.json"
    old = record_in(out / "case 1")
    del old["candidates"]
    path.write_text(json.dumps(old | {"doubtful_portal": {"count": 2}}), encoding="utf-8")

    def as_it_was(features: Features) -> None:
        del features[3:]

    record = corrected(out, as_it_was)
    assert record["biopsy"]["tract_count_total"] == 2
    report = (out / "report.html").read_text("utf-8")
    assert "in no count, area or percentage" not in report


def test_shards_are_gathered_with_them(tmp_path: Path) -> None:
    slides = tmp_path / "slides"
    slides.mkdir()
    first = write_unsure_scene(slides / "a.svs")
    shutil.copyfile(first, slides / "b.svs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_process, "OpeningRuntime", lambda *_, **__: UnsureModel())
        for number in (1, 2):
            segment([slides], tmp_path / "out", executor=Shard(number, 2))
    gather(tmp_path / "out")
    found = [(row["slide"], row["number"]) for row in rows(tmp_path / "out" / "candidates.csv")]
    assert found == [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]
    assert [row["candidate_count"] for row in rows(tmp_path / "out" / "biopsies.csv")] == ["2", "2"]
