"""The training loop: epochs of steps, validation, checkpoints from which a run resumes."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor

from glisson.classes import CLASSES
from glisson.dataset import Split, TileSource, check_classes_present
from glisson.errors import SettingsError, TrainingError
from glisson.scores import Confusion
from glisson.training.augment import AUGMENTATIONS, augment
from glisson.training.average import WeightAverage
from glisson.training.batches import Batch, Order, SplitTiles, load_batches
from glisson.training.checkpoint import (
    BEST,
    LAST,
    list_differences,
    load_checkpoint,
    make_identity,
    save_checkpoint,
)
from glisson.training.devices import average_buffers, sum_over_devices
from glisson.training.loss import compute_loss
from glisson.training.network import Normalise, find_normalisation
from glisson.training.progress import Progress, TrainObserver
from glisson.training.recipe import Recipe, TrainSettings
from glisson.training.scoring import count_confusion, make_score_row, predict_classes

logger = logging.getLogger(__name__)

_CHECKPOINT_SECONDS = 300.0
_SHOWS_PORTAL = 0.01
"""Least portal share of a tile that shows a tract: 650 pixels of 256 x 256."""


class Trainer:
    """A run that can be killed at any time and resumes to the same weights.

    Args:
        network: the network to train.
        source: tiles with their splits.
        recipe: what decides the result.
        folder: folder of the checkpoints.
        settings: first weights, worker processes, devices and precision.

    Raises:
        SettingsError: a split lacks tiles or classes, or a batch has fewer tiles than there are
            devices.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        source: TileSource,
        recipe: Recipe,
        folder: Path,
        settings: TrainSettings | None = None,
    ) -> None:
        check_classes_present(source.rows)
        settings = settings or TrainSettings()
        self.fabric = settings.fabric or Fabric(accelerator="cpu", devices=1)
        if recipe.batch < self.fabric.world_size:
            raise SettingsError(
                f"{recipe.batch} tiles a step cannot be shared by {self.fabric.world_size} "
                "devices. Use larger batches, or fewer devices."
            )
        self._precision = self.fabric.strategy.precision
        self._identity = make_identity(
            recipe, source.rows, settings.weights, self._precision.precision
        )
        self.recipe, self.folder, self._workers = recipe, folder, settings.workers
        self.progress = Progress()
        self._tiles = {
            split: SplitTiles(
                source,
                [row for row in source.rows if row.split is split],
                recipe.ignored_border_um if split is Split.TRAIN else 0.0,
            )
            for split in (Split.TRAIN, Split.VALIDATION)
        }
        self._orders = self._create_orders()
        self._average = WeightAverage(network, recipe.ema_decay) if recipe.ema_decay else None
        optimizer = torch.optim.AdamW(
            _group_parameters(network, recipe.encoder_rate),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
        )
        self._normalise = Normalise(find_normalisation(network))
        self.network, self.optimizer = self.fabric.setup(network, optimizer)
        if self._average is not None:
            self._average.network = self.fabric.to_device(self._average.network)
        self._saved_at = self._clock = time.monotonic()

    def _create_orders(self) -> dict[Split, Order]:
        recipe, rows = self.recipe, self._tiles[Split.TRAIN].rows
        rank, devices = self.fabric.global_rank, self.fabric.world_size
        return {
            Split.TRAIN: Order(
                len(rows),
                recipe.tiles_per_epoch,
                recipe.batch,
                rank,
                devices,
                recipe.seed,
                favoured=[place for place, row in enumerate(rows) if row.portal >= _SHOWS_PORTAL],
                share=recipe.portal_tiles,
            ),
            Split.VALIDATION: Order(
                len(self._tiles[Split.VALIDATION]),
                0,
                recipe.batch,
                rank,
                devices,
                recipe.seed,
                is_shuffled=False,
            ),
        }

    def run(self, observer: TrainObserver | None = None, resume: bool = True) -> Progress:
        """Train until the last epoch or until validation no longer gets better.

        Raises:
            TrainingError: the loss is no number, or the checkpoint is of another run.
            OutputError: a checkpoint cannot be written; the last one is whole.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if resume:
            self.resume()
        self._clock = time.monotonic()
        while not self.progress.is_finished(self.recipe):
            self._train_epoch(observer)
            row = self._validate(observer)
            if self.progress.finish_epoch(row, self.recipe):
                self._save(BEST)
            self._save(LAST)
        return self.progress

    @property
    def validation_network(self) -> torch.nn.Module:
        """Return the network to validate and save: the running average, if there is one."""
        return self.network.module if self._average is None else self._average.network

    def _train_epoch(self, observer: TrainObserver | None) -> None:
        progress, order = self.progress, self._orders[Split.TRAIN]
        order.start_at(progress.epoch, progress.batch)
        self.network.train()
        for batch in self._load(Split.TRAIN):
            loss = self._learn(batch)
            progress.batch += 1
            progress.step += 1
            progress.loss_sum += loss
            if observer and self.fabric.is_global_zero:
                observer.step_done(progress.epoch, progress.batch, len(order), loss)
            is_due = time.monotonic() - self._saved_at > _CHECKPOINT_SECONDS
            if is_due and self.fabric.world_size == 1:  # devices would have to agree on the moment
                self._save(LAST)

    def _load(self, split: Split) -> Iterator[Batch]:
        is_pinned = self.fabric.device.type == "cuda"  # for copies beside the computation
        return load_batches(self._tiles[split], self._orders[split], self._workers, is_pinned)

    def _learn(self, batch: Batch) -> float:
        """Make an optimiser step, whose randomness depends on seed, step and device only."""
        generator = self._create_generator(self.progress.step)
        torch.manual_seed(generator.initial_seed())  # dropout of the network
        _, images, labels = self._move(batch)
        images, labels = augment(images, labels, AUGMENTATIONS[self.recipe.augmentation], generator)
        self._set_learning_rate()
        logits = self._compute_logits(self.network, images)
        loss = compute_loss(logits, labels, self.recipe)
        value = float(loss.detach())
        self._check_finite(value, "loss")
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        norm = self.fabric.clip_gradients(
            self.network,
            self.optimizer,
            max_norm=self.recipe.clip_norm or math.inf,
            error_if_nonfinite=False,
        )
        if self._precision.precision != "16-mixed":  # its scaler skips such steps by itself
            self._check_finite(float(norm), "gradient")
        self.optimizer.step()
        if self._average is not None:
            self._average.update(self.network.module, self.progress.step)
        counts = np.array(self.progress.counts) + count_confusion(logits, labels)
        self.progress.counts = counts.tolist()
        return value

    def _move(self, batch: Batch) -> Batch:
        """Move a batch to the device as bytes, then make its images floats."""
        index, images, labels = (self.fabric.to_device(each) for each in batch)
        return index, images.float() / 255, labels

    def _check_finite(self, value: float, what: str) -> None:
        """Stop all devices before a value that is no number enters weights or checkpoints."""
        devices = self.fabric.world_size
        finite = sum_over_devices(self.fabric, torch.tensor(float(math.isfinite(value))))
        if int(finite) < devices:
            raise TrainingError(
                f"The {what} of step {self.progress.step + 1} is {value}. {self.folder / LAST} is "
                "from before it. Start in another folder with a lower --lr or --precision f32."
            )

    def _compute_logits(self, network: torch.nn.Module, images: Tensor) -> Tensor:
        with self.fabric.autocast():
            logits: Tensor = network(pixel_values=self._normalise(images)).logits
        return logits

    def _create_generator(self, step: int) -> torch.Generator:
        mixed = np.random.SeedSequence([self.recipe.seed, step, self.fabric.global_rank])
        seed = int(mixed.generate_state(1, np.uint64)[0] >> 1)
        return torch.Generator(self.fabric.device).manual_seed(seed)

    def _set_learning_rate(self) -> None:
        steps = self.recipe.epochs * len(self._orders[Split.TRAIN])
        factor = self.progress.rate_factor
        if self.recipe.schedule == "cosine":
            factor = self.recipe.cosine_factor(self.progress.step, steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * group["rate"] * factor

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _validate(self, observer: TrainObserver | None) -> dict[str, float]:
        """Compute loss and scores of the validation network, pooled over tiles and devices."""
        self._share_statistics()
        network = self.validation_network
        network.eval()
        counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
        loss_sum, tiles = 0.0, 0
        examples: tuple[Batch, Tensor] | None = None
        for number, batch in enumerate(self._load(Split.VALIDATION)):
            index, images, labels = self._move(batch)
            if self.recipe.augment_validation:
                changes = AUGMENTATIONS[self.recipe.augmentation]
                images, labels = augment(images, labels, changes, self._create_generator(number))
            logits = self._compute_logits(network, images)
            loss_sum += float(compute_loss(logits, labels, self.recipe)) * len(index)
            tiles += len(index)
            counts += count_confusion(logits, labels)
            if examples is None:
                examples = (index, images, labels), predict_classes(logits, labels.shape[-2:])
        loss, counts = self._pool(loss_sum, tiles, counts)
        self._check_finite(loss, "validation loss")
        row = self._make_row(loss, counts)
        if observer and self.fabric.is_global_zero and examples is not None:
            observer.epoch_done([*self.progress.history, row], *examples)
        return row

    def _share_statistics(self) -> None:
        """Average what batch norm has seen over devices, for the running average as well."""
        average_buffers(self.fabric, self.network.module)
        if self._average is not None:  # its statistics are means over steps of this device
            average_buffers(self.fabric, self._average.network)

    def _pool(self, loss_sum: float, parts: int, counts: Confusion) -> tuple[float, Confusion]:
        """Compute the mean loss and the summed counts over devices."""
        own = torch.tensor([loss_sum, parts, *counts.ravel().tolist()], dtype=torch.float64)
        loss, parts, *together = sum_over_devices(self.fabric, own).tolist()
        return loss / parts, np.array(together, np.int64).reshape(counts.shape)

    def _make_row(self, validation_loss: float, counts: Confusion) -> dict[str, float]:
        progress = self.progress
        train_loss, train_counts = self._pool(
            progress.loss_sum, max(1, progress.batch), np.array(progress.counts)
        )
        return {
            "epoch": float(progress.epoch + 1),
            "step": float(progress.step),
            "learning_rate": float(self.optimizer.param_groups[-1]["lr"]),
            "train_loss": train_loss,
            "validation_loss": validation_loss,
            **make_score_row("train", train_counts),
            **make_score_row("validation", counts),
        }

    def _save(self, name: str) -> None:
        now = time.monotonic()
        self.progress.seconds, self._clock = self.progress.seconds + now - self._clock, now
        if self.fabric.is_global_zero:
            average = None if self._average is None else self._average.network.state_dict()
            state = {
                "network": self.network.module.state_dict(),
                "average": average,
                "optimizer": self.optimizer.state_dict(),
                "progress": asdict(self.progress),
                "recipe": self._identity,
                "precision": self._precision.state_dict(),
            }
            save_checkpoint(self.folder / name, state)
        self._saved_at = time.monotonic()
        self.fabric.barrier()

    def resume(self) -> None:
        """Load the last checkpoint, if there is one.

        Raises:
            TrainingError: the checkpoint is damaged, or of other settings, tiles, weights or
                precision.
        """
        if not (self.folder / LAST).exists():
            return
        state: dict[str, Any] = load_checkpoint(self.folder / LAST)
        if differences := list_differences(self._identity, state["recipe"]):
            raise TrainingError(
                f"{self.folder / LAST} is of another run ({', '.join(differences)}). "
                "Give the same options and tiles to resume it, or another folder for a new run."
            )
        self.network.module.load_state_dict(state["network"])
        if self._average is not None:
            self._average.network.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._precision.load_state_dict(state["precision"])
        self.progress = Progress(**state["progress"])
        logger.info("resuming at epoch %d, batch %d", self.progress.epoch + 1, self.progress.batch)


def _group_parameters(network: torch.nn.Module, encoder_rate: float) -> list[dict[str, Any]]:
    """Split the parameters into the encoder's, with its factor on the learning rate, and others."""
    encoder: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in network.named_parameters():
        (encoder if name.startswith("encoder.") else others).append(parameter)
    groups = [{"params": encoder, "rate": encoder_rate}, {"params": others, "rate": 1.0}]
    return [group for group in groups if group["params"]]
