"""Train a network on tiles and write it as a model; only its modules import torch."""

from __future__ import annotations

from importlib.util import find_spec

from glisson.errors import MissingExtra

__all__ = ["require_extra"]

_NEEDED = ("torch", "transformers", "lightning", "tensorboard", "matplotlib", "onnx", "onnxscript")


def require_extra() -> None:
    """Fail before any work where the `train` extra is not installed.

    Raises:
        MissingExtra: a package of the extra is missing.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"Training needs {', '.join(missing)}: pip install 'glisson[train]'")
