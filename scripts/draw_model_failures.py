"""Draw the failures of the model card: the worst tile of each cause (SYNTHETIC)."""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from check_phantom_tiles import FIRST_SEED, predict_classes, render_training_tile
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, PORTAL
from glisson.model import find_model, open_runtime
from glisson_phantom import Feature, Tile

SHOWN_PX = 384
COLUMNS = 3
TRUTH, FOUND = (40, 160, 40), (220, 30, 30)
CAUSES = (
    ("capsule called tract", Feature.CAPSULE),
    ("necrosis called tract", Feature.NECROSIS),
    ("inflamed lobule called tract", Feature.INFLAMED_LOBULE),
    ("fold called tract", Feature.FOLD),
    ("clot, all called tissue", Feature.CLOT),
    ("tract missed", None),
)

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def main() -> None:
    """Predict, choose the worst tile of each cause, and draw true and found outlines on it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-o", "--out", type=Path, default=Path("docs/images/model-failures.jpg"))
    options.add_argument("--model", default=None)
    options.add_argument("--tiles", type=int, default=240)
    chosen = options.parse_args()
    bundle = find_model(chosen.model)
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        seeds = range(FIRST_SEED, FIRST_SEED + chosen.tiles)
        tiles = list(
            workers.map(render_training_tile, seeds, [bundle.spec.mpp] * len(seeds), chunksize=8)
        )
    found = predict_classes(open_runtime(bundle), np.stack([tile.rgb for tile in tiles]))
    shown: dict[int, Pixels] = {}
    for title, feature in CAUSES:
        wrong = [find_mistakes(*pair, feature).sum() for pair in zip(tiles, found, strict=True)]
        worst = next(int(k) for k in np.argsort(wrong)[::-1] if k not in shown)
        shown[worst] = draw_panel(tiles[worst], found[worst], f"{title} ({FIRST_SEED + worst})")
    panels = list(shown.values())
    rows = [np.hstack(panels[k : k + COLUMNS]) for k in range(0, len(panels), COLUMNS)]
    sheet = np.vstack(rows)
    cv2.imwrite(str(chosen.out), sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def find_mistakes(tile: Tile, found: Pixels, feature: Feature | None) -> Mask:
    """Find the wrong pixels under a feature; for None, the portal area that the model missed."""
    if feature is None:
        return (tile.labels == PORTAL.index) & (found != PORTAL.index)
    here = (tile.features & feature.value) > 0
    if feature is Feature.CLOT:
        return here & (tile.labels == BACKGROUND.index) & (found != BACKGROUND.index)
    return here & (tile.labels != PORTAL.index) & (found == PORTAL.index)


def draw_panel(tile: Tile, found: Pixels, title: str) -> Pixels:
    """Draw the enlarged tile, its truth outlined green and the prediction red, under its title."""
    size = (SHOWN_PX, SHOWN_PX)
    picture = cv2.resize(tile.rgb, size, interpolation=cv2.INTER_CUBIC)
    for labels, colour in ((tile.labels, TRUTH), (found, FOUND)):
        mask = cv2.resize((labels == PORTAL.index).astype(np.uint8), size)
        outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, colour, 2)
    head = np.full((28, SHOWN_PX, 3), 255, np.uint8)
    cv2.putText(head, title, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (20, 20, 20), 1, cv2.LINE_AA)
    return np.vstack([head, picture])


if __name__ == "__main__":
    main()
