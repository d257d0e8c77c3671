"""Train a network on tiles and write it as a model; only its modules import torch."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from glisson.errors import MissingExtra
from glisson.training.data import DataSettings

if TYPE_CHECKING:
    from glisson.training.plan import TrainResult
    from glisson.training.progress import TrainObserver
    from glisson.training.recipe import Recipe, TrainSettings

__all__ = ["DataSettings", "require_extra", "train"]

_NEEDED = ("torch", "transformers", "lightning", "tensorboard", "matplotlib", "onnx", "onnxscript")


def train(
    data: str | Path,
    out: str | Path,
    recipe: Recipe | str = "glisson",
    settings: TrainSettings | None = None,
    reading: DataSettings | None = None,
    observer: TrainObserver | None = None,
) -> TrainResult:
    """Train a network on annotated slides, or on tiles that `tiles` wrote.

    Writes curves, TensorBoard logs, checkpoints, a sheet of augmented tiles, and the best epoch as
    a model that `segment` takes.

    Args:
        data: folder of tiles, or study of annotated slides.
        out: folder to write to.
        recipe: network and hyperparameters; or a preset, `glisson` or `paper`.
        settings: first weights, devices, licence, and whether to resume.
        reading: how slides become tiles.
        observer: progress callbacks; None for those that write curves and logs.

    Raises:
        MissingExtra: a package of the extra `train` is not installed.
        SettingsError: invalid settings, or settings that do not fit the data.
        AnnotationError: annotations or tiles cannot be read.
        TrainingError: `out` holds a run that is not to be resumed, or the loss is no number.
    """
    require_extra()
    from glisson.training.plan import plan_training
    from glisson.training.recipe import TrainSettings

    plan = plan_training(Path(data), recipe, settings or TrainSettings(), reading or DataSettings())
    return plan.run(Path(out), observer)


def require_extra() -> None:
    """Fail before any work where the `train` extra is not installed.

    Raises:
        MissingExtra: a package of the extra is missing.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"Training needs {', '.join(missing)}: pip install 'glisson[train]'")
