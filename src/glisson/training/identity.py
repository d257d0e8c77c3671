"""What a run was started with: a checkpoint goes on with the same, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from glisson.dataset import TileRow
from glisson.training.recipe import Recipe

Identity = dict[str, Any]


def identity_of(
    recipe: Recipe, rows: Sequence[TileRow], started_from: str | None, precision: str
) -> Identity:
    """Recipe, tiles with their splits, first weights and precision, as plain values."""
    settings = {key: _plain(value) for key, value in asdict(recipe).items()}
    return {
        **settings,
        "tiles or their splits": _digest(rows),
        "weights": started_from,
        "precision": precision,
    }


def changed(now: Identity, before: Identity) -> list[str]:
    """Names of what is not as it was."""
    return sorted(key for key in now if now[key] != before.get(key))


def _digest(rows: Sequence[TileRow]) -> str:
    """Of every tile's name, split, scale and class shares, in any order."""
    lines = sorted(
        f"{r.tile} {r.split} {r.mpp} {r.size_px} {r.background} {r.lobule} {r.portal} {r.ignored}"
        for r in rows
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
