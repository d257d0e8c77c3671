"""Candidates in files and pictures: seen, and taken for a tract by nobody."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import shapely
from PIL import Image

from glisson.classes import CANDIDATE_COLOUR, PORTAL
from glisson.exchange import (
    find_geojson_errors,
    read_geojson,
    write_overview,
    write_tables,
    write_thumbnails,
    write_tracts_geojson,
)
from glisson.exchange.geojson import make_tracts_document
from glisson.exchange.thumbnails import MOST_CANDIDATE_THUMBNAILS
from glisson.frames import Frame, PixelSize
from glisson.measurement import measure_biopsy
from glisson.regions import Candidate, Regions, RegionSettings, find_regions
from glisson.slides import InMemorySlide
from tests.exchange.test_artefacts_and_thumbnails import near
from tests.exchange.test_files_for_others import _record
from tests.records import record
from tests.regions.test_candidates import UnsureMap
from tests.scenes import biopsy_labels, coloured

PIXEL = PixelSize(1, 1)


def scene() -> tuple[InMemorySlide, Regions]:
    """Two tracts on the left, two candidates on the right, one of them at the edge."""
    labels = biopsy_labels()
    sure = np.arange(labels.shape[1]) < 1200
    probability = np.broadcast_to(np.where(sure, 0.9, 0.6).astype(np.float32), labels.shape)
    unsure = UnsureMap(Frame(PIXEL, 1.0), labels, probability)
    regions = find_regions(unsure, RegionSettings(min_tract_probability=0.8))
    return InMemorySlide(coloured(labels), PIXEL), regions


SLIDE, REGIONS = scene()
MEASURED = measure_biopsy(REGIONS, PIXEL)


def test_outlines_have_a_class_of_their_own(tmp_path: Path) -> None:
    document = make_tracts_document(REGIONS, MEASURED, SLIDE.info, "m 1")
    assert find_geojson_errors(document) == []
    tissue, *areas = document["features"]
    kinds = [each["properties"]["classification"]["name"] for each in areas]
    assert kinds == ["Portal tract"] * 2 + ["Portal tract?"] * 2
    candidate, partial = (each["properties"] for each in areas[2:])
    assert candidate["name"] == "Candidate 1"
    assert candidate["classification"]["color"] == list(CANDIDATE_COLOUR)
    assert candidate["isLocked"] is False
    assert candidate["measurements"]["PT area µm^2"] == MEASURED.candidates[0].area_um2
    assert candidate["measurements"]["PT probability"] == 0.6
    assert candidate["metadata"] == {"Tract": "complete", "Fragment": "1", "Model": "m 1"}
    assert partial["metadata"]["Tract"] == "partial"
    whole = shapely.geometry.shape(tissue["geometry"]).buffer(0.011)
    assert all(whole.covers(shapely.geometry.shape(each["geometry"])) for each in areas)
    write_tracts_geojson(tmp_path / "a.geojson", REGIONS, MEASURED, SLIDE.info, "m 1")
    names = [area.class_name for area in read_geojson(tmp_path / "a.geojson").areas]
    assert names[-2:] == ["Portal tract?"] * 2


def test_ids_are_no_tracts() -> None:
    """Imported again, a candidate that turned into a tract is another object."""
    features = make_tracts_document(REGIONS, MEASURED, SLIDE.info, "m 1")["features"]
    assert len({each["id"] for each in features}) == 5


def test_the_overview_draws_them_dashed_and_says_so(tmp_path: Path) -> None:
    for name, candidates in (("with", REGIONS.candidates), ("without", ())):
        shown = Regions(REGIONS.frame, REGIONS.fragments, REGIONS.tracts, True, None, candidates)
        write_overview(tmp_path / f"{name}.png", SLIDE, shown)
    drawn, plain = (np.asarray(Image.open(tmp_path / f"{n}.png")) for n in ("with", "without"))
    assert near(plain, CANDIDATE_COLOUR) == 0
    outline_px = 3 * sum(each.outline_l0.length for each in REGIONS.candidates)
    assert 0.3 * outline_px < near(drawn, CANDIDATE_COLOUR) < 0.8 * outline_px
    legend = near(drawn[-44:], CANDIDATE_COLOUR)
    assert 40 < legend < 4 * 25, "half of a line of 24 x 4 px and more"


def test_their_thumbnails_are_dashed_and_few(tmp_path: Path) -> None:
    write_thumbnails(tmp_path, SLIDE, REGIONS.tracts, REGIONS.candidates)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"PT-001.jpg", "PT-002.jpg", "candidate-001.jpg", "candidate-002.jpg"}
    picture = np.asarray(Image.open(tmp_path / "candidate-001.jpg"))
    assert near(picture, CANDIDATE_COLOUR) > 50
    assert near(picture, PORTAL.colour) == 0
    box = shapely.box(100, 100, 140, 140)
    many = [Candidate(k, 1, box, box, 0.0, True, False, k / 100) for k in range(1, 41)]
    write_thumbnails(tmp_path, SLIDE, (), many)
    written = {path.name for path in tmp_path.glob("candidate-*")}
    assert "candidate-040.jpg" in written
    assert len(written) == MOST_CANDIDATE_THUMBNAILS + 2  # and the two from above


def test_tables_keep_them_apart(tmp_path: Path) -> None:
    candidate = {
        "number": 1, "fragment_number": 1, "area_um2": 2500.0, "probability": 0.6,
        "edge_contact_fraction": 0.0, "complete": True, "centroid_x_l0": 9.0, "centroid_y_l0": 8.0,
    }  # fmt: skip
    new = _record("new") | {
        "candidates": {"count": 1, "area_mm2": 0.0025, "areas": [candidate]},
    }
    write_tables(tmp_path, [("old", record(_record("old"))), ("new", record(new))])
    tables = {}
    for name in ("biopsies", "tracts", "candidates"):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    assert {each["number"] for each in tables["tracts"]} == {"1", "2", "3"}
    (row,) = tables["candidates"]
    assert (row["slide"], row["number"], row["area_um2"]) == ("new", "1", "2500.0")
    totals = [(r["candidate_count"], r["candidate_area_mm2"]) for r in tables["biopsies"]]
    assert totals == [("", ""), ("1", "0.0025")]
