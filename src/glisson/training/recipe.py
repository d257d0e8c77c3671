"""Settings of a training run: those that decide its result, with presets, and the others."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from lightning.fabric import Fabric

from glisson.errors import SettingsError
from glisson.training.augment import AUGMENTATIONS

NOT_STATED = "Not stated by those who trained it."


@dataclass(frozen=True)
class Recipe:
    """Settings of a run; the same recipe and tiles give the same weights on the same machine.

    Attributes:
        network: name of the network, for `create_network`; first weights of a model decide it.
        epochs: most epochs; early stopping may end the run before.
        batch: tiles per optimiser step, over all devices.
        tiles_per_epoch: tiles drawn for an epoch; 0 for as many as there are.
        portal_tiles: least share of an epoch's tiles that show portal area; where there are
            fewer, they come more often than the others. 0 draws all alike.
        learning_rate: of AdamW.
        encoder_rate: factor on the learning rate of a pretrained encoder.
        weight_decay: of AdamW.
        schedule: `plateau` lowers the rate tenfold after `plateau_patience` epochs without a
            better validation loss; `cosine` rises over `warmup_steps`, then falls to nothing.
        plateau_patience: epochs.
        warmup_steps: of `cosine`.
        stop_patience: epochs without a better validation loss before the run ends; 0 for never.
        class_weights: of cross-entropy, in the order of the classes.
        dice_share: weight of the soft Dice loss beside cross-entropy.
        ignored_border_um: half width of a band along the lobule-portal border that the loss
            ignores: annotators draw within a few µm.
        ema_decay: of the running average of the weights, which is validated and saved; 0 for none.
        augmentation: key of `AUGMENTATIONS`.
        augment_validation: augment validation tiles too, as the paper's scripts do.
        clip_norm: largest norm of a gradient; 0 for no limit.
        seed: of weights, order and augmentation.
    """

    network: str = "segformer-b0"
    epochs: int = 40
    batch: int = 32
    tiles_per_epoch: int = 0
    portal_tiles: float = 0.5
    learning_rate: float = 6e-4
    encoder_rate: float = 1.0
    weight_decay: float = 0.05
    schedule: Literal["plateau", "cosine"] = "cosine"
    plateau_patience: int = 3
    warmup_steps: int = 100
    stop_patience: int = 0
    class_weights: tuple[float, float, float] = (1.0, 1.0, 1.5)
    dice_share: float = 0.5
    ignored_border_um: float = 4.0
    ema_decay: float = 0.995
    augmentation: str = "stain"
    augment_validation: bool = False
    clip_norm: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.augmentation not in AUGMENTATIONS:
            raise SettingsError(
                f"No augmentation {self.augmentation}: one of {', '.join(AUGMENTATIONS)}."
            )
        if not 0 <= self.portal_tiles < 1:
            raise SettingsError(f"A share of {self.portal_tiles:g} portal tiles: give 0 to 1.")
        if min(self.epochs, self.batch) < 1 or self.learning_rate <= 0:
            raise SettingsError("Epochs, batch and learning rate must be above 0.")

    def cosine_factor(self, step: int, steps: int) -> float:
        """Return the factor on the learning rate of a step: a rise, then a cosine to 0."""
        rise = min(1.0, (step + 1) / max(1, self.warmup_steps))
        return min(rise, 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0))))


PRESETS = {
    "glisson": Recipe(network="efficientnet-lite0", learning_rate=2e-3, encoder_rate=0.1),
    "paper": Recipe(
        epochs=100, batch=64, learning_rate=1e-4, weight_decay=0.01, schedule="plateau",
        plateau_patience=3, stop_patience=5, class_weights=(1.0, 1.0, 5.0), dice_share=0.0,
        ignored_border_um=0.0, ema_decay=0.0, augmentation="paper", clip_norm=0.0,
        augment_validation=True, portal_tiles=0.0,
    ),
}  # fmt: skip
"""`paper`: Cazzaniga et al. 2025 and their published scripts, which keep the epoch of the best
validation IoU; Glisson keeps that of the lowest validation loss. `glisson`: the best in our
measurements."""

_SEGFORMER_RATES = {"learning_rate": 6e-4, "encoder_rate": 1.0}
"""Rates of preset `glisson` for a SegFormer; its own fit a pretrained encoder and a new decoder."""


def make_recipe(preset: str, **changes: Any) -> Recipe:
    """Return a preset with changes, but without those that are None.

    Raises:
        SettingsError: no preset has that name, or a value is invalid.
    """
    if preset not in PRESETS:
        raise SettingsError(f"No preset {preset}: one of {', '.join(PRESETS)}.")
    given = {key: value for key, value in changes.items() if value is not None}
    if preset == "glisson" and given.get("network", "").startswith("segformer"):
        given = _SEGFORMER_RATES | given
    return replace(PRESETS[preset], **given)


@dataclass(frozen=True)
class TrainSettings:
    """Settings that do not change the result of a recipe.

    Attributes:
        weights: name of the first weights, as `create_network` takes it; None for
            `find_default_weights`.
        workers: processes that read tiles; 0 reads in this process.
        resume: resume the run of the same folder.
        licence: of what is new in the model; the licence of `weights` stays beside it.
        trained_on: the data, in words.
        name: name of the new model; None for the folder's.
        fabric: devices and precision; None for the processor.
    """

    weights: str | None = None
    workers: int = 0
    resume: bool = False
    licence: str | None = None
    trained_on: str = NOT_STATED
    name: str | None = None
    fabric: Fabric | None = None
