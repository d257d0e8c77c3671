"""What decides a training run; the same recipe gives the same weights on the same machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How the default model is trained, from random weights on phantoms alone.

    Attributes:
        rounds: a round renders new tiles, then trains on new and earlier ones.
        decay_rounds: last rounds, over which the learning rate falls to zero.
        tiles_per_round: tiles rendered in each round.
        samples_per_round: tiles drawn in each round: all new ones once, the rest from before.
        batch: tiles per step.
        window_px: side of a tile.
        mpp_choices: µm/px at which tiles are rendered: the range of scale errors to bear.
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

    rounds: int = 8
    decay_rounds: int = 2
    tiles_per_round: int = 1500
    samples_per_round: int = 3600
    batch: int = 24
    window_px: int = 256
    mpp_choices: tuple[float, ...] = (0.86, 1.0, 1.0, 1.16)
    learning_rate: float = 5e-4
    warmup_steps: int = 200
    weight_decay: float = 0.02
    ema_decay: float = 0.998
    class_weights: tuple[float, float, float] = (1.0, 1.0, 1.5)
    dice_share: float = 0.5
    ignored_border_um: float = 4.0
    first_seed: int = 1_000
    validation_seed: int = 900_000_000
    validation_tiles: int = 240
