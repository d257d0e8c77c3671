"""Tiles read straight from slides, without files in between."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence

from glisson.dataset.labels import SlideLabels
from glisson.dataset.manifest import TileRow
from glisson.dataset.meanings import MeaningTable
from glisson.dataset.splits import Splits, leak_of
from glisson.dataset.study import AnnotatedSlide, is_synthetic
from glisson.dataset.tile_writing import tile_row
from glisson.dataset.tiles import LabelledSlide, TilePixels, TileSettings, open_labelled
from glisson.frames import BoxPx
from glisson.slides import open_slide

_OPEN_SLIDES = 64


class SlideTiles:
    """The tiles of a study, read when they are asked for.

    Each process opens slides for itself; the 64 used last stay open. Labels are made once.

    Attributes:
        slides: of the study.
        splits: of these slides.
        meanings: of their annotation classes.
        rows: as a manifest of written tiles would have them.
        leak: why scores of validation are too good, or may be; None if they are not.
        synthetic: whether a study says that its slides are synthetic.
    """

    def __init__(
        self,
        slides: Sequence[AnnotatedSlide],
        splits: Splits,
        settings: TileSettings,
        table: MeaningTable | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.slides, self.splits, self.meanings = tuple(slides), splits, table or MeaningTable()
        self._sources = {slide.name: slide for slide in slides}
        self._labels: dict[str, SlideLabels] = {}
        self._open: OrderedDict[str, LabelledSlide] = OrderedDict()
        self._opened_by = os.getpid()
        self.leak = leak_of(slides, splits)
        self.synthetic = any(is_synthetic(slide.slide.parent) for slide in slides)
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

    @property
    def candidates(self) -> dict[str, int]:
        """Number of candidates by slide; no tile shows them."""
        return {name: labels.candidate_count for name, labels in self._labels.items()}

    def close(self) -> None:
        """Close every slide; one that is read again is opened again."""
        while self._open:
            self._open.popitem()[1].slide.close()

    def _rows(
        self, source: AnnotatedSlide, splits: Splits, settings: TileSettings
    ) -> list[TileRow]:
        tiles = self._labelled(source.name).tiles(settings)
        return [tile_row(source, tile, splits, settings) for tile in tiles]

    def _labelled(self, name: str) -> LabelledSlide:
        self._leave_handles_of_another_process()
        if name not in self._open:
            self._open[name] = self._opened(self._sources[name])
            if len(self._open) > _OPEN_SLIDES:
                self._open.popitem(last=False)[1].slide.close()
        self._open.move_to_end(name)
        return self._open[name]

    def _opened(self, source: AnnotatedSlide) -> LabelledSlide:
        if source.name in self._labels:
            slide = open_slide(source.slide, source.mpp)
            return LabelledSlide(source, slide, self._labels[source.name])
        labelled = open_labelled(source, self.meanings)
        self._labels[source.name] = labelled.labels
        return labelled

    def _leave_handles_of_another_process(self) -> None:
        """A forked process shares the file offset with its parent: each would read the other's."""
        if self._opened_by != os.getpid():
            self._open = OrderedDict()
            self._opened_by = os.getpid()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_open": OrderedDict()}
