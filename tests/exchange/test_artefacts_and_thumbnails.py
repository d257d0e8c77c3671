"""Artefacts drawn and written for QuPath, and pictures of tracts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import shapely
from PIL import Image

from glisson.artefacts import Artefact, Kind
from glisson.classes import PORTAL
from glisson.exchange import (
    find_geojson_errors,
    read_geojson,
    write_artefacts_geojson,
    write_overview,
    write_thumbnails,
)
from glisson.exchange.thumbnails import MOST_THUMBNAILS
from glisson.frames import Frame, PixelSize
from glisson.regions import Regions, Tract, find_regions
from glisson.slides import InMemorySlide
from tests.scenes import ArrayMap, biopsy_labels, coloured

FOLD = Artefact(Kind.FOLD, shapely.box(300, 200, 700, 260), 24_000.0, 24_000.0)
PEN = Artefact(Kind.PEN, shapely.box(0, 0, 500, 60), 30_000.0, 0.0)


def scene() -> tuple[InMemorySlide, Regions]:
    labels = biopsy_labels()
    slide = InMemorySlide(coloured(labels), PixelSize(1, 1))
    return slide, find_regions(ArrayMap(Frame(PixelSize(1, 1), 1.0), labels))


def near(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((np.abs(picture.astype(int) - colour).sum(-1) < 40).sum())


def test_artefacts_are_locked_annotations_of_their_own_classes(tmp_path: Path) -> None:
    slide, _ = scene()
    path = tmp_path / "artefacts.geojson"
    write_artefacts_geojson(path, [FOLD, PEN], slide.info)
    document = json.loads(path.read_text("utf-8"))
    assert find_geojson_errors(document) == []
    kinds = [f["properties"]["classification"]["name"] for f in document["features"]]
    assert kinds == ["Artefact: fold", "Artefact: pen"]
    assert all(f["properties"]["isLocked"] for f in document["features"])
    names = [f["properties"]["name"] for f in document["features"]]
    assert names == ["fold (flagged)", "pen (excluded)"]
    assert len(read_geojson(path).areas) == 2


def test_the_overview_draws_them_dashed_with_a_legend(tmp_path: Path) -> None:
    slide, regions = scene()
    write_overview(tmp_path / "without.png", slide, regions)
    write_overview(tmp_path / "with.png", slide, regions, [FOLD])
    without = np.asarray(Image.open(tmp_path / "without.png"))
    drawn = np.asarray(Image.open(tmp_path / "with.png"))
    found = near(drawn, Kind.FOLD.colour) - near(without, Kind.FOLD.colour)
    outline_px = 2 * FOLD.outline_l0.length  # two pixels wide at 1 µm/px
    assert 0.3 * outline_px < found < 0.9 * outline_px


def test_thumbnails_show_the_tract_inside_its_outline(tmp_path: Path) -> None:
    slide, regions = scene()
    write_thumbnails(tmp_path, slide, regions.tracts)
    assert len(list(tmp_path.iterdir())) == len(regions.tracts)
    for path in tmp_path.iterdir():
        picture = np.asarray(Image.open(path))
        assert picture.shape == (144, 144, 3)
        assert path.stat().st_size < 12_000
        assert near(picture, PORTAL.colour) > 50


def test_at_most_sixty_and_doubtful_ones_first(tmp_path: Path) -> None:
    slide, _ = scene()
    tracts = [_tract(k, probability=0.5 if k > 95 else 0.9) for k in range(1, 101)]
    write_thumbnails(tmp_path, slide, tracts)
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == MOST_THUMBNAILS
    assert {f"PT-{k:03d}.jpg" for k in range(96, 101)} <= names


def _tract(number: int, probability: float) -> Tract:
    box = shapely.box(100, 100, 140, 140)
    return Tract(number, 1, box, box, 0.0, True, False, probability)
