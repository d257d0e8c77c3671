"""A network's output as probabilities; torch is imported on the first call."""

from __future__ import annotations

from typing import Any

from glisson.errors import MissingExtra


def import_torch() -> Any:
    """Import torch.

    Raises:
        MissingExtra: torch is not installed; the message says how to install it.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtra(
            "This model or runtime needs torch: pip install 'glisson[train]'"
        ) from error
    return torch


def find_logits(output: Any) -> Any:
    """Return the logits in a network's output: a tensor, tuple, dict or output object."""
    if isinstance(output, dict):
        return output["logits"] if "logits" in output else next(iter(output.values()))
    if isinstance(output, tuple | list):
        return output[0]
    return getattr(output, "logits", output)


def compute_probabilities(logits: Any, size_px: tuple[int, int]) -> Any:
    """Enlarge (N, C, h, w) logits to (height, width) and return their float32 softmax."""
    logits = logits.float()
    if tuple(logits.shape[-2:]) != tuple(size_px):
        logits = import_torch().nn.functional.interpolate(
            logits, size_px, mode="bilinear", align_corners=False
        )
    return logits.softmax(dim=1)
