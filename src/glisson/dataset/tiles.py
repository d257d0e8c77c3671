"""Tiles of annotated slides: positions, pixels and labels."""

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
    """Settings of the tiles of a slide.

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
    """Position and content of a tile.

    Attributes:
        box_px: box on the slide's grid of `mpp` µm/px.
        box_l0: the same box in level-0 pixels.
        shares: fraction of the labelled pixels of each class, in the order of `CLASSES`.
        ignored: fraction of the pixels without label.
    """

    box_px: BoxPx
    box_l0: BoxL0
    shares: tuple[float, float, float]
    ignored: float


@dataclass(frozen=True)
class TilePixels:
    """Pixels of a tile.

    Attributes:
        rgb: (H, W, 3) uint8.
        labels: (H, W) uint8 class indices; `IGNORED` where there is no label.
    """

    rgb: NDArray[np.uint8]
    labels: Labels


class LabelledSlide:
    """Open slide with its labels. Close it after use.

    Attributes:
        source: file names, patient, institution.
        slide: the open slide.
        labels: of every pixel.
    """

    def __init__(self, source: AnnotatedSlide, slide: Slide, labels: SlideLabels) -> None:
        self.source = source
        self.slide = slide
        self.labels = labels

    def tiles(self, settings: TileSettings) -> Iterator[Tile]:
        """Yield the tiles with enough tissue and labels, row by row."""
        frame = Frame(self.slide.info.pixel_size, settings.mpp)
        for box_px, box_l0 in self._list_boxes(settings, frame):
            labels = self.labels.crop(box_px, settings.mpp)
            ignored = float(np.mean(labels == IGNORED))
            tile = Tile(box_px, box_l0, measure_class_shares(labels), ignored)
            if tile.ignored <= settings.max_ignored and 1 - tile.shares[0] >= settings.min_tissue:
                yield tile

    def read(self, box_px: BoxPx, mpp: float) -> TilePixels:
        """Read pixels and labels inside a box; unreadable pixels are ignored."""
        region_um = Frame(self.slide.info.pixel_size, mpp).region_um(box_px)
        patch = self.slide.read(region_um, mpp)
        labels = self.labels.crop(box_px, mpp)
        labels[~patch.readable] = IGNORED
        return TilePixels(patch.rgb, labels)

    def _list_boxes(self, settings: TileSettings, frame: Frame) -> Iterator[tuple[BoxPx, BoxL0]]:
        """Yield the boxes that touch tissue; the last may reach beyond the slide."""
        size, side = frame.size_px(self.slide.info.size_l0), settings.size_px
        tissue = shapely.STRtree(self.labels.tissue_l0)
        for y_px in range(0, size.height, side):
            for x_px in range(0, size.width, side):
                box_px = BoxPx(x_px, y_px, side, side)
                box_l0 = _convert_to_l0(box_px, frame)
                x, y = box_l0.x_l0, box_l0.y_l0
                polygon = shapely.box(x, y, x + box_l0.width_l0, y + box_l0.height_l0)
                if len(tissue.query(polygon, "intersects")):
                    yield box_px, box_l0

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
        AnnotationError: its annotations cannot be read.
    """
    slide = open_slide(source.slide, source.mpp)
    try:
        labels = read_labels(slide, source.annotations, table or MeaningTable(), None, source.force)
    except BaseException:
        slide.close()
        raise
    return LabelledSlide(source, slide, labels)


def measure_class_shares(labels: Labels) -> tuple[float, float, float]:
    """Return the fraction of labelled pixels of each class; without any, all is background."""
    counts = np.bincount(labels.ravel(), minlength=IGNORED + 1)[: len(CLASSES)]
    if not counts.any():
        return 1.0, 0.0, 0.0
    background, lobule, portal = (counts / counts.sum()).tolist()
    return background, lobule, portal


def _convert_to_l0(box_px: BoxPx, frame: Frame) -> BoxL0:
    corners_px = np.array([[0, 0], [box_px.width_px, box_px.height_px]])
    corners_px += (box_px.x_px, box_px.y_px)
    (x, y), (right, bottom) = frame.l0_from_px(corners_px).tolist()
    return BoxL0(x, y, right - x, bottom - y)
