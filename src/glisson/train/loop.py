"""The training loop: rounds of rendering and training, with checkpoints that resume."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from glisson.classes import CLASSES, LOBULE, PORTAL
from glisson.phantom import commonest
from glisson.train.augment import augment
from glisson.train.pool import tiles
from glisson.train.recipe import Recipe

logger = logging.getLogger(__name__)

Pixels = NDArray[np.uint8]

IGNORED = 255
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""The usual image statistics, so that pretrained encoders can be swapped in later."""


def new_model() -> SegformerForSemanticSegmentation:
    """SegFormer-B0 for the three classes, with random weights."""
    names = {c.index: c.name for c in CLASSES}
    config = SegformerConfig(
        num_labels=len(CLASSES),
        id2label=names,
        label2id={v: k for k, v in names.items()},
        classifier_dropout_prob=0.0,  # phantoms never run out, and dropout costs a tenth of a step
    )
    model = SegformerForSemanticSegmentation(config)
    model.apply(_start_convolution)
    torch.nn.init.normal_(model.decode_head.classifier.weight, 0.0, 0.02)  # starts undecided
    return model


def _start_convolution(module: torch.nn.Module) -> None:
    """Random weights of a convolution as in the SegFormer paper's code (fan out).

    transformers starts every layer at 0.02, meant for pretrained weights: from there the
    depthwise convolutions pass next to nothing and hundreds of steps are lost.
    """
    if isinstance(module, torch.nn.Conv2d):
        fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
        torch.nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 * module.groups / fan_out))


class Trainer:
    """A run that can be stopped after any round and resumed."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        torch.manual_seed(recipe.first_seed)
        self.recipe = recipe
        self.folder = folder
        self.model = new_model()
        self.average = new_model()
        self.average.load_state_dict(self.model.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.round = 0
        self.step = 0
        self.history: list[dict[str, Any]] = []

    def run(self) -> None:
        """Train to the last round."""
        self._resume()
        while self.round < self.recipe.rounds:
            started = time.monotonic()
            loss = self._train_round()
            self.round += 1
            scores = validate(self.average, self.recipe, self.folder)
            minutes = (time.monotonic() - started) / 60
            self.history.append({"round": self.round, "loss": loss, "minutes": minutes, **scores})
            logger.info("round %d: loss %.4f, %s, %.1f min", self.round, loss, scores, minutes)
            self._save()

    def _train_round(self) -> float:
        images, labels = self._tiles
        generator = torch.Generator().manual_seed(self.recipe.first_seed + self.round)
        rng = np.random.default_rng(self.recipe.first_seed + self.round)
        losses = []
        self.model.train()
        for _ in range(self.recipe.steps_per_round):
            chosen = rng.choice(len(images), self.recipe.batch, replace=False)
            x, y = augment(_as_floats(images[chosen]), torch.from_numpy(labels[chosen]), generator)
            losses.append(self._learn(x, y))
            if self.step % 20 == 0:
                logger.info("step %d: loss %.4f", self.step, float(np.mean(losses[-20:])))
        return float(np.mean(losses))

    @cached_property
    def _tiles(self) -> tuple[Pixels, Pixels]:
        """All training tiles as the model sees them, the ragged border ignored."""
        recipe = self.recipe
        groups = [
            _training_tiles(
                recipe, self.folder, recipe.first_seed + number * recipe.tiles_per_group
            )
            for number in range(recipe.tile_groups)
        ]
        labels = np.concatenate([group[1] for group in groups])
        half_width_px = recipe.ignored_border_um / recipe.mpp
        return np.concatenate([group[0] for group in groups]), _with_ignored_border(
            labels, half_width_px
        )

    def _learn(self, images: Tensor, labels: Tensor) -> float:
        self._set_learning_rate()
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.model(normalised(images).to(memory_format=torch.channels_last)).logits
        loss = segmentation_loss(logits.float(), labels.long(), self.recipe)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self._update_average()
        self.step += 1
        return float(loss.detach())

    def _set_learning_rate(self) -> None:
        recipe = self.recipe
        left = recipe.rounds * recipe.steps_per_round - self.step
        fall = min(1.0, left / max(1, recipe.decay_rounds * recipe.steps_per_round))
        rise = min(1.0, (self.step + 1) / recipe.warmup_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.learning_rate * min(rise, fall)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _update_average(self) -> None:
        decay = min(self.recipe.ema_decay, (1 + self.step) / (10 + self.step))
        for mean, value in zip(
            self.average.state_dict().values(), self.model.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def _save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "round": self.round,
            "step": self.step,
            "history": self.history,
            "recipe": asdict(self.recipe),
        }
        unfinished = self.folder / "checkpoint.part"
        torch.save(state, unfinished)
        unfinished.replace(self.folder / "checkpoint.pt")

    def _resume(self) -> None:
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.round, self.step, self.history = state["round"], state["step"], state["history"]
        logger.info("resumed after round %d", self.round)


def normalised(images: Tensor) -> Tensor:
    """(N, 3, H, W) in 0 to 1, less the mean and over the deviation."""
    mean, std = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)
    return (images - mean) / std


def segmentation_loss(logits: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    """Weighted cross-entropy and soft Dice at full resolution; `IGNORED` counts for nothing."""
    logits = functional.interpolate(
        logits, size=labels.shape[-2:], mode="bilinear", align_corners=False
    )
    weights = torch.tensor(recipe.class_weights)
    entropy = functional.cross_entropy(logits, labels, weights, ignore_index=IGNORED)
    return entropy + recipe.dice_share * _dice_loss(logits, labels)


def _dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    seen = (labels != IGNORED)[:, None]
    truth = functional.one_hot(labels.clamp_max(len(CLASSES) - 1), len(CLASSES))
    truth = truth.permute(0, 3, 1, 2) * seen
    chance = logits.softmax(dim=1) * seen
    overlap = (chance * truth).sum(dim=(0, 2, 3))
    total = chance.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3))
    return 1 - ((2 * overlap + 1) / (total + 1)).mean()


def _as_floats(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255


def _with_ignored_border(labels: NDArray[np.uint8], half_width_px: float) -> NDArray[np.uint8]:
    """Labels with a band along the lobule-portal border set to `IGNORED`."""
    side = 2 * round(half_width_px / 2) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    marked = labels.copy()
    for tile in marked:
        portal = cv2.dilate((tile == PORTAL.index).astype(np.uint8), kernel)
        lobule = cv2.dilate((tile == LOBULE.index).astype(np.uint8), kernel)
        tile[(portal & lobule) > 0] = IGNORED
    return marked


def _training_tiles(recipe: Recipe, folder: Path, first_seed: int) -> tuple[Pixels, Pixels]:
    return _reduced_tiles(recipe, folder, first_seed, recipe.tiles_per_group)


def _reduced_tiles(
    recipe: Recipe, folder: Path, first_seed: int, count: int
) -> tuple[Pixels, Pixels]:
    """Rendered tiles averaged down to the model's µm/px; labels by the commonest class."""
    images, labels = tiles(
        folder / "tiles", first_seed, count, recipe.window_px, recipe.mpp_choices
    )
    side = recipe.window_px // recipe.reduction
    small = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(small), np.stack([commonest(tile, recipe.reduction) for tile in labels])


@torch.no_grad()  # type: ignore[untyped-decorator]
def validate(
    model: SegformerForSemanticSegmentation, recipe: Recipe, folder: Path
) -> dict[str, float]:
    """Dice of each class over unseen phantom tiles, unaugmented, counts pooled."""
    images, labels = _reduced_tiles(recipe, folder, recipe.validation_seed, recipe.validation_tiles)
    model.eval()
    counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for first in range(0, len(images), recipe.batch):
        part = slice(first, first + recipe.batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(normalised(_as_floats(images[part]))).logits
        logits = functional.interpolate(logits.float(), size=labels.shape[1:], mode="bilinear")
        found = logits.argmax(dim=1).numpy()
        pairs = labels[part].astype(np.int64) * len(CLASSES) + found
        counts += np.bincount(pairs.ravel(), minlength=len(CLASSES) ** 2).reshape(counts.shape)
    overlap = np.diag(counts)
    dice = 2 * overlap / (counts.sum(axis=0) + counts.sum(axis=1))
    return {f"dice_{c.name}": round(float(dice[c.index]), 4) for c in CLASSES}
