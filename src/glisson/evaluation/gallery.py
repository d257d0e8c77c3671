"""The best and the worst tiles, to look at (Cazzaniga et al. 2025, Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.classes import CLASSES, PORTAL
from glisson.dataset import IGNORED, TileSource
from glisson.evaluation.tiles import TileScore, classes_found
from glisson.files.atomic import atomic_path
from glisson.model import Runtime

Pixels = NDArray[np.uint8]

_LEAST_PORTAL = 0.03
_GAP_PX = 4


def best_and_worst(
    tiles: Sequence[TileScore], count: int
) -> tuple[list[TileScore], list[TileScore]]:
    """Tiles with the highest and the lowest portal Dice, at most one a slide on either side.

    Tiles in which neither truth nor model has 3 % portal area are left out.
    """
    known = [tile for tile in tiles if _portal(tile) >= _LEAST_PORTAL]
    ordered = sorted(known, key=lambda tile: tile.scores.dice[PORTAL.index])
    return _one_a_slide(ordered[::-1], count), _one_a_slide(ordered, count)


def _portal(tile: TileScore) -> float:
    portal = max(tile.counts[PORTAL.index].sum(), tile.counts[:, PORTAL.index].sum())
    return float(portal / max(1, tile.counts.sum()))


def _one_a_slide(ordered: Sequence[TileScore], count: int) -> list[TileScore]:
    found: dict[str, TileScore] = {}
    for tile in ordered:
        found.setdefault(tile.row.slide, tile)
    again = [tile for tile in ordered if tile is not found[tile.row.slide]]
    return [*found.values(), *again][:count]


def draw_gallery(
    path: Path, tiles: Sequence[TileScore], source: TileSource, runtime: Runtime
) -> None:
    """A sheet: tile, truth and what was found, one tile a column."""
    columns = []
    for tile in tiles:
        pixels = source.read(tile.row)
        found = classes_found(runtime, pixels.rgb)
        parts = [pixels.rgb, painted(pixels.rgb, pixels.labels), painted(pixels.rgb, found)]
        columns.append(np.concatenate([_framed(part) for part in parts]))
    with atomic_path(path) as unfinished:
        # OpenCV answers False where it cannot write; the empty file must not get the name
        if not cv2.imwrite(str(unfinished), np.concatenate(columns, axis=1)[..., ::-1]):
            raise OSError("the picture could not be written")


def painted(rgb: Pixels, labels: Pixels) -> Pixels:
    """The tile under a third of its classes' colours; ignored pixels grey."""
    colours = np.full((256, 3), 128, np.uint8)
    for each in CLASSES:
        colours[each.index] = each.colour
    colours[IGNORED] = 128
    mixed = cv2.addWeighted(rgb, 0.65, colours[labels], 0.35, 0)
    mixed[labels == 0] = rgb[labels == 0]
    return np.asarray(mixed, np.uint8)


def _framed(picture: Pixels) -> Pixels:
    return np.pad(picture, ((0, _GAP_PX), (0, _GAP_PX), (0, 0)), constant_values=255)
