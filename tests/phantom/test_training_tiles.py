from __future__ import annotations

from pathlib import Path

import numpy as np

from glisson.dataset import Split
from glisson_phantom.training_tiles import PhantomTiles, PhantomTileSettings


def drawn(folder: Path, training: int = 5) -> PhantomTiles:
    settings = PhantomTileSettings(training, validation=2, size_px=64, tiles_per_file=3)
    return PhantomTiles(folder, settings)


def test_only_missing_groups_are_drawn_and_are_the_same_again(tmp_path: Path) -> None:
    first = drawn(tmp_path)
    files = sorted(tmp_path.iterdir())
    kept = {path: path.read_bytes() for path in files}
    files[0].unlink()
    times = {path: path.stat().st_mtime_ns for path in files[1:]}
    again = drawn(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in files[1:]} == times
    assert {path: path.read_bytes() for path in files} == kept
    assert again.rows == first.rows
    for row in first.rows:
        assert np.array_equal(first.read(row).rgb, again.read(row).rgb)


def test_tiles_of_a_seed_do_not_depend_on_how_many_are_asked_for(tmp_path: Path) -> None:
    few, more = drawn(tmp_path / "few", 3), drawn(tmp_path / "more", 4)
    trained = [row for row in few.rows if row.split is Split.TRAIN]
    assert trained == [row for row in more.rows if row.split is Split.TRAIN][:3]
    assert len(few.rows) == 5
    assert len(more.rows) == 6
