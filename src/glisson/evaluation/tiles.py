"""A model's answers on labelled tiles, scored one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glisson.classes import PORTAL
from glisson.dataset import IGNORED, TilePixels, TileRow, TileSource
from glisson.errors import SettingsError
from glisson.model import ModelBundle, Runtime
from glisson.scores import BoundaryScores, Confusion, Scores, boundary_scores, confusion, scores_of

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class TileScore:
    """What a model made of one tile.

    Attributes:
        row: the tile.
        counts: confusion of its labelled pixels.
        boundary: of portal areas; None where neither truth nor model has any, or both have
            it all over the tile.
        seconds: of the model's work, its share of the batch.
        colour: mean red, green, blue of its tissue pixels, and their deviation; NaN without any.
    """

    row: TileRow
    counts: Confusion
    boundary: BoundaryScores | None
    seconds: float
    colour: tuple[float, ...]

    @property
    def scores(self) -> Scores:
        """Dice and IoU of this tile alone."""
        return scores_of(self.counts)


def score_tiles(
    runtime: Runtime,
    bundle: ModelBundle,
    source: TileSource,
    batch: int = 8,
    told: Callable[[int, int], None] | None = None,
) -> list[TileScore]:
    """Score every tile; `told` hears how many are done, of how many.

    Raises:
        SettingsError: the tiles have another µm/px than the model.
        AnnotationError: a tile cannot be read.
    """
    rows = source.rows
    check_mpp(bundle, rows)
    found: list[TileScore] = []
    for part in _parts(rows, batch):
        found += _scored(runtime, part, [source.read(row) for row in part])
        if told:
            told(len(found), len(rows))
    return found


def check_mpp(bundle: ModelBundle, rows: Sequence[TileRow]) -> None:
    """Refuse tiles of another µm/px than the model's.

    Raises:
        SettingsError: names both.
    """
    wrong = [row for row in rows if abs(row.mpp / bundle.spec.mpp - 1) > 0.01]
    if wrong:
        raise SettingsError(
            f"The model {bundle.spec.name} sees {bundle.spec.mpp:g} µm/px, the tiles have "
            f"{wrong[0].mpp:g}. Make tiles with --at-mpp {bundle.spec.mpp:g}."
        )


def classes_found(runtime: Runtime, rgb: Pixels) -> Pixels:
    """(H, W) uint8 class indices of one tile."""
    return runtime.predict(rgb[None])[0].argmax(axis=0).astype(np.uint8)


def _parts(rows: Sequence[TileRow], batch: int) -> Iterator[Sequence[TileRow]]:
    """Batches of tiles of one size, in order."""
    first = 0
    while first < len(rows):
        last = first + 1
        while (
            last < len(rows) and last - first < batch and rows[last].size_px == rows[first].size_px
        ):
            last += 1
        yield rows[first:last]
        first = last


def _scored(
    runtime: Runtime, rows: Sequence[TileRow], tiles: Sequence[TilePixels]
) -> list[TileScore]:
    started = time.perf_counter()
    probabilities = runtime.predict(np.stack([tile.rgb for tile in tiles]))
    seconds = (time.perf_counter() - started) / len(tiles)
    found = probabilities.argmax(axis=1).astype(np.uint8)
    return [
        TileScore(
            row,
            confusion(tile.labels, classes),
            _boundary(tile.labels, classes, row.mpp),
            seconds,
            _colour(tile),
        )
        for row, tile, classes in zip(rows, tiles, found, strict=True)
    ]


def _boundary(labels: Pixels, found: Pixels, mpp: float) -> BoundaryScores | None:
    truth, portal = labels == PORTAL.index, found == PORTAL.index
    return boundary_scores(truth, portal, mpp, known=labels != IGNORED)


def _colour(tile: TilePixels) -> tuple[float, ...]:
    tissue = tile.rgb[(tile.labels > 0) & (tile.labels != IGNORED)].astype(np.float32)
    if not len(tissue):
        return (float("nan"),) * 6
    return (*tissue.mean(axis=0).tolist(), *tissue.std(axis=0).tolist())
