"""Scores of a model on labelled tiles, tile by tile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np
from numpy.typing import NDArray

from glisson.classes import PORTAL
from glisson.dataset import IGNORED, TilePixels, TileRow, TileSource
from glisson.errors import SettingsError
from glisson.model import ModelBundle, Runtime
from glisson.scores import BoundaryScores, Confusion, Scores, boundary_scores, confusion, scores_of

Pixels = NDArray[np.uint8]

_BATCH = 8


@dataclass(frozen=True)
class TileScore:
    """Scores of one tile.

    Attributes:
        row: the tile.
        counts: confusion of its labelled pixels.
        boundary: scores of the portal borders; None if neither truth nor model has a portal
            area, or if both fill the tile with portal area.
        seconds: the tile's share of the model's time for the batch.
        colour: mean red, green and blue of the tissue pixels, and their standard deviations; NaN
            without tissue.
    """

    row: TileRow
    counts: Confusion
    boundary: BoundaryScores | None
    seconds: float
    colour: tuple[float, ...]

    @property
    def scores(self) -> Scores:
        """Return Dice and IoU of this tile alone."""
        return scores_of(self.counts)


def score_tiles(
    runtime: Runtime,
    bundle: ModelBundle,
    source: TileSource,
    progress: Callable[[int, int], None] | None = None,
) -> list[TileScore]:
    """Score every tile; call `progress` with number of tiles done, number of tiles.

    Raises:
        SettingsError: the tiles have another µm/px than the model.
        AnnotationError: a tile cannot be read.
    """
    rows = source.rows
    check_mpp(bundle, rows)
    scores: list[TileScore] = []
    # A batch holds tiles of one size.
    for _, group in groupby(rows, lambda row: row.size_px):
        while batch := list(islice(group, _BATCH)):
            scores += _score_batch(runtime, batch, [source.read(row) for row in batch])
            if progress:
                progress(len(scores), len(rows))
    return scores


def check_mpp(bundle: ModelBundle, rows: Sequence[TileRow]) -> None:
    """Reject tiles of another µm/px than the model's.

    Raises:
        SettingsError: names both.
    """
    wrong = [row for row in rows if abs(row.mpp / bundle.spec.mpp - 1) > 0.01]
    if wrong:
        raise SettingsError(
            f"The model {bundle.spec.name} sees {bundle.spec.mpp:g} µm/px, the tiles have "
            f"{wrong[0].mpp:g}. Make tiles with --at-mpp {bundle.spec.mpp:g}."
        )


def predict_classes(runtime: Runtime, rgb: Pixels) -> Pixels:
    """Predict the (H, W) uint8 class indices of a tile."""
    return runtime.predict(rgb[None])[0].argmax(axis=0).astype(np.uint8)


def _score_batch(
    runtime: Runtime, rows: Sequence[TileRow], tiles: Sequence[TilePixels]
) -> list[TileScore]:
    started = time.perf_counter()
    probabilities = runtime.predict(np.stack([tile.rgb for tile in tiles]))
    seconds = (time.perf_counter() - started) / len(tiles)
    predicted = probabilities.argmax(axis=1).astype(np.uint8)
    return [
        TileScore(
            row,
            confusion(tile.labels, classes),
            _score_boundary(tile.labels, classes, row.mpp),
            seconds,
            _measure_colour(tile),
        )
        for row, tile, classes in zip(rows, tiles, predicted, strict=True)
    ]


def _score_boundary(labels: Pixels, predicted: Pixels, mpp: float) -> BoundaryScores | None:
    truth, portal = labels == PORTAL.index, predicted == PORTAL.index
    return boundary_scores(truth, portal, mpp, known=labels != IGNORED)


def _measure_colour(tile: TilePixels) -> tuple[float, ...]:
    tissue = tile.rgb[(tile.labels > 0) & (tile.labels != IGNORED)].astype(np.float32)
    if not len(tissue):
        return (float("nan"),) * 6
    return (*tissue.mean(axis=0).tolist(), *tissue.std(axis=0).tolist())
