"""What a run leaves behind while it goes on: history, curves, TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from glisson.dataset import TileSource, summarize_splits
from glisson.files.atomic import atomic_path
from glisson.files.csv_tables import write_rows
from glisson.training.batches import Batch
from glisson.training.figures import draw_curves, outlined
from glisson.training.recipe import Recipe
from glisson.version import __version__

HISTORY_FILE, CURVES_FILE, FACTS_FILE = "history.csv", "curves.png", "train.json"
PREVIEW_FILE = "augmentation.png"
_SHOWN = 8

StepTold = Callable[[int, int, int, float], None]


class Record:
    """A `TrainObserver` that writes to the run's folder and tells the terminal.

    Args:
        folder: of the run.
        title: above the curves.
        step_told: called after each step: epoch, batch, batches, loss.
        epoch_told: called after each epoch with its row.
    """

    def __init__(
        self,
        folder: Path,
        title: str,
        step_told: StepTold | None = None,
        epoch_told: Callable[[dict[str, float]], None] | None = None,
    ) -> None:
        self._folder, self._title = folder, title
        self._step_told, self._epoch_told = step_told, epoch_told
        self._board: SummaryWriter | None = None

    def step_done(self, epoch: int, batch: int, batches: int, loss: float) -> None:
        """Pass the step on."""
        if self._step_told:
            self._step_told(epoch, batch, batches, loss)

    def epoch_done(
        self, history: Sequence[dict[str, float]], examples: Batch, found: Tensor
    ) -> None:
        """Write history, curves and TensorBoard, with some validation tiles."""
        row, step = history[-1], int(history[-1]["step"])
        write_history(self._folder / HISTORY_FILE, history)
        draw_curves(self._folder / CURVES_FILE, history, self._title)
        if self._board is None:  # what a killed run wrote after its last checkpoint is dropped
            self._board = SummaryWriter(self._folder / "tensorboard", purge_step=step)
        for key, value in row.items():
            if key not in ("epoch", "step") and np.isfinite(value):
                self._board.add_scalar(key.replace("_", "/", 1), value, step)
        _, images, labels = (each.cpu() for each in examples)
        self._board.add_image(
            "validation: truth above, found below",
            _pairs(images, labels, found.cpu()), step, dataformats="HWC",
        )  # fmt: skip
        self._board.flush()
        if self._epoch_told:
            self._epoch_told(row)


def write_history(path: Path, history: Sequence[dict[str, float]]) -> None:
    """The rows of the epochs as a table."""
    write_rows(path, list(history[0]), history)


def write_facts(path: Path, recipe: Recipe, source: TileSource, more: dict[str, Any]) -> None:
    """What the run was started with: recipe, tiles, versions."""
    facts = {
        "glisson": __version__,
        "torch": torch.__version__,
        **more,
        "recipe": asdict(recipe),
        "splits": [asdict(each) for each in summarize_splits(source.rows)],
        "training_slides": sorted({r.slide for r in source.rows if r.split == "train"}),
        "validation_slides": sorted({r.slide for r in source.rows if r.split == "validation"}),
    }
    with atomic_path(path) as unfinished:
        unfinished.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _pairs(images: Tensor, labels: Tensor, found: Tensor) -> np.ndarray:
    shown = zip(images[:_SHOWN], labels[:_SHOWN], found[:_SHOWN], strict=True)
    columns = [np.concatenate([outlined(i, true), outlined(i, seen)]) for i, true, seen in shown]
    return np.concatenate(columns, axis=1)
