"""The interface of labelled tiles, wherever they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from glisson.dataset.manifest import TileRow
from glisson.dataset.tiles import TilePixels


class TileSource(Protocol):
    """A folder of tiles, annotated slides, or a renderer of phantoms."""

    @property
    def rows(self) -> Sequence[TileRow]:
        """Return all tiles, of every split."""
        ...

    @property
    def leak(self) -> str | None:
        """Return why validation scores are or may be too good, or None.

        Every report of a validation score must show this sentence.
        """
        ...

    def read(self, row: TileRow) -> TilePixels:
        """Read the pixels and labels of a tile."""
        ...
