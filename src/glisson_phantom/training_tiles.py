"""Phantom tiles for training: several processes draw them, a folder caches them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.dataset import Split, TilePixels, TileRow, measure_class_shares
from glisson.files.atomic import atomic_path
from glisson_phantom import TileLook, reduce_labels, render_tile

Pixels = NDArray[np.uint8]
Pair = tuple[Pixels, Pixels]

SCALES = (0.7, 0.85, 1.0, 1.0, 1.15, 1.35)
"""Factors on the rendered µm/px, so that a model learns to bear errors of scale."""
VALIDATION_SEED = 900_000_000


@dataclass(frozen=True)
class PhantomTileSettings:
    """Number and look of phantom tiles.

    Attributes:
        training: number of training tiles.
        validation: number of validation tiles, which are always as in biopsies.
        mpp: µm per pixel.
        size_px: side of a tile.
        first_seed: seed of the first training tile.
        tiles_per_file: tiles that one file of the cache holds.
        rare_lesions: see `TileLook`; of training tiles.
        difficult_tracts: see `TileLook`; of training tiles.
    """

    training: int
    validation: int
    mpp: float = 2.0
    size_px: int = 128
    first_seed: int = 1_000
    tiles_per_file: int = 500
    rare_lesions: float = 1.0
    difficult_tracts: float = 1.0


@dataclass(frozen=True)
class _TileFile:
    """The tiles of one cached file."""

    split: Split
    first_seed: int
    count: int
    settings: PhantomTileSettings

    @property
    def seeds(self) -> range:
        return range(self.first_seed, self.first_seed + self.count)

    @property
    def name(self) -> str:
        """Return the file's name, which holds every setting that its pixels depend on."""
        look = self.settings
        scales = f"{min(SCALES):g}to{max(SCALES):g}"
        kind = f"{look.mpp:g}um-{look.size_px}px-{scales}-{look.rare_lesions:g}"
        if look.difficult_tracts != 1:
            kind += f"-{look.difficult_tracts:g}"
        return f"phantoms-{self.first_seed}-{self.count}-{kind}.npz"


class PhantomTiles:
    """Tiles of phantoms (SYNTHETIC), drawn at half the µm/px and averaged down.

    The folder caches the tiles: only missing files are drawn.

    Attributes:
        rows: training and validation tiles, whose seeds lie far apart; every tile is a patient of
            its own.
        leak: None: no patient is in two splits.
        synthetic: always True.
    """

    leak = None
    synthetic = True

    def __init__(self, folder: Path, settings: PhantomTileSettings) -> None:
        self._settings = settings
        files = _plan_files(settings)
        folder.mkdir(parents=True, exist_ok=True)
        _draw_missing(folder, files)
        self._tiles: dict[str, Pair] = {}
        self.rows = tuple(row for file in files for row in self._load(folder, file))

    def read(self, row: TileRow) -> TilePixels:
        """Read pixels and labels of a tile."""
        rgb, labels = self._tiles[row.tile]
        return TilePixels(rgb, labels)

    def _load(self, folder: Path, file: _TileFile) -> list[TileRow]:
        with np.load(folder / file.name, allow_pickle=False) as stored:
            images, masks = stored["images"], stored["labels"]
        rows = []
        for seed, rgb, labels in zip(file.seeds, images, masks, strict=True):
            row = self._describe(f"phantom-{seed}", file.split, labels)
            self._tiles[row.tile] = rgb, labels
            rows.append(row)
        return rows

    def _describe(self, name: str, split: Split, labels: Pixels) -> TileRow:
        background, lobule, portal = measure_class_shares(labels)
        side_px = self._settings.size_px
        return TileRow(
            tile=name,
            slide=name,
            patient=name,
            institution="phantom",
            diagnosis="phantom",
            split=split,
            mpp=self._settings.mpp,
            size_px=side_px,
            x_px=0,
            y_px=0,
            x_l0=0,
            y_l0=0,
            width_l0=side_px,
            height_l0=side_px,
            background=background,
            lobule=lobule,
            portal=portal,
            ignored=0,
        )


def _plan_files(settings: PhantomTileSettings) -> list[_TileFile]:
    as_biopsies = replace(settings, rare_lesions=1.0, difficult_tracts=1.0)
    return [
        _TileFile(split, seed, min(settings.tiles_per_file, start + count - seed), look)
        for split, start, count, look in (
            (Split.VALIDATION, VALIDATION_SEED, settings.validation, as_biopsies),
            (Split.TRAIN, settings.first_seed, settings.training, settings),
        )
        for seed in range(start, start + count, settings.tiles_per_file)
    ]


def _draw_missing(folder: Path, files: Sequence[_TileFile]) -> None:
    """Draw the files that the folder lacks, in one process per processor."""
    missing = [file for file in files if not (folder / file.name).exists()]
    if not missing:
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read by the workers when they start
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, cv2.setNumThreads, (1,)) as workers:
        drawings = [
            workers.map(partial(_draw_pair, settings=file.settings), file.seeds, chunksize=8)
            for file in missing
        ]
        for file, pairs in zip(missing, drawings, strict=True):
            images, labels = zip(*pairs, strict=True)
            with atomic_path(folder / file.name) as unfinished, unfinished.open("wb") as stream:
                np.savez(stream, images=np.stack(images), labels=np.stack(labels))


def _draw_pair(seed: int, settings: PhantomTileSettings) -> Pair:
    size_px, fine_mpp = settings.size_px, settings.mpp / 2 * SCALES[seed % len(SCALES)]
    look = TileLook(
        drawn_mpp=fine_mpp,
        rare_lesions=settings.rare_lesions,
        difficult_tracts=settings.difficult_tracts,
    )
    tile = render_tile(seed, 2 * size_px, fine_mpp, look)
    rgb = cv2.resize(tile.rgb, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return rgb.astype(np.uint8), reduce_labels(tile.labels, 2)
