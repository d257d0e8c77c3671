"""What segmentation costs, in counts: windows, pixels read, bytes held. Never in seconds."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from glisson.frames import BoxPx, Frame, PixelSize, Size
from glisson.segmentation import SegmentSettings, segment_slide
from glisson.segmentation.windows import windows_over
from glisson.slides.base import LevelSlide
from glisson.slides.slide import SlideInfo
from glisson.tissue import TissueMap
from tests.scenes import ConstantModel

PIXEL = PixelSize(1.0, 1.0)
TISSUE_MPP = 4.0


class EndlessSlide(LevelSlide):
    """A slide of any size that holds no pixels; it counts those that are asked for."""

    def __init__(self, width: int, height: int) -> None:
        size = Size(width, height)
        info = SlideInfo("endless", None, "memory", size, PIXEL, "override", None, (1.0,))
        super().__init__(info, ((width, height),))
        self.pixels_read = 0

    def _read_level(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[np.ndarray, np.ndarray]:
        self.pixels_read += width * height
        return np.zeros((height, width, 3), np.uint8), np.ones((height, width), bool)


def curved_core(width: int, height: int, across: int = 290) -> np.ndarray:
    """A bent band of tissue, `across` pixels wide, in the upper left of a slide."""
    rows, columns = np.indices((900, 3000))
    middle = 450 + 180 * np.sin(columns / 500)
    mask = np.zeros((height, width), bool)
    mask[:900, :3000] = (np.abs(rows - middle) < across / 2) & (columns > 40) & (columns < 2950)
    return mask


def tissue_map(mask: np.ndarray) -> TissueMap:
    causes = np.zeros(mask.shape, np.uint8)
    return TissueMap(mask, Frame(PIXEL, TISSUE_MPP), causes, (255, 255, 255))


def on_a_lattice(mask: np.ndarray, stride_px: int) -> int:
    """Windows of a fixed lattice whose middle holds tissue."""
    step = int(stride_px / TISSUE_MPP)
    height, width = (-(-side // step) * step for side in mask.shape)
    padded = np.zeros((height, width), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return int(padded.reshape(height // step, step, width // step, step).any(axis=(1, 3)).sum())


def of_both(mask: np.ndarray, stride_px: int = 192) -> tuple[int, int]:
    size = Size(int(mask.shape[1] * TISSUE_MPP), int(mask.shape[0] * TISSUE_MPP))
    packed = windows_over(tissue_map(mask), Frame(PIXEL, 1.0), size, 256, stride_px)
    return len(packed), on_a_lattice(mask, stride_px)


@pytest.mark.parametrize("change", [np.asarray, np.transpose, np.flipud, np.rot90])
def test_packed_windows_are_fewer_than_a_lattice(
    change: Callable[[np.ndarray], np.ndarray],
) -> None:
    mask = np.ascontiguousarray(change(curved_core(3000, 900)))
    packed, lattice = of_both(mask)
    assert packed < lattice
    assert packed <= 1.2 * mask.sum() * (TISSUE_MPP / 192) ** 2


def test_many_small_pieces_share_windows() -> None:
    rng = np.random.default_rng(5)
    mask = np.zeros((600, 900), bool)
    for row, column in rng.integers(0, (580, 880), (150, 2)):
        mask[row : row + 20, column : column + 20] = True
    packed, lattice = of_both(mask)
    assert packed <= lattice


def test_windows_follow_the_tissue() -> None:
    """Shifted by any number of pixels, the same windows, shifted."""
    mask = curved_core(3200, 1100)
    size = Size(12_800, 4_400)
    frame = Frame(PIXEL, 1.0)
    plain = windows_over(tissue_map(mask), frame, size, 256, 192)
    moved = windows_over(tissue_map(np.roll(mask, (37, 53), (0, 1))), frame, size, 256, 192)
    assert [BoxPx(b.x_px + 212, b.y_px + 148, 256, 256) for b in plain] == list(moved)


def test_only_windows_are_read() -> None:
    mask = curved_core(3000, 900)
    slide = EndlessSlide(12_000, 3_600)
    found = segment_slide(slide, tissue_map(mask), ConstantModel((0.1, 0.2, 0.7)))
    assert slide.pixels_read <= found.windows * 256**2


def peak_bytes(width: int, height: int) -> int:
    """Allocated at the peak, the tissue mask itself left out."""
    tissue = tissue_map(curved_core(width, height))
    slide, model = EndlessSlide(4 * width, 4 * height), ConstantModel((0.1, 0.2, 0.7))
    tracemalloc.start()
    segment_slide(slide, tissue, model, SegmentSettings(reach_um=0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - 3 * width * height  # the grown mask, and what growing it holds meanwhile


def test_memory_grows_with_tissue_and_not_with_the_slide() -> None:
    small, large = peak_bytes(3000, 900), peak_bytes(9000, 3600)
    assert large < 1.15 * small
