"""Where labelled tiles come from, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from glisson.dataset.manifest import TileRow
from glisson.dataset.tiles import TilePixels


class TileSource(Protocol):
    """A folder of tiles, annotated slides, or a phantom's renderer."""

    @property
    def rows(self) -> Sequence[TileRow]:
        """All tiles, of every split."""
        ...

    @property
    def leak(self) -> str | None:
        """A sentence on why scores of validation are too good, or may be; None if they are not.

        Whoever shows such a score shows the sentence with it.
        """
        ...

    def read(self, row: TileRow) -> TilePixels:
        """Pixels and labels of a tile."""
        ...
