"""The identity of a run: a checkpoint resumes with the same inputs, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from glisson.dataset import TileRow
from glisson.training.recipe import Recipe

Identity = dict[str, Any]


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
