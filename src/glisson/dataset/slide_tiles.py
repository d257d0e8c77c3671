"""Tiles read directly from slides, without files in between."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence

from glisson.dataset.labels import SlideLabels
from glisson.dataset.manifest import TileRow
from glisson.dataset.meanings import MeaningTable
from glisson.dataset.splits import Splits, find_leak
from glisson.dataset.study import AnnotatedSlide, is_synthetic
from glisson.dataset.tile_writing import Progress, make_tile_row
from glisson.dataset.tiles import LabelledSlide, TilePixels, TileSettings, open_labelled
from glisson.frames import BoxPx
from glisson.slides import open_slide

_OPEN_SLIDES = 64


class SlideTiles:
    """Tiles of a study, whose pixels are read on demand.

    Each process opens its own slides and keeps the 64 most recently used open. Labels are read
    once.

    Attributes:
        slides: of the study.
        splits: of these slides.
        meanings: of their annotation classes.
        rows: equal to the manifest of written tiles.
        leak: why validation scores are or may be too good, or None.
        synthetic: whether the study declares its slides synthetic.
    """

    def __init__(
        self,
        slides: Sequence[AnnotatedSlide],
        splits: Splits,
        settings: TileSettings,
        table: MeaningTable | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.slides, self.splits, self.meanings = tuple(slides), splits, table or MeaningTable()
        self._sources = {slide.name: slide for slide in slides}
        self._labels: dict[str, SlideLabels] = {}
        self._open: OrderedDict[str, LabelledSlide] = OrderedDict()
        self._opened_by = os.getpid()
        self.leak = find_leak(slides, splits)
        self.synthetic = any(is_synthetic(slide.slide.parent) for slide in slides)
        rows: list[TileRow] = []
        for number, source in enumerate(slides, 1):
            tiles = self._open_slide(source.name).tiles(settings)
            rows += [make_tile_row(source, tile, splits, settings) for tile in tiles]
            if progress:
                progress(source.name, number, len(slides))
        self.rows = tuple(rows)

    def read(self, row: TileRow) -> TilePixels:
        """Read the pixels and labels of a tile."""
        box_px = BoxPx(row.x_px, row.y_px, row.size_px, row.size_px)
        return self._open_slide(row.slide).read(box_px, row.mpp)

    @property
    def candidates(self) -> dict[str, int]:
        """Return the number of candidates of each slide; tiles ignore their pixels."""
        return {name: labels.candidate_count for name, labels in self._labels.items()}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what the annotations of each slide left out, or how badly they fit."""
        return tuple(
            f"{name}: {warning}"
            for name, labels in self._labels.items()
            for warning in labels.warnings
        )

    def close(self) -> None:
        """Close every slide; reading a tile opens its slide again."""
        while self._open:
            self._open.popitem()[1].slide.close()

    def _open_slide(self, name: str) -> LabelledSlide:
        if self._opened_by != os.getpid():
            # A forked process shares file offsets with its parent: each would move the other's.
            self._open, self._opened_by = OrderedDict(), os.getpid()
        if name not in self._open:
            self._open[name] = self._open_with_labels(self._sources[name])
            if len(self._open) > _OPEN_SLIDES:
                self._open.popitem(last=False)[1].slide.close()
        self._open.move_to_end(name)
        return self._open[name]

    def _open_with_labels(self, source: AnnotatedSlide) -> LabelledSlide:
        if source.name in self._labels:
            slide = open_slide(source.slide, source.mpp)
            return LabelledSlide(source, slide, self._labels[source.name])
        labelled = open_labelled(source, self.meanings)
        self._labels[source.name] = labelled.labels
        return labelled

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_open": OrderedDict()}
