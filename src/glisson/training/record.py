"""Files that a run writes while it trains: history, curves, TensorBoard."""

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
from glisson.training.figures import draw_curves, draw_outlines
from glisson.training.recipe import Recipe
from glisson.version import __version__

HISTORY_FILE, CURVES_FILE, FACTS_FILE = "history.csv", "curves.png", "train.json"
PREVIEW_FILE = "augmentation.png"
_EXAMPLES = 8


class Record:
    """A `TrainObserver` that writes to the run's folder.

    Args:
        folder: folder of the run.
        title: title of the curves.
        on_step: callback after each step: epoch, batch, batches, loss.
        on_epoch: callback after each epoch, with its row.
    """

    def __init__(
        self,
        folder: Path,
        title: str,
        on_step: Callable[[int, int, int, float], None] | None = None,
        on_epoch: Callable[[dict[str, float]], None] | None = None,
    ) -> None:
        self._folder, self._title = folder, title
        self._on_step, self._on_epoch = on_step, on_epoch
        self._board: SummaryWriter | None = None

    def step_done(self, epoch: int, batch: int, batches: int, loss: float) -> None:
        """Call `on_step`."""
        if self._on_step:
            self._on_step(epoch, batch, batches, loss)

    def epoch_done(
        self, history: Sequence[dict[str, float]], examples: Batch, found: Tensor
    ) -> None:
        """Write history, curves and TensorBoard, with some validation tiles."""
        row, step = history[-1], int(history[-1]["step"])
        write_history(self._folder / HISTORY_FILE, history)
        draw_curves(self._folder / CURVES_FILE, history, self._title)
        if self._board is None:  # drop what a killed run wrote after its last checkpoint
            self._board = SummaryWriter(self._folder / "tensorboard", purge_step=step)
        for key, value in row.items():
            if key not in ("epoch", "step") and np.isfinite(value):
                self._board.add_scalar(key.replace("_", "/", 1), value, step)
        tensors = (each[:_EXAMPLES].cpu() for each in (examples[1], examples[2], found))
        columns = [
            np.concatenate([draw_outlines(image, true), draw_outlines(image, predicted)])
            for image, true, predicted in zip(*tensors, strict=True)
        ]
        sheet = np.concatenate(columns, axis=1)
        name = "validation: truth above, found below"
        self._board.add_image(name, sheet, step, dataformats="HWC")
        self._board.flush()
        if self._on_epoch:
            self._on_epoch(row)


def write_history(path: Path, history: Sequence[dict[str, float]]) -> None:
    """Write the rows of the epochs as a table."""
    write_rows(path, list(history[0]), history)


def write_facts(path: Path, recipe: Recipe, source: TileSource, more: dict[str, Any]) -> None:
    """Write the inputs of a run: recipe, tiles, versions."""
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
