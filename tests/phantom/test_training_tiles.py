from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from glisson.dataset import Split
from glisson_phantom.training_tiles import PhantomTiles, PhantomTileSettings


def draw(folder: Path, training: int, tiles_per_file: int = 3) -> PhantomTiles:
    settings = PhantomTileSettings(
        training, validation=2, size_px=64, tiles_per_file=tiles_per_file
    )
    return PhantomTiles(folder, settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiles")


@pytest.fixture(scope="module")
def five(folder: Path) -> PhantomTiles:
    """Five training tiles in two files, and two validation tiles."""
    return draw(folder, 5)


def test_only_missing_groups_are_drawn_and_are_the_same_again(
    folder: Path, five: PhantomTiles
) -> None:
    files = sorted(folder.iterdir())
    before = {path: path.read_bytes() for path in files}
    files[0].unlink()
    times = {path: path.stat().st_mtime_ns for path in files[1:]}
    again = draw(folder, 5)
    assert {path: path.stat().st_mtime_ns for path in files[1:]} == times
    assert {path: path.read_bytes() for path in files} == before
    assert again.rows == five.rows
    for row in five.rows:
        assert np.array_equal(five.read(row).rgb, again.read(row).rgb)


def test_tiles_of_a_seed_do_not_depend_on_how_many_are_asked_for(
    tmp_path: Path, five: PhantomTiles
) -> None:
    few = draw(tmp_path, 2, tiles_per_file=2)
    trained = [row for row in few.rows if row.split is Split.TRAIN]
    assert trained == [row for row in five.rows if row.split is Split.TRAIN][:2]
    assert all(np.array_equal(few.read(row).rgb, five.read(row).rgb) for row in trained)
    assert (len(few.rows), len(five.rows)) == (4, 7)
