from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scripts.picture_tiles import (
    JoinedTiles,
    Picture,
    PictureTiles,
    cut_tile,
    read_pictures,
)

from glisson.dataset import IGNORED, Split
from glisson.errors import SettingsError

COLOURS = np.array([[240, 240, 240], [200, 120, 160], [90, 40, 140]], np.uint8)


def picture(height: int = 120, width: int = 90, name: str = "a") -> Picture:
    """A picture whose colours are its labels, with a tract in the middle."""
    labels = np.ones((height, width), np.uint8)
    labels[:, :10] = 0
    labels[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = 2
    return Picture(name, COLOURS[labels], labels, 1.0)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(20, 150),
    width=st.integers(20, 150),
    mpp=st.sampled_from([0.5, 1.0, 1.5, 3.0]),
    seed=st.integers(0, 99),
)
def test_labels_lie_on_what_they_are_of(height: int, width: int, mpp: float, seed: int) -> None:
    tile = cut_tile(picture(height, width), mpp, 64, np.random.default_rng(seed))
    assert tile.rgb.shape == (64, 64, 3)
    distance = np.abs(tile.rgb[..., None, :].astype(int) - COLOURS.astype(int)).sum(-1)
    agrees = distance.argmin(-1) == tile.labels
    # interpolated pixels along borders may lie nearer to another colour
    assert agrees.mean() > 0.8


def test_the_same_seed_cuts_the_same_tiles_for_training_alone() -> None:
    one, other = (PictureTiles([picture()], 6, 1.5, 64, seed=3) for _ in range(2))
    assert one.rows == other.rows
    assert {row.split for row in one.rows} == {Split.TRAIN}
    for row in one.rows:
        assert np.array_equal(one.read(row).rgb, other.read(row).rgb)
    assert sum(row.portal > 0.02 for row in one.rows) >= 4


def test_ignored_pixels_stay_ignored() -> None:
    whole = picture()
    labels = whole.labels.copy()
    labels[:60] = IGNORED
    tiles = PictureTiles([Picture("a", whole.rgb, labels, 1.0)], 4, 1.0, 64, seed=0)
    assert any(row.ignored > 0.2 for row in tiles.rows)
    assert all(set(np.unique(tiles.read(row).labels)) <= {0, 1, 2, IGNORED} for row in tiles.rows)


def test_joined_sources_read_each_tile_from_its_own() -> None:
    one, other = (PictureTiles([picture(name=name)], 2, 1.5, 64, seed=1) for name in "ab")
    joined = JoinedTiles([one, other])
    assert joined.rows == (*one.rows, *other.rows)
    assert np.array_equal(joined.read(other.rows[1]).rgb, other.read(other.rows[1]).rgb)
    with pytest.raises(SettingsError, match="same name"):
        JoinedTiles([one, one])


def test_pictures_are_read_with_the_scale_of_the_index(tmp_path: Path) -> None:
    whole = picture()
    Image.fromarray(whole.rgb).save(tmp_path / "x.png")
    Image.fromarray(whole.labels).save(tmp_path / "x_mask.png")
    (tmp_path / "index.csv").write_text("id,um_per_px\nx,0.75\n")
    (found,) = read_pictures(tmp_path, ["x"])
    assert found.mpp == 0.75
    assert np.array_equal(found.labels, whole.labels)
    with pytest.raises(SettingsError, match="lists no y"):
        read_pictures(tmp_path, ["x", "y"])
