"""Settings of a training run that do not change its result."""

from __future__ import annotations

from dataclasses import dataclass

from lightning.fabric import Fabric

NOT_STATED = "Not stated by those who trained it."


@dataclass(frozen=True)
class TrainSettings:
    """Surroundings of a recipe.

    Attributes:
        weights: name of the first weights, as `create_network` takes it; None for
            `find_default_weights`.
        workers: processes that read tiles; 0 reads in this process.
        resume: resume the run of the same folder.
        licence: of what is new in the model; the licence of `weights` stays beside it.
        trained_on: the data, in words.
        fabric: devices and precision; None for the processor.
    """

    weights: str | None = None
    workers: int = 0
    resume: bool = False
    licence: str | None = None
    trained_on: str = NOT_STATED
    fabric: Fabric | None = None
