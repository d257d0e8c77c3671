"""Galleries of the best and the worst tiles (Cazzaniga et al. 2025, Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.classes import CLASSES, PORTAL
from glisson.dataset import IGNORED, TileSource
from glisson.evaluation.tiles import TileScore, predict_classes
from glisson.files.atomic import atomic_path
from glisson.model import Runtime

Pixels = NDArray[np.uint8]

_LEAST_PORTAL = 0.03
_GAP_PX = 4


def best_and_worst(
    tiles: Sequence[TileScore], count: int
) -> tuple[list[TileScore], list[TileScore]]:
    """Return the tiles with the highest and the lowest portal Dice, first one of each slide.

    Tiles with less than 3 % portal area in both truth and prediction are skipped.
    """
    chosen = []
    for tile in tiles:
        counts, portal = tile.counts, PORTAL.index
        portal_px = max(counts[portal].sum(), counts[:, portal].sum())
        if portal_px / max(1, counts.sum()) >= _LEAST_PORTAL:
            chosen.append(tile)
    ordered = sorted(chosen, key=lambda tile: tile.scores.dice[PORTAL.index])
    return _prefer_other_slides(ordered[::-1], count), _prefer_other_slides(ordered, count)


def _prefer_other_slides(ordered: Sequence[TileScore], count: int) -> list[TileScore]:
    """Return the first tile of each slide, then the other tiles."""
    first: dict[str, TileScore] = {}
    for tile in ordered:
        first.setdefault(tile.row.slide, tile)
    others = [tile for tile in ordered if tile is not first[tile.row.slide]]
    return [*first.values(), *others][:count]


def draw_gallery(
    path: Path, tiles: Sequence[TileScore], source: TileSource, runtime: Runtime
) -> None:
    """Draw a sheet with a column for each tile: picture, truth and prediction."""
    columns = []
    for tile in tiles:
        pixels = source.read(tile.row)
        rgb, predicted = pixels.rgb, predict_classes(runtime, pixels.rgb)
        parts = [rgb, _tint(rgb, pixels.labels), _tint(rgb, predicted)]
        frame = ((0, _GAP_PX), (0, _GAP_PX), (0, 0))
        columns.append(np.concatenate([np.pad(each, frame, constant_values=255) for each in parts]))
    with atomic_path(path) as unfinished:
        # OpenCV returns False if it cannot write; the empty file must not get the name.
        if not cv2.imwrite(str(unfinished), np.concatenate(columns, axis=1)[..., ::-1]):
            raise OSError("the picture could not be written")


def _tint(rgb: Pixels, labels: Pixels) -> Pixels:
    """Mix the picture with a third of its classes' colours; ignored pixels are grey."""
    colours = np.full((256, 3), 128, np.uint8)
    for each in CLASSES:
        colours[each.index] = each.colour
    colours[IGNORED] = 128
    mixed = cv2.addWeighted(rgb, 0.65, colours[labels], 0.35, 0)
    mixed[labels == 0] = rgb[labels == 0]
    return np.asarray(mixed, np.uint8)
