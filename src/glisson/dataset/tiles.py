"""Tiles of annotated slides: where they lie, and their pixels with labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray

from glisson.classes import CLASSES
from glisson.dataset.labels import IGNORED, Labels, SlideLabels, read_labels
from glisson.dataset.meanings import MeaningTable
from glisson.dataset.study import AnnotatedSlide
from glisson.errors import SettingsError
from glisson.frames import BoxL0, BoxPx, Frame
from glisson.slides import Slide, open_slide


@dataclass(frozen=True)
class TileSettings:
    """Which tiles are made of a slide.

    Attributes:
        mpp: µm/px (the paper: 1 and 2).
        size_px: side; tiles do not overlap (the paper: 256).
        min_tissue: least share of a tile's labelled pixels that is tissue.
        max_ignored: largest share of a tile that may be ignored or unreadable.
    """

    mpp: float = 1.0
    size_px: int = 256
    min_tissue: float = 0.1
    max_ignored: float = 0.9

    def __post_init__(self) -> None:
        if not 0.05 <= self.mpp <= 5:
            raise SettingsError(f"Tiles of {self.mpp:g} µm/px: give 0.05 to 5.")
        if self.size_px < 32 or self.size_px % 32:
            raise SettingsError(f"Tiles of {self.size_px} px: the side is a multiple of 32.")
        if not 0 < self.min_tissue <= 1 or not 0 <= self.max_ignored < 1:
            raise SettingsError("The shares of tissue and of ignored pixels lie between 0 and 1.")


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes:
        box_px: where it lies on the slide's grid of `mpp` µm/px.
        box_l0: the same in level-0 pixels.
        shares: part of its labelled pixels that is each class, in the order of `CLASSES`.
        ignored: part of its pixels without label.
    """

    box_px: BoxPx
    box_l0: BoxL0
    shares: tuple[float, float, float]
    ignored: float


@dataclass(frozen=True)
class TilePixels:
    """A tile's pixels.

    Attributes:
        rgb: (H, W, 3) uint8.
        labels: (H, W) uint8 class indices; `IGNORED` where nothing is known.
    """

    rgb: NDArray[np.uint8]
    labels: Labels


class LabelledSlide:
    """A slide with its labels, read together. Close it after use.

    Attributes:
        source: file names, patient, institution.
        slide: the opened slide.
        labels: what is known of each pixel.
    """

    def __init__(self, source: AnnotatedSlide, slide: Slide, labels: SlideLabels) -> None:
        self.source = source
        self.slide = slide
        self.labels = labels

    def tiles(self, settings: TileSettings) -> Iterator[Tile]:
        """Tiles that hold enough tissue and labels, row by row."""
        frame = Frame(self.slide.info.pixel_size, settings.mpp)
        for box_px in self._boxes(settings, frame):
            tile = _described(self.labels.crop(box_px, settings.mpp), box_px, frame)
            if tile.ignored <= settings.max_ignored and 1 - tile.shares[0] >= settings.min_tissue:
                yield tile

    def read(self, box_px: BoxPx, mpp: float) -> TilePixels:
        """Pixels and labels inside a box; what cannot be read is ignored."""
        region_um = Frame(self.slide.info.pixel_size, mpp).region_um(box_px)
        patch = self.slide.read(region_um, mpp)
        labels = self.labels.crop(box_px, mpp)
        labels[~patch.readable] = IGNORED
        return TilePixels(patch.rgb, labels)

    def _boxes(self, settings: TileSettings, frame: Frame) -> Iterator[BoxPx]:
        """Tiles that touch tissue; the last ones may reach beyond the slide."""
        size, side = frame.size_px(self.slide.info.size_l0), settings.size_px
        tissue = shapely.STRtree(self.labels.tissue_l0)
        for y_px in range(0, size.height, side):
            for x_px in range(0, size.width, side):
                box_px = BoxPx(x_px, y_px, side, side)
                corners = _box_l0(box_px, frame)
                if len(tissue.query(_polygon(corners), "intersects")):
                    yield box_px

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.slide.close()


def open_labelled(source: AnnotatedSlide, table: MeaningTable | None = None) -> LabelledSlide:
    """Open a slide of a study with its annotations.

    Raises:
        SlideError: the slide cannot be read.
        AnnotationError: its annotations cannot.
    """
    slide = open_slide(source.slide, source.mpp)
    try:
        labels = read_labels(slide, source.annotations, table or MeaningTable())
    except BaseException:
        slide.close()
        raise
    return LabelledSlide(source, slide, labels)


def class_shares(labels: Labels) -> tuple[float, float, float]:
    """Part of the labelled pixels that is each class; all background where none is labelled."""
    counts = np.bincount(labels.ravel(), minlength=IGNORED + 1)[: len(CLASSES)]
    if not counts.any():
        return 1.0, 0.0, 0.0
    background, lobule, portal = (counts / counts.sum()).tolist()
    return background, lobule, portal


def _described(labels: Labels, box_px: BoxPx, frame: Frame) -> Tile:
    ignored = float(np.mean(labels == IGNORED))
    return Tile(box_px, _box_l0(box_px, frame), class_shares(labels), ignored)


def _box_l0(box_px: BoxPx, frame: Frame) -> BoxL0:
    corners_px = np.array([[0, 0], [box_px.width_px, box_px.height_px]])
    corners_px += (box_px.x_px, box_px.y_px)
    (x, y), (right, bottom) = frame.l0_from_px(corners_px).tolist()
    return BoxL0(x, y, right - x, bottom - y)


def _polygon(box: BoxL0) -> shapely.Polygon:
    return shapely.box(box.x_l0, box.y_l0, box.x_l0 + box.width_l0, box.y_l0 + box.height_l0)
