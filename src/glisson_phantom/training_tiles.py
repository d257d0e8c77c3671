"""Rendered phantom tiles: made by several processes, kept in one file, read as tiles."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.dataset import Split, TilePixels, TileRow, class_shares
from glisson.files.atomic import atomic_path
from glisson_phantom import commonest, render_tile

Pixels = NDArray[np.uint8]
Pair = tuple[Pixels, Pixels]

SCALES = (0.7, 0.85, 1.0, 1.0, 1.15, 1.35)
"""Factors on the rendered µm/px: errors of scale to bear."""


@dataclass(frozen=True)
class _Group:
    """Tiles that are kept in one file.

    Attributes:
        split: what they are for.
        first_seed: of the first tile.
        count: tiles.
        mpp: µm/px.
        size_px: side.
        rare: as `render_tile` takes it.
        difficult_tracts: likewise.
    """

    split: Split
    first_seed: int
    count: int
    mpp: float
    size_px: int
    rare: float
    difficult_tracts: float

    @property
    def seeds(self) -> range:
        return range(self.first_seed, self.first_seed + self.count)

    @property
    def file_name(self) -> str:
        scales = f"{min(SCALES):g}to{max(SCALES):g}"
        kind = f"{self.mpp:g}um-{self.size_px}px-{scales}-{self.rare:g}"
        if self.difficult_tracts != 1:
            kind += f"-{self.difficult_tracts:g}"
        return f"phantoms-{self.first_seed}-{self.count}-{kind}.npz"


class PhantomTiles:
    """Tiles of phantoms (SYNTHETIC), rendered once at half the µm/px and averaged down.

    Attributes:
        rows: training tiles of seeds from `first_seed` on, in which collapse, capsule and clots
            are `rare` times as common as in biopsies, and tracts unlike others
            `difficult_tracts` times; validation tiles of seeds far from them, as
            biopsies are; every tile is a patient of its own.
        leak: None: no patient is in two splits.
        synthetic: always.
    """

    leak = None
    synthetic = True

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
        difficult_tracts: float = 1.0,
    ) -> None:
        self._mpp, self._size_px = mpp, size_px
        splits = (
            (Split.VALIDATION, self.VALIDATION_SEED, validation, 1.0, 1.0),
            (Split.TRAIN, first_seed, training, rare, difficult_tracts),
        )
        groups = [
            _Group(split, seed, min(group, start + count - seed), mpp, size_px, often, difficult)
            for split, start, count, often, difficult in splits
            for seed in range(start, start + count, group)
        ]
        folder.mkdir(parents=True, exist_ok=True)
        _draw_missing(folder, groups)
        self._tiles: dict[str, Pair] = {}
        self.rows = tuple(row for group in groups for row in self._added(folder, group))

    def read(self, row: TileRow) -> TilePixels:
        """Pixels and labels of a tile."""
        rgb, labels = self._tiles[row.tile]
        return TilePixels(rgb, labels)

    def _added(self, folder: Path, group: _Group) -> list[TileRow]:
        with np.load(folder / group.file_name, allow_pickle=False) as stored:
            images, masks = stored["images"], stored["labels"]
        rows = []
        for seed, rgb, labels in zip(group.seeds, images, masks, strict=True):
            row = self._row(f"phantom-{seed}", group.split, labels)
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


def _draw_missing(folder: Path, groups: Sequence[_Group]) -> None:
    """Draw what is not there yet, by as many processes as there are processors."""
    missing = [group for group in groups if not (folder / group.file_name).exists()]
    if not missing:
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read by the workers when they start
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, cv2.setNumThreads, (1,)) as workers:
        drawings = [
            workers.map(partial(_render_one, group=group), group.seeds, chunksize=8)
            for group in missing
        ]
        for group, drawn in zip(missing, drawings, strict=True):
            images, labels = zip(*drawn, strict=True)
            with (
                atomic_path(folder / group.file_name) as unfinished,
                unfinished.open("wb") as file,
            ):
                np.savez(file, images=np.stack(images), labels=np.stack(labels))


def _render_one(seed: int, group: _Group) -> Pair:
    size_px, fine_mpp = group.size_px, group.mpp / 2 * SCALES[seed % len(SCALES)]
    tile = render_tile(
        seed,
        2 * size_px,
        fine_mpp,
        drawn_mpp=fine_mpp,
        rare=group.rare,
        difficult_tracts=group.difficult_tracts,
    )
    rgb = cv2.resize(tile.rgb, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return rgb.astype(np.uint8), commonest(tile.labels, 2)
