"""The training loop: epochs of steps, validation, checkpoints from which it goes on."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor
from torch.nn import functional

from glisson.classes import CLASSES
from glisson.dataset import Split, TileSource, check_classes_present
from glisson.errors import SettingsError, TrainingError
from glisson.scores import Confusion, Scores, scores_of
from glisson.training.augment import AUGMENTATIONS, augment
from glisson.training.batches import Batch, Order, SplitTiles, load
from glisson.training.checkpoint import BEST, LAST, load_checkpoint, save_checkpoint
from glisson.training.identity import changed, identity_of
from glisson.training.loss import segmentation_loss
from glisson.training.network import Normalise, normalisation_of
from glisson.training.recipe import Recipe

logger = logging.getLogger(__name__)

_CHECKPOINT_SECONDS = 300.0
_SHOWS_PORTAL = 0.01
"""Least portal part of a tile that shows a tract: 650 pixels of 256 x 256."""


@dataclass
class Progress:
    """Where a run is.

    Attributes:
        epoch: epochs finished.
        batch: batches of the next one that are done.
        step: optimiser steps in all.
        loss_sum: of the epoch's losses so far, on this device.
        counts: confusion of the epoch's training tiles so far, as they were augmented, on this
            device.
        best_loss: lowest validation loss.
        best_epoch: when it was reached, counted from 1.
        rate_factor: by which `plateau` has lowered the learning rate.
        waited: epochs since the validation loss was last better, for the plateau.
        seconds: of work, validation included; what a kill undid is not counted.
        history: a row of scores by epoch.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    counts: list[list[int]] = field(default_factory=lambda: [[0] * len(CLASSES)] * len(CLASSES))
    best_loss: float = math.inf
    best_epoch: int = 0
    rate_factor: float = 1.0
    waited: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class TrainObserver(Protocol):
    """Who wants to know how the run goes; called on the first device only."""

    def step_done(self, epoch: int, batch: int, batches: int, loss: float) -> None:
        """One optimiser step was made."""
        ...

    def epoch_done(
        self, history: Sequence[dict[str, float]], examples: Batch, found: Tensor
    ) -> None:
        """An epoch ended: all rows so far, and validation tiles with (N, H, W) classes."""
        ...


class Trainer:
    """A run that can be killed at any time and goes on to the same weights.

    Args:
        network: what to train.
        source: tiles with their splits.
        recipe: the settings.
        folder: for checkpoints.
        fabric: devices and precision; the processor when left out.
        workers: processes that read tiles; 0 reads in this one.
        started_from: name of the network's first weights; None for random ones.

    Raises:
        SettingsError: a split lacks tiles or classes, or a batch is smaller than the devices are
            many.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        source: TileSource,
        recipe: Recipe,
        folder: Path,
        fabric: Fabric | None = None,
        workers: int = 0,
        started_from: str | None = None,
    ) -> None:
        check_classes_present(source.rows)
        self.fabric = fabric or Fabric(accelerator="cpu", devices=1)
        if recipe.batch < self.fabric.world_size:
            raise SettingsError(
                f"{recipe.batch} tiles a step cannot be shared by {self.fabric.world_size} "
                "devices. Use larger batches, or fewer devices."
            )
        self._precision = self.fabric.strategy.precision
        self._identity = identity_of(recipe, source.rows, started_from, self._precision.precision)
        self.recipe, self.folder, self.workers = recipe, folder, workers
        self.progress = Progress()
        self._tiles = {
            split: SplitTiles(
                source,
                [row for row in source.rows if row.split is split],
                recipe.ignored_border_um if split is Split.TRAIN else 0.0,
            )
            for split in (Split.TRAIN, Split.VALIDATION)
        }
        self._average = copy.deepcopy(network) if recipe.ema_decay else None
        optimizer = torch.optim.AdamW(
            _parameter_groups(network, recipe.encoder_rate),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
        )
        self._normalise = Normalise(normalisation_of(network))
        self.network, self.optimizer = self.fabric.setup(network, optimizer)
        if self._average is not None:
            self._average = self.fabric.to_device(self._average).requires_grad_(False)
        rank, devices = self.fabric.global_rank, self.fabric.world_size
        train, validation = self._tiles[Split.TRAIN], self._tiles[Split.VALIDATION]
        portal = [place for place, row in enumerate(train.rows) if row.portal >= _SHOWS_PORTAL]
        self._order = Order(
            len(train), recipe.tiles_per_epoch, recipe.batch, rank, devices, recipe.seed,
            favoured=portal, share=recipe.portal_tiles,
        )  # fmt: skip
        self._validation_order = Order(
            len(validation), 0, recipe.batch, rank, devices, recipe.seed, shuffled=False
        )
        self._saved_at = self._clock = time.monotonic()

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
        while self.progress.epoch < self.recipe.epochs and not self._stopped():
            self._train_epoch(observer)
            row = self._validate(observer)
            self._finish_epoch(row)
        return self.progress

    @property
    def kept_network(self) -> torch.nn.Module:
        """The network that is validated and kept: the running average, if there is one."""
        return self.network.module if self._average is None else self._average

    def _stopped(self) -> bool:
        patience, progress = self.recipe.stop_patience, self.progress
        return bool(patience) and progress.epoch - progress.best_epoch >= patience

    def _train_epoch(self, observer: TrainObserver | None) -> None:
        progress = self.progress
        self._order.start_at(progress.epoch, progress.batch)
        self.network.train()
        for batch in self._batches(Split.TRAIN, self._order):
            loss = self._learn(batch)
            progress.batch += 1
            progress.step += 1
            progress.loss_sum += loss
            if observer and self.fabric.is_global_zero:
                observer.step_done(progress.epoch, progress.batch, len(self._order), loss)
            self._save_now_and_then()

    def _batches(self, split: Split, order: Order) -> Iterator[Batch]:
        pinned = self.fabric.device.type == "cuda"  # which then fetches them by itself
        return load(self._tiles[split], order, self.workers, pinned)

    def _learn(self, batch: Batch) -> float:
        """One optimiser step; its randomness depends on seed, step and device only."""
        generator = self._generator(self.progress.step)
        torch.manual_seed(generator.initial_seed())  # dropout of the network
        _, images, labels = self._on_device(batch)
        images, labels = augment(images, labels, AUGMENTATIONS[self.recipe.augmentation], generator)
        self._set_learning_rate()
        logits = self._logits(self.network, images)
        loss = segmentation_loss(logits, labels, self.recipe)
        value = float(loss.detach())
        self._check_number(value, "loss")
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        norm = self.fabric.clip_gradients(
            self.network, self.optimizer, max_norm=self.recipe.clip_norm or math.inf,
            error_if_nonfinite=False,
        )  # fmt: skip
        if self._precision.precision != "16-mixed":  # whose scaler leaves such steps out itself
            self._check_number(float(norm), "gradient")
        self.optimizer.step()
        self._update_average()
        counts = np.array(self.progress.counts) + _confusion(logits, labels)
        self.progress.counts = counts.tolist()
        return value

    def _on_device(self, batch: Batch) -> Batch:
        """A batch moved as bytes, a quarter of what floats would be, its images then as floats."""
        index, images, labels = (self.fabric.to_device(each) for each in batch)
        return index, images.float() / 255, labels

    def _check_number(self, value: float, what: str) -> None:
        """Stop before a value that is no number enters weights or checkpoints, on all devices."""
        finite = torch.tensor(float(math.isfinite(value)))
        if self.fabric.world_size > 1:
            finite = self.fabric.all_reduce(self.fabric.to_device(finite), reduce_op="sum").cpu()
        if int(finite) < self.fabric.world_size:
            raise TrainingError(
                f"The {what} of step {self.progress.step + 1} is {value}. {self.folder / LAST} is "
                "from before it. Start anew in another folder with a lower --lr or --precision f32."
            )

    def _logits(self, network: torch.nn.Module, images: Tensor) -> Tensor:
        with self.fabric.autocast():
            logits: Tensor = network(pixel_values=self._normalise(images)).logits
        return logits

    def _generator(self, step: int) -> torch.Generator:
        mixed = np.random.SeedSequence([self.recipe.seed, step, self.fabric.global_rank])
        seed = int(mixed.generate_state(1, np.uint64)[0] >> 1)
        return torch.Generator(self.fabric.device).manual_seed(seed)

    def _set_learning_rate(self) -> None:
        recipe, step = self.recipe, self.progress.step
        factor = self.progress.rate_factor
        if recipe.schedule == "cosine":
            done = step / (recipe.epochs * len(self._order))
            rise = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
            factor = min(rise, 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.learning_rate * group["rate"] * factor

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _update_average(self) -> None:
        if self._average is None:
            return
        step = self.progress.step
        decay = min(self.recipe.ema_decay, (1 + step) / (10 + step))
        values = self.network.module.state_dict()
        for name, mean in self._average.state_dict().items():
            if mean.dtype.is_floating_point:
                mean.lerp_(values[name], 1 - decay)
            else:
                mean.copy_(values[name])

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _validate(self, observer: TrainObserver | None) -> dict[str, float]:
        """Loss and scores of the kept network, pooled over tiles and devices."""
        self._share_statistics()
        network = self.kept_network
        network.eval()
        counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
        losses, tiles = 0.0, 0
        shown: tuple[Batch, Tensor] | None = None
        for number, batch in enumerate(self._batches(Split.VALIDATION, self._validation_order)):
            index, images, labels = self._on_device(batch)
            if self.recipe.augment_validation:
                how = AUGMENTATIONS[self.recipe.augmentation]
                images, labels = augment(images, labels, how, self._generator(number))
            logits = self._logits(network, images)
            losses += float(segmentation_loss(logits, labels, self.recipe)) * len(index)
            tiles += len(index)
            counts += _confusion(logits, labels)
            if shown is None:
                shown = (index, images, labels), _classes(logits, labels)
        loss, counts = self._over_devices(losses, tiles, counts)
        self._check_number(loss, "validation loss")
        row = self._row(loss, counts)
        if observer and self.fabric.is_global_zero and shown is not None:
            observer.epoch_done([*self.progress.history, row], *shown)
        return row

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _share_statistics(self) -> None:
        """Mean over devices of what batch norm has seen, which each counts by itself."""
        if self.fabric.world_size == 1:
            return
        # the running average's are means over steps, and need it as well
        networks = [self.network.module, *([] if self._average is None else [self._average])]
        for network in networks:
            for buffer in network.buffers():
                if buffer.dtype.is_floating_point:
                    buffer.copy_(self.fabric.all_reduce(buffer, reduce_op="mean"))

    def _over_devices(
        self, losses: float, tiles: int, counts: Confusion
    ) -> tuple[float, Confusion]:
        """Mean loss and summed counts, of what each device has added up."""
        sums = torch.tensor([losses, tiles, *counts.ravel().tolist()], dtype=torch.float64)
        if self.fabric.world_size > 1:  # MPS, always alone, has no such floats
            sums = self.fabric.all_reduce(self.fabric.to_device(sums), reduce_op="sum").cpu()
        loss, tiles, *together = sums.tolist()
        return loss / tiles, np.array(together, np.int64).reshape(counts.shape)

    def _row(self, loss: float, counts: Confusion) -> dict[str, float]:
        progress = self.progress
        train_loss, train_counts = self._over_devices(
            progress.loss_sum, max(1, progress.batch), np.array(progress.counts)
        )
        row = {
            "epoch": float(progress.epoch + 1),
            "step": float(progress.step),
            "learning_rate": float(self.optimizer.param_groups[-1]["lr"]),
            "train_loss": train_loss,
            "validation_loss": loss,
        }
        row |= _named("train", scores_of(train_counts))
        return row | _named("validation", scores_of(counts))

    def _finish_epoch(self, row: dict[str, float]) -> None:
        progress, loss = self.progress, row["validation_loss"]
        progress.history.append(row)
        progress.epoch += 1
        progress.batch, progress.loss_sum = 0, 0.0
        progress.counts = [[0] * len(CLASSES)] * len(CLASSES)
        better = loss < progress.best_loss
        progress.waited = 0 if better else progress.waited + 1
        if better:
            progress.best_loss, progress.best_epoch = loss, progress.epoch
        elif self.recipe.schedule == "plateau" and progress.waited > self.recipe.plateau_patience:
            progress.rate_factor, progress.waited = progress.rate_factor * 0.1, 0
        if better:
            self._save(BEST)
        self._save(LAST)

    def _save_now_and_then(self) -> None:
        """Between epochs too, on one device: several would have to agree on the moment."""
        late = time.monotonic() - self._saved_at > _CHECKPOINT_SECONDS
        if late and self.fabric.world_size == 1:
            self._save(LAST)

    def _save(self, name: str) -> None:
        now = time.monotonic()
        self.progress.seconds, self._clock = self.progress.seconds + now - self._clock, now
        if self.fabric.is_global_zero:
            save_checkpoint(self.folder / name, self._state())
        self._saved_at = time.monotonic()
        self.fabric.barrier()

    def _state(self) -> dict[str, Any]:
        average = None if self._average is None else self._average.state_dict()
        return {
            "network": self.network.module.state_dict(),
            "average": average,
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "recipe": self._identity,
            "precision": self._precision.state_dict(),
        }

    def resume(self) -> None:
        """Take the last checkpoint's place, if there is one.

        Raises:
            TrainingError: it is damaged, or of other settings, tiles, weights or precision.
        """
        if not (self.folder / LAST).exists():
            return
        state = load_checkpoint(self.folder / LAST)
        different = changed(self._identity, state["recipe"])
        if different:
            raise TrainingError(
                f"{self.folder / LAST} is of another run ({', '.join(different)}). "
                "Give the same options and tiles to go on, or another folder to start anew."
            )
        self.network.module.load_state_dict(state["network"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._precision.load_state_dict(state["precision"])
        self.progress = Progress(**state["progress"])
        logger.info("going on at epoch %d, batch %d", self.progress.epoch + 1, self.progress.batch)


def _parameter_groups(network: torch.nn.Module, encoder_rate: float) -> list[dict[str, Any]]:
    """Split the parameters into the encoder's, with its factor on the learning rate, and others."""
    encoder: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in network.named_parameters():
        (encoder if name.startswith("encoder.") else others).append(parameter)
    groups = [{"params": encoder, "rate": encoder_rate}, {"params": others, "rate": 1.0}]
    return [group for group in groups if group["params"]]


def _classes(logits: Tensor, labels: Tensor) -> Tensor:
    full = functional.interpolate(
        logits.detach().float(), labels.shape[-2:], mode="bilinear", align_corners=False
    )
    return full.argmax(dim=1)


def _confusion(logits: Tensor, labels: Tensor) -> Confusion:
    """As `scores.confusion`, counted on the device."""
    classes = len(CLASSES)
    known = labels < classes
    pairs = labels[known].long() * classes + _classes(logits, labels)[known]
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes).cpu().numpy()


def _named(split: str, scores: Scores) -> dict[str, float]:
    row = {f"{split}_mean_dice": scores.mean_dice, f"{split}_mean_iou": scores.mean_iou}
    for each, dice, iou in zip(CLASSES, scores.dice, scores.iou, strict=True):
        row |= {f"{split}_{each.name}_dice": dice, f"{split}_{each.name}_iou": iou}
    return row
