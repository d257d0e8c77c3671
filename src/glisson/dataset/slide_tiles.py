"""Tiles read straight from slides, without files in between."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from glisson.dataset.manifest import TileRow
from glisson.dataset.meanings import MeaningTable
from glisson.dataset.splits import Splits
from glisson.dataset.study import AnnotatedSlide
from glisson.dataset.tile_folder import tile_row
from glisson.dataset.tiles import LabelledSlide, TilePixels, TileSettings, open_labelled
from glisson.frames import BoxPx

_OPEN_SLIDES = 64


class SlideTiles:
    """The tiles of a study, read when they are asked for.

    Each process opens slides for itself; the 64 used last stay open with their labels.

    Attributes:
        rows: as a manifest of written tiles would have them.
    """

    def __init__(
        self,
        slides: Sequence[AnnotatedSlide],
        splits: Splits,
        settings: TileSettings,
        table: MeaningTable | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self._table = table or MeaningTable()
        self._sources = {slide.name: slide for slide in slides}
        self._open: OrderedDict[str, LabelledSlide] = OrderedDict()
        rows: list[TileRow] = []
        for number, source in enumerate(slides, 1):
            rows += self._rows(source, splits, settings)
            if progress:
                progress(source.name, number, len(slides))
        self.rows = tuple(rows)

    def read(self, row: TileRow) -> TilePixels:
        """Pixels and labels of a tile."""
        box_px = BoxPx(row.x_px, row.y_px, row.size_px, row.size_px)
        return self._labelled(row.slide).read(box_px, row.mpp)

    def close(self) -> None:
        """Close every slide."""
        while self._open:
            self._open.popitem()[1].slide.close()

    def _rows(
        self, source: AnnotatedSlide, splits: Splits, settings: TileSettings
    ) -> list[TileRow]:
        labelled = self._labelled(source.name)
        return [
            tile_row(
                source, tile, labelled.labels.crop(tile.box_px, settings.mpp), splits, settings
            )
            for tile in labelled.tiles(settings)
        ]

    def _labelled(self, name: str) -> LabelledSlide:
        if name not in self._open:
            self._open[name] = open_labelled(self._sources[name], self._table)
            if len(self._open) > _OPEN_SLIDES:
                self._open.popitem(last=False)[1].slide.close()
        self._open.move_to_end(name)
        return self._open[name]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_open": OrderedDict()}
