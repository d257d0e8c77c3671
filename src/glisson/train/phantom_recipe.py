"""What decides a training run; the same recipe gives the same weights on the same machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How the default model is trained, from random weights on phantoms alone.

    Attributes:
        mpp: µm/px that the model sees.
        reduction: tiles are rendered at `mpp` / `reduction` and averaged down, as a slide is.
        window_px: side of a rendered tile.
        mpp_choices: factors on the rendered µm/px: the errors of scale to bear.
        tile_groups: groups of tiles in the pool.
        tiles_per_group: tiles in a group.
        rounds: a round ends with a validation and a checkpoint.
        decay_rounds: last rounds, over which the learning rate falls to zero.
        steps_per_round: optimiser steps in a round.
        batch: tiles per step.
        learning_rate: of AdamW, while constant.
        warmup_steps: steps over which the learning rate rises from zero.
        weight_decay: of AdamW.
        ema_decay: of the running average of the weights that is kept.
        class_weights: of cross-entropy, background, lobule, portal.
        dice_share: weight of the soft Dice loss beside cross-entropy.
        ignored_border_um: half width of the band between lobule and portal that no loss sees:
            the interface is ragged and any line through it is a convention.
        first_seed: seed of the first training tile.
        validation_seed: seed of the first validation tile, far from training seeds.
        validation_tiles: number of validation tiles.
    """

    mpp: float = 2.0
    reduction: int = 2
    window_px: int = 256
    mpp_choices: tuple[float, ...] = (0.86, 1.0, 1.0, 1.16)
    tile_groups: int = 3
    tiles_per_group: int = 1500
    rounds: int = 10
    decay_rounds: int = 4
    steps_per_round: int = 220
    batch: int = 32
    learning_rate: float = 1e-3
    warmup_steps: int = 150
    weight_decay: float = 0.05
    ema_decay: float = 0.995
    class_weights: tuple[float, float, float] = (1.0, 1.0, 1.5)
    dice_share: float = 0.5
    ignored_border_um: float = 4.0
    first_seed: int = 1_000
    validation_seed: int = 900_000_000
    validation_tiles: int = 240
