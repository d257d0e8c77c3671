"""Score a model on phantom tiles (SYNTHETIC): by class, by cause, and on changed tiles."""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
from check_real_panels import CHANGES
from numpy.typing import NDArray

from glisson.classes import CLASSES, PORTAL
from glisson.model import Runtime, find_model, open_runtime
from glisson.scores import confusion, scores_of
from glisson_phantom import Feature, Tile, TileLook, reduce_labels, render_tile

FIRST_SEED = 910_000_000
_SIZE_PX = 256
_BATCH = 8

Pixels = NDArray[np.uint8]


def main() -> None:
    """Print Dice, the errors under each feature, and portal IoU after each change."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default=None)
    options.add_argument("--tiles", type=int, default=240)
    options.add_argument("--changes", action="store_true", help="stain, scale, blur and JPEG too")
    chosen = options.parse_args()
    bundle = find_model(chosen.model)
    runtime = open_runtime(bundle)
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        seeds = range(FIRST_SEED, FIRST_SEED + chosen.tiles)
        tiles = list(
            workers.map(render_training_tile, seeds, [bundle.spec.mpp] * len(seeds), chunksize=8)
        )
    labels = np.stack([tile.labels for tile in tiles])
    for name, apply, factor in CHANGES if chosen.changes else CHANGES[:1]:
        images = np.stack([rescale(apply(tile.rgb), factor) for tile in tiles])
        found = predict_classes(runtime, images)
        truth = np.stack([rescale(each, factor, cv2.INTER_NEAREST) for each in labels])
        print(f"{name:20s} {format_scores(truth, found)}")
        if name == CHANGES[0][0]:
            print_features(tiles, truth, found)


def render_training_tile(seed: int, mpp: float) -> Tile:
    """Render a tile at half the µm/px and average it down, as for training tiles."""
    fine = render_tile(seed, 2 * _SIZE_PX, mpp / 2, TileLook(drawn_mpp=mpp / 2))
    rgb = cv2.resize(fine.rgb, (_SIZE_PX, _SIZE_PX), interpolation=cv2.INTER_AREA)
    labels = reduce_labels(fine.labels, 2)
    return Tile(rgb.astype(np.uint8), labels, mpp, fine.features[::2, ::2])


def rescale(pixels: Pixels, factor: float, method: int = cv2.INTER_LINEAR) -> Pixels:
    """Enlarge a tile by `factor`, and crop it or mirror its borders."""
    grown = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=method)
    margin = (_SIZE_PX - grown.shape[0]) // 2
    if margin < 0:
        return np.ascontiguousarray(grown[-margin:, -margin:][:_SIZE_PX, :_SIZE_PX])
    rest = _SIZE_PX - grown.shape[0] - margin
    return cv2.copyMakeBorder(grown, margin, rest, margin, rest, cv2.BORDER_REFLECT)


def predict_classes(runtime: Runtime, images: Pixels) -> Pixels:
    """Predict (N, H, W) class indices."""
    parts = [
        runtime.predict(images[start : start + _BATCH]).argmax(1)
        for start in range(0, len(images), _BATCH)
    ]
    return np.concatenate(parts).astype(np.uint8)


def format_scores(truth: Pixels, found: Pixels) -> str:
    """Format Dice by class and portal IoU, all pixels pooled."""
    scores = scores_of(confusion(truth, found))
    dice = ", ".join(
        f"{each.name} {value:.3f}" for each, value in zip(CLASSES, scores.dice, strict=True)
    )
    return f"Dice {dice}; portal IoU {scores.iou[PORTAL.index]:.3f}"


def print_features(tiles: list[Tile], truth: Pixels, found: Pixels) -> None:
    """Print for each feature its pixels, the share of wrong ones, and their predicted classes."""
    flags = np.stack([tile.features for tile in tiles])
    rows: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros((3, 3), np.int64))
    rows["nothing marked"] += confusion(truth[flags == 0], found[flags == 0])
    for feature in Feature:
        here = (flags & feature.value) > 0
        if here.any():
            rows[str(feature.name)] += confusion(truth[here], found[here])
    for name, counts in rows.items():
        wrong = 1 - np.trace(counts) / counts.sum()
        false_tissue = counts[0, 1:].sum() / max(counts[0].sum(), 1)
        false_portal = counts[:2, 2].sum() / max(counts[:2].sum(), 1)
        print(
            f"  {name:22s} {counts.sum():9d} px, wrong {wrong:6.1%}; of background, called tissue "
            f"{false_tissue:6.1%}; of what is not portal, called portal {false_portal:6.1%}"
        )


if __name__ == "__main__":
    main()
