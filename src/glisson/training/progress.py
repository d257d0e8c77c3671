"""Progress of a run, and the interface of its observers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from glisson.classes import CLASSES
from glisson.training.batches import Batch
from glisson.training.recipe import Recipe


def _empty_counts() -> list[list[int]]:
    return [[0] * len(CLASSES) for _ in CLASSES]


@dataclass
class Progress:
    """State of a run beside its weights.

    Attributes:
        epoch: finished epochs.
        batch: finished batches of the next epoch.
        step: optimiser steps in all.
        loss_sum: of the epoch's losses so far, on this device.
        counts: confusion of the epoch's augmented training tiles so far, on this device.
        best_loss: lowest validation loss.
        best_epoch: epoch of the lowest validation loss, counted from 1.
        rate_factor: factor by which `plateau` has lowered the learning rate.
        waited: epochs since the validation loss was last better, for the plateau.
        seconds: of work, validation included, without work that a kill undid.
        history: a row of scores by epoch.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    counts: list[list[int]] = field(default_factory=_empty_counts)
    best_loss: float = math.inf
    best_epoch: int = 0
    rate_factor: float = 1.0
    waited: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    def finish_epoch(self, row: dict[str, float], recipe: Recipe) -> bool:
        """Add the scores of an epoch; return True if its validation loss is the lowest so far."""
        self.history.append(row)
        self.epoch += 1
        self.batch, self.loss_sum, self.counts = 0, 0.0, _empty_counts()
        is_better = row["validation_loss"] < self.best_loss
        self.waited = 0 if is_better else self.waited + 1
        if is_better:
            self.best_loss, self.best_epoch = row["validation_loss"], self.epoch
        elif recipe.schedule == "plateau" and self.waited > recipe.plateau_patience:
            self.rate_factor, self.waited = self.rate_factor * 0.1, 0
        return is_better

    def is_finished(self, recipe: Recipe) -> bool:
        """Return True after the last epoch, or after `stop_patience` epochs without a better."""
        patience = recipe.stop_patience
        is_stopped = bool(patience) and self.epoch - self.best_epoch >= patience
        return self.epoch >= recipe.epochs or is_stopped


class TrainObserver(Protocol):
    """A watcher of a run; only the first device calls it."""

    def step_done(self, epoch: int, batch: int, batches: int, loss: float) -> None:
        """Receive the loss of an optimiser step."""
        ...

    def epoch_done(
        self, history: Sequence[dict[str, float]], examples: Batch, found: Tensor
    ) -> None:
        """Receive all rows so far, and validation tiles with their predicted (N, H, W) classes."""
        ...
