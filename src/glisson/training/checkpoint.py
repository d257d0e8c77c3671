"""Checkpoints: written whole or not at all, and loaded without running anything."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from glisson.dataset import TileRow
from glisson.errors import TrainingError
from glisson.files.atomic import atomic_path
from glisson.training.recipe import Recipe

LAST, BEST = "last.pt", "best.pt"
Identity = dict[str, Any]
"""Inputs of a run: a checkpoint resumes with the same inputs, or not at all."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint; an interruption leaves the checkpoint before.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to.
    """
    with atomic_path(path) as unfinished:
        try:
            torch.save(state, unfinished)
        except RuntimeError as error:  # torch raises it for a full disk
            raise OSError(str(error).splitlines()[0]) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the processor, and run nothing in it.

    Raises:
        TrainingError: the file is missing, damaged, or holds more than tensors and numbers.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises IndexError, KeyError, RuntimeError ...
        raise TrainingError(f"{path} is no checkpoint of Glisson: {error}") from error
    if not isinstance(state, dict) or not {"network", "recipe", "progress"} <= set(state):
        raise TrainingError(f"{path} is no checkpoint of Glisson.")
    return state


def extract_weights(state: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return the weights that were validated: the running average, if there is one."""
    weights: dict[str, torch.Tensor] = state["average"] or state["network"]
    return weights


def make_identity(
    recipe: Recipe, rows: Sequence[TileRow], weights: str | None, precision: str
) -> Identity:
    """Collect recipe, tiles with their splits, first weights and precision, as plain values."""
    settings = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(recipe).items()
    }
    # name, split, scale and class shares of every tile, in any order
    lines = sorted(
        f"{r.tile} {r.split} {r.mpp} {r.size_px} {r.background} {r.lobule} {r.portal} {r.ignored}"
        for r in rows
    )
    return {
        **settings,
        "tiles or their splits": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "weights": weights,
        "precision": precision,
    }


def list_differences(now: Identity, before: Identity) -> list[str]:
    """List the names of what differs between two runs."""
    return sorted(key for key in now if now[key] != before.get(key))
