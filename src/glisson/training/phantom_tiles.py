"""Rendered phantom tiles: made by several processes, kept in one file, read as tiles."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.dataset import Split, TilePixels, TileRow, class_shares
from glisson.files import atomic_path
from glisson.phantom import commonest, render_tile

Pixels = NDArray[np.uint8]
Pair = tuple[Pixels, Pixels]

SCALES = (0.86, 1.0, 1.0, 1.16)
"""Factors on the rendered µm/px: errors of scale to bear."""


class PhantomTiles:
    """Tiles of phantoms (SYNTHETIC), rendered once at half the µm/px and averaged down.

    Attributes:
        rows: training tiles of seeds from `first_seed` on, in which collapse, capsule and clots
            are `rare` times as common as in biopsies; validation tiles of seeds far from them, as
            biopsies are; every tile is a patient of its own.
        leak: None: no patient is in two splits.
    """

    leak = None

    VALIDATION_SEED = 900_000_000

    def __init__(
        self,
        folder: Path,
        training: int,
        validation: int,
        mpp: float = 2.0,
        size_px: int = 128,
        first_seed: int = 1_000,
        group: int = 500,
        rare: float = 1.0,
    ) -> None:
        self._mpp, self._size_px = mpp, size_px
        seeds = {
            Split.TRAIN: (first_seed, training, rare),
            Split.VALIDATION: (self.VALIDATION_SEED, validation, 1.0),
        }
        self._tiles: dict[str, Pair] = {}
        rows: list[TileRow] = []
        folder.mkdir(parents=True, exist_ok=True)
        for split, (start, count, often) in seeds.items():
            for seed in range(start, start + count, group):
                many = min(group, start + count - seed)
                rows += self._added(split, seed, _stored(folder, seed, many, mpp, size_px, often))
        self.rows = tuple(rows)

    def read(self, row: TileRow) -> TilePixels:
        """Pixels and labels of a tile."""
        rgb, labels = self._tiles[row.tile]
        return TilePixels(rgb, labels)

    def _added(self, split: Split, first_seed: int, group: Pair) -> list[TileRow]:
        rows = []
        for seed, (rgb, labels) in enumerate(zip(*group, strict=True), first_seed):
            row = self._row(f"phantom-{seed}", split, labels)
            self._tiles[row.tile] = rgb, labels
            rows.append(row)
        return rows

    def _row(self, name: str, split: Split, labels: Pixels) -> TileRow:
        background, lobule, portal = class_shares(labels)
        side = self._size_px
        return TileRow(
            tile=name, slide=name, patient=name, institution="phantom", diagnosis="phantom",
            split=split, mpp=self._mpp, size_px=side, x_px=0, y_px=0, x_l0=0, y_l0=0,
            width_l0=side, height_l0=side, background=background, lobule=lobule, portal=portal,
            ignored=0,
        )  # fmt: skip


def _stored(
    folder: Path, first_seed: int, count: int, mpp: float, size_px: int, rare: float
) -> Pair:
    path = folder / f"phantoms-{first_seed}-{count}-{mpp:g}um-{size_px}px-{rare:g}.npz"
    if not path.exists():
        images, labels = _render(first_seed, count, mpp, size_px, rare)
        with atomic_path(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, images=images, labels=labels)
    with np.load(path, allow_pickle=False) as stored:
        return stored["images"], stored["labels"]


def _render(first_seed: int, count: int, mpp: float, size_px: int, rare: float) -> Pair:
    work = partial(_render_one, mpp=mpp, size_px=size_px, rare=rare)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read by the workers when they start
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, cv2.setNumThreads, (1,)) as workers:
        made = list(workers.map(work, range(first_seed, first_seed + count), chunksize=16))
    return np.stack([image for image, _ in made]), np.stack([labels for _, labels in made])


def _render_one(seed: int, mpp: float, size_px: int, rare: float) -> Pair:
    fine_mpp = mpp / 2 * SCALES[seed % len(SCALES)]
    tile = render_tile(seed, 2 * size_px, fine_mpp, drawn_mpp=fine_mpp, rare=rare)
    rgb = cv2.resize(tile.rgb, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return rgb.astype(np.uint8), commonest(tile.labels, 2)
