"""Rendered phantom tiles on disk, made by several processes, read back as arrays."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.phantom import render_tile

Pixels = NDArray[np.uint8]


def tiles(
    folder: Path, first_seed: int, count: int, size_px: int, mpp_choices: tuple[float, ...]
) -> tuple[Pixels, Pixels]:
    """Images (N, H, W, 3) and labels (N, H, W); rendered once, then read from `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"tiles-{first_seed}-{count}-{size_px}.npz"
    if not path.exists():
        _save(path, *_render(first_seed, count, size_px, mpp_choices))
    with np.load(path, allow_pickle=False) as stored:
        return stored["images"], stored["labels"]


def _render(
    first_seed: int, count: int, size_px: int, mpp_choices: tuple[float, ...]
) -> tuple[Pixels, Pixels]:
    work = partial(_render_one, size_px=size_px, mpp_choices=mpp_choices)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read by the workers when they start
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, cv2.setNumThreads, (1,)) as workers:
        made = list(workers.map(work, range(first_seed, first_seed + count), chunksize=16))
    return np.stack([image for image, _ in made]), np.stack([labels for _, labels in made])


def _render_one(seed: int, size_px: int, mpp_choices: tuple[float, ...]) -> tuple[Pixels, Pixels]:
    tile = render_tile(seed, size_px, mpp_choices[seed % len(mpp_choices)])
    return tile.rgb, tile.labels


def _save(path: Path, images: Pixels, labels: Pixels) -> None:
    unfinished = path.with_suffix(".part.npz")
    np.savez(unfinished, images=images, labels=labels)
    unfinished.replace(path)
