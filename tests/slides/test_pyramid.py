"""Pyramids that are written can be opened, and are the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openslide
import pytest

from glisson.errors import OutputError, SettingsError
from glisson.frames import PixelSize, Size
from glisson_phantom.writing import PyramidStyle, write_pyramid

NOISE = np.random.default_rng(1).integers(0, 255, (700, 5000, 3)).astype(np.uint8)
SIZE = Size(5000, 700)


@pytest.mark.parametrize(("style", "vendor"), [("aperio", "aperio"), ("tiff", "generic-tiff")])
def test_openslide_knows_the_vendor(tmp_path: Path, style: PyramidStyle, vendor: str) -> None:
    path = tmp_path / "slide.tif"
    write_pyramid(path, NOISE, SIZE, PixelSize(0.2425, 0.2425), style)
    with openslide.OpenSlide(path) as slide:
        assert slide.properties["openslide.vendor"] == vendor
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.2425)
        assert [round(d) for d in slide.level_downsamples] == [1, 4, 16]


def test_bands_of_any_height_give_the_same_bytes(tmp_path: Path) -> None:
    write_pyramid(tmp_path / "a.svs", NOISE, SIZE, PixelSize(0.5, 0.5))
    bands = (NOISE[top : top + 97] for top in range(0, 700, 97))
    write_pyramid(tmp_path / "b.svs", bands, SIZE, PixelSize(0.5, 0.5))
    assert (tmp_path / "a.svs").read_bytes() == (tmp_path / "b.svs").read_bytes()


@pytest.mark.parametrize("rows", [650, 750])
def test_wrong_number_of_rows_leaves_nothing(tmp_path: Path, rows: int) -> None:
    pixels = np.zeros((rows, 5000, 3), np.uint8)
    with pytest.raises(SettingsError):
        write_pyramid(tmp_path / "slide.svs", pixels, SIZE, PixelSize(0.5, 0.5))
    assert list(tmp_path.iterdir()) == []


def test_unwritable_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="missing"):
        write_pyramid(tmp_path / "missing" / "a.svs", NOISE, SIZE, PixelSize(0.5, 0.5))
