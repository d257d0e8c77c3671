"""Tiles straight from slides, by many slides and many processes."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from glisson.dataset import (
    AnnotatedSlide,
    SlideTiles,
    Splits,
    SplitSettings,
    TileSettings,
    labels,
    slide_tiles,
    tiles,
)
from glisson.frames import PixelSize, Size
from glisson_phantom.writing import write_pyramid
from tests.dataset.scene import box, feature, source, write_slide

SIDE = 1024


@pytest.fixture
def ome_slide(tmp_path: Path) -> AnnotatedSlide:
    """Noise, so that every tile differs and fills some kilobytes of the file."""
    rgb = np.random.default_rng(5).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    path = tmp_path / "a.ome.tif"
    write_pyramid(path, rgb, Size(SIDE, SIDE), PixelSize(1.0, 1.0), style="ome")
    drawn = [feature("Tissue", box(0, 0, SIDE, SIDE))]
    (tmp_path / "a.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": drawn})
    )
    return AnnotatedSlide(path, tmp_path / "a.geojson", "p")


SHARED: list[SlideTiles] = []
"""What forked processes inherit."""


def digests(_: int = 0) -> list[str]:
    (inherited,) = SHARED
    return [hashlib.sha256(inherited.read(row).rgb.tobytes()).hexdigest() for row in inherited.rows]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_processes_read_the_same_pixels(ome_slide: AnnotatedSlide) -> None:
    """As the workers of a DataLoader: the slide was opened before they were forked."""
    SHARED[:] = [SlideTiles([ome_slide], Splits(SplitSettings(), {}), TileSettings(1.0, 64))]
    expected = digests()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map(digests, range(2), chunksize=1)
    wrong = sum(a != b for each in found for a, b in zip(each, expected, strict=True))
    SHARED.pop().close()
    assert wrong == 0


def test_labels_are_made_once_however_few_slides_stay_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    real = tiles.read_labels

    def counted(*arguments: object) -> labels.SlideLabels:
        made.append(arguments[1])
        return real(*arguments)

    monkeypatch.setattr(tiles, "read_labels", counted)
    monkeypatch.setattr(slide_tiles, "_OPEN_SLIDES", 2)
    sources = [source(write_slide(tmp_path, name)) for name in "abcde"]
    direct = SlideTiles(sources, Splits(SplitSettings(), {}), TileSettings(1.0, 320))
    before = {row.tile: direct.read(row) for row in direct.rows}
    direct.close()
    for row in direct.rows:
        assert np.array_equal(direct.read(row).labels, before[row.tile].labels)
        assert np.array_equal(direct.read(row).rgb, before[row.tile].rgb)
    assert len(made) == 5


def test_tiles_are_rasterised_once_for_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = []
    real = labels.SlideLabels.crop
    monkeypatch.setattr(labels.SlideLabels, "crop", lambda *each: crops.append(each) or real(*each))
    direct = SlideTiles(
        [source(write_slide(tmp_path))], Splits(SplitSettings(), {}), TileSettings(1.0, 320)
    )
    assert len(crops) == len(direct.rows) == 4
