"""The level that is read is the coarsest that is fine enough, however its sides were rounded."""

from __future__ import annotations

import numpy as np
import pytest

from glisson.frames import PixelSize, RegionUm, Size
from glisson.slides.base import LevelSlide
from glisson.slides.slide import SlideInfo


class Levels(LevelSlide):
    """Levels of a slide without pixels; remembers which was read."""

    def __init__(self, width: int, height: int) -> None:
        sizes = tuple((width // step, height // step) for step in (1, 4, 16))
        # as OpenSlide has it: the mean of both sides' ratios
        downsamples = tuple((width / w + height / h) / 2 for w, h in sizes)
        pixel = PixelSize(0.25, 0.25)
        size = Size(width, height)
        info = SlideInfo("levels", None, "memory", size, pixel, "file", None, downsamples)
        super().__init__(info, sizes)
        self.read_from: list[int] = []

    def _read_level(
        self, level: int, left: int, top: int, width: int, height: int
    ) -> tuple[np.ndarray, np.ndarray]:
        self.read_from.append(level)
        return np.zeros((height, width, 3), np.uint8), np.ones((height, width), bool)


@pytest.mark.parametrize("height", [20_600, 20_608, 20_601, 20_615])
@pytest.mark.parametrize(("mpp", "level"), [(4.0, 2), (8.0, 2), (2.0, 1), (1.0, 1), (0.5, 0)])
def test_rounded_sides_do_not_change_the_level(height: int, mpp: float, level: int) -> None:
    slide = Levels(60_000, height)
    slide.read(RegionUm(0, 0, 400, 400), mpp)
    assert slide.read_from == [level]
