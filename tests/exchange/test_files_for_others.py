"""Class maps, tables, overviews and projects, read back by their own readers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from glisson.exchange import write_class_map, write_overview, write_tables
from glisson.frames import Frame, PixelSize
from glisson.record import BiopsyRecord
from glisson.regions import find_regions
from glisson.segmentation import ClassMap, segment_slide
from glisson.slides import InMemorySlide
from glisson.tissue import TissueSettings, find_tissue
from tests.records import content, record
from tests.scenes import ArrayMap, ColourModel, biopsy_labels, coloured, everywhere

PIXEL = PixelSize(0.5, 0.5)


def predicted(labels: np.ndarray) -> ClassMap:
    rgb = coloured(labels.repeat(2, 0).repeat(2, 1))
    tissue = everywhere(PIXEL, -(-labels.shape[1] // 4), -(-labels.shape[0] // 4), 4.0)
    return segment_slide(InMemorySlide(rgb, PIXEL), tissue, ColourModel())


@pytest.mark.parametrize("width", [300, 512, 2400, 4700])
def test_class_map_reads_back(tmp_path: Path, width: int) -> None:
    labels = np.zeros((700, width), np.uint8)
    labels[100:500, 20 : width - 20] = 1
    labels[200:300, 100:200] = 2
    path = tmp_path / "classes.ome.tif"
    write_class_map(path, predicted(labels))
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_ome
        assert np.array_equal(tiff.series[0].asarray(), labels)
        assert 'PhysicalSizeX="1.0"' in (tiff.ome_metadata or "")
        for number, level in enumerate(tiff.series[0].levels):
            step = 2**number
            assert np.array_equal(level.asarray(), labels[::step, ::step])


def _record(name: str) -> dict[str, Any]:
    made = content(plausibility={"verdict": "perhaps not liver"})
    made["slide"]["file"] = name
    return made


def test_the_uncertainty_is_empty_where_an_earlier_version_had_none(tmp_path: Path) -> None:
    old, new = _record("old"), _record("new")
    del old["format_version"], old["biopsy"]["portal_percent_uncertainty"]
    new["biopsy"]["portal_percent_uncertainty"] = 0.5
    earlier = BiopsyRecord.parse(json.dumps(old).encode(), "biopsy.json")
    write_tables(tmp_path, [("old", earlier), ("new", record(new))])
    with (tmp_path / "biopsies.csv").open(encoding="utf-8", newline="") as file:
        cells = [row["portal_percent_uncertainty"] for row in csv.DictReader(file)]
    assert cells == ["", "0.5"]


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "plain", 'ünï, quoted "x"'])
def test_a_name_never_becomes_a_formula(tmp_path: Path, name: str) -> None:
    write_tables(tmp_path, [(name, record(_record(name)))])
    with (tmp_path / "biopsies.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["slide"].lstrip("'") == name
    assert not row["slide"].startswith(("=", "+", "-", "@"))
    assert row["tract_count_reason"] == ""
    assert row["adequacy_aasld_2009"] == "compromised"
    assert row["adequacy_rcpath_minimum"] == ""
    assert row["plausibility"] == "perhaps not liver"


def test_overview_shows_tissue_and_tracts(tmp_path: Path) -> None:
    labels = biopsy_labels()
    slide = InMemorySlide(coloured(labels), PixelSize(1, 1))
    regions = find_regions(ArrayMap(Frame(PixelSize(1, 1), 1.0), labels))
    write_overview(tmp_path / "overview.png", slide, regions)
    picture = np.asarray(Image.open(tmp_path / "overview.png").convert("RGB")).astype(int)
    for colour in ((255, 160, 0), (0, 120, 220)):
        assert (np.abs(picture - colour).sum(-1) < 30).sum() > 200
    assert max(picture.shape) <= 2500


def test_the_overview_takes_the_tissue_finders_picture(tmp_path: Path) -> None:
    """It is the same one, and the slide is not read again."""
    labels = biopsy_labels()
    slide = InMemorySlide(coloured(labels), PixelSize(1, 1))
    regions = find_regions(ArrayMap(Frame(PixelSize(1, 1), 1.0), labels))
    tissue = find_tissue(slide, TissueSettings(mpp=1.0))
    write_overview(tmp_path / "read.png", slide, regions)
    slide.read = None  # type: ignore[assignment,method-assign]
    write_overview(tmp_path / "kept.png", slide, regions, (), tissue)
    kept, read = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("kept", "read"))
    left, top, width, height = 30, 30, kept.shape[1] - 60, kept.shape[0] - 130  # without margins
    part = np.s_[top : top + height, left : left + width]
    np.testing.assert_array_equal(kept[part], read[part])


def test_overview_without_tissue(tmp_path: Path) -> None:
    slide = InMemorySlide(np.full((300, 500, 3), 240, np.uint8), PixelSize(1, 1))
    regions = find_regions(ArrayMap(Frame(PixelSize(1, 1), 1.0), np.zeros((300, 500), np.uint8)))
    write_overview(tmp_path / "overview.png", slide, regions)
    assert (tmp_path / "overview.png").stat().st_size > 0
