"""Tiles cut at random from a few pictures with masks, and several sources of tiles as one."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glisson.classes import PORTAL
from glisson.dataset import Split, TilePixels, TileRow, TileSource, measure_class_shares
from glisson.errors import SettingsError

Pixels = NDArray[np.uint8]

SCALES = (0.8, 1.2)
"""Range of factors on the µm/px of a tile: pictures without a scale bar are as uncertain."""

_LEAST_PORTAL = 0.02
_TRIES = 10


@dataclass(frozen=True)
class Picture:
    """A picture with its mask.

    Attributes:
        name: name of the file.
        rgb: (H, W, 3).
        labels: (H, W) class indices; `IGNORED` where the class is unknown.
        mpp: µm/px.
    """

    name: str
    rgb: Pixels
    labels: Pixels
    mpp: float


def read_pictures(folder: Path, names: Sequence[str]) -> tuple[Picture, ...]:
    """Read pictures `NAME.png` and masks `NAME_mask.png`, their µm/px from `index.csv`.

    Raises:
        SettingsError: `index.csv` does not list a picture.
    """
    with (folder / "index.csv").open(encoding="utf-8") as file:
        mpps = {row["id"]: float(row["um_per_px"]) for row in csv.DictReader(file)}
    if missing := sorted(set(names) - set(mpps)):
        raise SettingsError(f"{folder / 'index.csv'} lists no {', '.join(missing)}.")
    return tuple(
        Picture(
            name,
            np.asarray(Image.open(folder / f"{name}.png").convert("RGB")),
            np.asarray(Image.open(folder / f"{name}_mask.png").convert("L")),
            mpps[name],
        )
        for name in names
    )


class PictureTiles:
    """Training tiles cut at random places and scales, mirrored where they reach beyond a picture.

    Attributes:
        rows: the tiles, all for training.
        leak: None, because no tile is for validation.
    """

    leak = None

    def __init__(
        self, pictures: Sequence[Picture], count: int, mpp: float, size_px: int, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        self._tiles: dict[str, TilePixels] = {}
        rows = []
        for number in range(count):
            picture = pictures[number % len(pictures)]
            tile = cut_tile(picture, mpp, size_px, rng)
            row = _make_row(f"{picture.name}-{number}", picture.name, tile.labels, mpp, size_px)
            self._tiles[row.tile] = tile
            rows.append(row)
        self.rows = tuple(rows)

    def read(self, row: TileRow) -> TilePixels:
        """Return the pixels and labels of a tile."""
        return self._tiles[row.tile]


def cut_tile(picture: Picture, mpp: float, size_px: int, rng: np.random.Generator) -> TilePixels:
    """Cut a tile at a random place and scale, most often one that shows a tract."""
    side = max(2, round(size_px * mpp * rng.uniform(*SCALES) / picture.mpp))
    for number in range(_TRIES):
        rows, columns = (_draw_index(side, length, rng) for length in picture.labels.shape)
        labels = picture.labels[rows][:, columns]
        shows_tract = (labels == PORTAL.index).mean() > _LEAST_PORTAL
        if shows_tract or number == _TRIES - 1 or rng.random() < 0.2:
            break
    rgb = picture.rgb[rows][:, columns]
    size = (size_px, size_px)
    method = cv2.INTER_AREA if side > size_px else cv2.INTER_LINEAR
    return TilePixels(
        cv2.resize(rgb, size, interpolation=method).astype(np.uint8),
        cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8),
    )


def _draw_index(side: int, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the pixels of a tile along a side of `length` pixels, mirrored at both ends.

    At most a quarter of the tile lies beyond either end.
    """
    start = int(rng.integers(-(side // 4), max(1, length - 3 * side // 4)))
    index = np.abs(np.arange(start, start + side)) % (2 * length - 2)
    return np.where(index >= length, 2 * length - 2 - index, index)


class JoinedTiles:
    """Several sources as one.

    Attributes:
        rows: all tiles, source by source; names are unique.
        leak: the first leak of a source.
    """

    def __init__(self, sources: Sequence[TileSource]) -> None:
        self._source = {row.tile: source for source in sources for row in source.rows}
        self.rows = tuple(row for source in sources for row in source.rows)
        self.leak = next((source.leak for source in sources if source.leak), None)
        if len(self._source) < len(self.rows):
            raise SettingsError("Two sources of tiles have a tile of the same name.")

    def read(self, row: TileRow) -> TilePixels:
        """Return the pixels and labels of a tile."""
        return self._source[row.tile].read(row)


def _make_row(name: str, picture: str, labels: Pixels, mpp: float, side: int) -> TileRow:
    background, lobule, portal = measure_class_shares(labels)
    return TileRow(
        tile=name,
        slide=picture,
        patient=picture,
        institution="pictures",
        diagnosis="unknown",
        split=Split.TRAIN,
        mpp=mpp,
        size_px=side,
        x_px=0,
        y_px=0,
        x_l0=0,
        y_l0=0,
        width_l0=side,
        height_l0=side,
        background=background,
        lobule=lobule,
        portal=portal,
        ignored=float((labels > PORTAL.index).mean()),
    )
